import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '@slashtrain/core/action/host';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { nodeExchange } from '@slashtrain/core/registry/http';
import { formatImageName } from '@slashtrain/core/registry/image-name';
import type { Registries } from '@slashtrain/core/registry/registries';
import { fetchCommit } from './archive.ts';
import { resolveBase, scratchBase, type Base } from './base.ts';
import { compose, hashInputs } from './compose.ts';
import { readIgnoreFile, selectFiles } from './context.ts';
import type { BuildInputs } from './inputs.ts';
import { writeLayer } from './layer.ts';
import { moveTags, publish } from './publish.ts';
import { findBuilt } from './reuse.ts';
import { resultLine, summary, type Told } from './show.ts';

/** What build-image works with. */
export interface Parts {
  host: Host;
  context: GitHubContext;
  registries: Registries;
}

/** Makes the commit an image on its base and puts it into the registry, or finds it there. */
export async function main(inputs: BuildInputs, { host, context, registries }: Parts): Promise<void> {
  const started = host.now();
  const { target, sha } = inputs;
  const tags = [`sha-${sha}`, ...inputs.tags];
  host.setOutput('reused', 'false');

  const base = inputs.base === 'scratch' ? scratchBase(inputs.platforms) : await resolveBase(registries, inputs.base, inputs.platforms);
  host.log.info(`base ${base.name ? formatImageName(base.name) : 'scratch'}`);
  if (base.platforms.length > 1 && inputs.platforms.length === 0 && base.name && base.name.registry !== target.registry)
    host.log.info(`all ${base.platforms.length} platforms of the base are copied to ${target.registry}; give "platforms" to move less`);
  const source = `${context.serverUrl}/${context.owner}/${context.repo}`;
  const hash = hashInputs(inputs, base, source);

  const built = await findBuilt(registries, target, `sha-${sha}`, sha, hash);
  if (built && !inputs.isDryRun) await moveTags(registries.of(target), target.repository, built, tags);
  const told = built
    ? { base, digest: built.digest, placements: [], notices: [] }
    : await build(inputs, base, tags, { sha, source, inputs: hash }, { host, context, registries });

  await tell(host, {
    ...told,
    target,
    sha,
    tags,
    isReused: built !== undefined,
    isDryRun: inputs.isDryRun,
    seconds: (host.now() - started) / 1000,
  });
}

type Built = Pick<Told, 'base' | 'digest' | 'placements' | 'notices'> & { layer?: NonNullable<Told['layer']> };

async function build(
  inputs: BuildInputs,
  base: Base,
  tags: readonly string[],
  origin: { sha: string; source: string; inputs: string },
  { host, context, registries }: Parts,
): Promise<Built> {
  const folder = await mkdtemp(join(host.temp, 'slashtrain-image-'));
  try {
    const commit = await fetchCommit({
      context,
      sha: inputs.sha,
      token: inputs.token,
      exchange: nodeExchange(host.environment),
      patience: { signal: host.signal, onRetry: (why) => host.log.debug(`${why}; again`) },
      file: join(folder, 'content'),
    });
    try {
      const selection = selectFiles(commit, inputs.context, await readIgnoreFile(commit, inputs.context), inputs.sha);
      const layer = await writeLayer(selection.files, commit.content, inputs.settings.destination, join(folder, 'layer.tar.gz'));
      host.log.info(`layer ${layer.digest}: ${layer.files} files, ${layer.size} bytes`);
      const image = compose(base, layer, inputs.settings, { ...origin, time: commit.time });
      const placements = inputs.isDryRun ? [] : await publish({ registries, target: inputs.target, base, layer, image, tags });
      return { base, digest: image.top.digest, layer, placements, notices: [...base.notices, ...selection.notices] };
    } finally {
      await commit.content.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function tell(host: Host, told: Told): Promise<void> {
  for (const notice of told.notices) host.log.notice(notice);
  host.setOutput('image', formatImageName({ ...told.target, digest: told.digest }));
  host.setOutput('digest', told.digest);
  host.setOutput('tags', JSON.stringify(told.tags.map((tag) => formatImageName({ ...told.target, tag }))));
  host.setOutput('reused', String(told.isReused));
  host.log.info(resultLine(told));
  await host.summarise(summary(told));
}
