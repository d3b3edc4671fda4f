import { createHash } from 'node:crypto';
import { unique } from '../../support/targets.ts';
import { bundleOf, succeeded, unless, type Subject } from '../subject.ts';

export const build: Subject = {
  name: 'build-image',
  traffic: { github: { reads: 2, writes: 0, streams: 0 }, registry: { reads: 6, writes: 6, streams: 0 } },
  async prepare(place) {
    const { world, repository, ways } = place;
    const sha = repository.commit({ files: { 'train.js': 'console.log(1)\n' } });
    const name = `acme/${unique('digits')}`;
    const run = bundleOf(
      place,
      'build-image',
      { contents: 'read' },
      { image: `${ways.registry}/${name}`, base: `${ways.registry}/node:24`, sha },
    );
    return Promise.resolve({
      run,
      judge: async (told) => {
        const said = told.result.outputs['image'] ?? '';
        const digest = told.result.outputs['digest'] ?? '';
        if (!succeeded(told)) return unless(said === '', `it failed, and says ${said}`);
        const answer = await fetch(`http://${world.registry.host}/v2/${name}/manifests/${digest}`);
        if (answer.status !== 200) return [`the image ${said} is answered ${answer.status}`];
        const bytes = Buffer.from(await answer.arrayBuffer());
        const manifest = JSON.parse(bytes.toString()) as { config: { digest: string }; layers: { digest: string }[] };
        const blob = async (of: string): Promise<Buffer> =>
          Buffer.from(await (await fetch(`http://${world.registry.host}/v2/${name}/blobs/${of}`)).arrayBuffer());
        const broken: string[] = [];
        for (const { digest: of } of [manifest.config, ...manifest.layers]) {
          if (digestOf(await blob(of)) !== of) broken.push(`the blob ${of} of ${said} is not there whole`);
        }
        const { config } = JSON.parse((await blob(manifest.config.digest)).toString()) as { config?: { Labels?: Record<string, string> } };
        return [
          ...broken,
          ...unless(digestOf(bytes) === digest, `the manifest of ${said} has another digest`),
          ...unless(config?.Labels?.['org.opencontainers.image.revision'] === sha, 'the label does not name the commit'),
        ];
      },
    });
  },
};

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
