import { execFileSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { job } from '@slashtrain/core/kinds/job';
import { parseImageName } from '@slashtrain/core/registry/image-name';
import { Registries } from '@slashtrain/core/registry/registries';
import { isIndex } from '@slashtrain/core/registry/media-types';
import { runBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import {
  buildahPlace,
  has,
  programFiles,
  pushMachineImage,
  startBuildkitd,
  startDockerd,
  systemFiles,
  type Daemon,
} from '../support/builders.ts';
import { keptLog } from '../support/kubernetes.ts';
import { succeeded } from '../support/steps.ts';
import { filesOf, openTarget, unique, type Target } from '../support/targets.ts';

/*
 * Images by every builder, from the bundle to a pod of a real cluster. Docker, buildah and buildkitd are started with
 * data of their own; what is not installed is skipped with a line.
 */
const namespaces: Resource = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
const namespace = unique('slashtrain-build');
const registries = new Registries();
const started: Daemon[] = [];
let target: Target;
let client: KubernetesClient;
let github: FakeGitHub;
let base: string;

const dockerfile = `ARG BASE
FROM \${BASE} AS code
WORKDIR /app
COPY . .
RUN node train.js --epochs 1 > build.log
FROM code AS unused
FROM code
CMD ["node", "train.js", "--epochs", "2"]
`;

beforeAll(async () => {
  target = await openTarget('real');
  client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
  await client.create<KubernetesObject>(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  github = await startGitHub();
  base = `${target.registry}/${namespace}/base:1`;
  await pushMachineImage(
    base,
    { ...systemFiles(), ...programFiles(process.execPath, 'usr/local/bin/node') },
    { Env: ['PATH=/usr/local/bin:/usr/bin:/bin'] },
  );
});
afterEach(async () => {
  for (const daemon of started.splice(0)) await daemon.stop();
});
afterAll(async () => {
  await client.delete(namespaces, '', namespace);
  await github.close();
  await target.close();
});

const digits = (files: Record<string, string>): Repository =>
  github.createRepository({
    owner: 'acme',
    name: unique('digits'),
    files: { ...filesOf('examples/digits'), '.dockerignore': '*.md\nDockerfile*\n', ...files },
  });

function build(repository: Repository, inputs: Record<string, string>, env: Record<string, string> = {}): Promise<BundleResult> {
  const { owner, name, id } = repository;
  return runBundle({
    action: 'build-image',
    github: { url: github.url, token: github.token({ contents: 'read' }, { repository }), repository: { owner, name, id } },
    inputs,
    env,
  });
}

/** Runs an image as it is to its end. @returns whether its pod succeeded */
async function runs(image: string, command?: string[]): Promise<boolean> {
  const name = unique('run');
  const container = { name: 'main', image, ...(command ? { command } : {}) };
  await client.create<KubernetesObject>(job.resource, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace },
    spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [container] } } },
  });
  for (;;) {
    const found = await client.get<KubernetesObject & { status?: { succeeded?: number; failed?: number } }>(job.resource, namespace, name);
    if (found?.status?.succeeded) return true;
    if (found?.status?.failed) return false;
    await new Promise((done) => setTimeout(done, 200));
  }
}

/** All that a registry has of an image: manifests, configurations and unpacked layers. */
async function contentOf(image: string): Promise<Buffer> {
  const { registry: host, repository, digest = '' } = parseImageName(image, 'the image');
  const registry = registries.of({ registry: host });
  const top = await registry.manifest(repository, digest);
  const manifests = isIndex(top.content)
    ? await Promise.all(top.content.manifests.map((one) => registry.manifest(repository, one.digest)))
    : [top];
  const parts = [top.bytes];
  for (const { content, bytes } of manifests) {
    parts.push(bytes);
    if (isIndex(content)) continue;
    for (const blob of [content.config, ...content.layers]) {
      const chunks: Buffer[] = [];
      for await (const chunk of registry.blob(repository, blob)) chunks.push(chunk);
      const whole = Buffer.concat(chunks);
      parts.push(whole, ...(whole[0] === 0x1f && whole[1] === 0x8b ? [gunzipSync(whole)] : []));
    }
  }
  return Buffer.concat(parts);
}

const builders: [name: string, program: string, toInstall: string, start: () => Promise<Daemon>][] = [
  ['docker', 'dockerd', 'docker.io', startDockerd],
  ['buildah', 'buildah', 'buildah', async () => buildahPlace()],
  ['buildkit', 'buildkitd', "BuildKit's buildkitd and buildctl, and runc", startBuildkitd],
];
const inputsOf = (name: string, { address }: Daemon): Record<string, string> => ({
  builder: name,
  ...(name === 'buildkit' ? { buildkit: address } : {}),
});

describe.each(builders)('%s', (name, program, toInstall, start) => {
  it("builds the digits' Dockerfile, finds the image again for another commit, and a pod runs it", async () => {
    if (!has(program, toInstall)) return;
    const daemon = await start();
    started.push(daemon);
    const repository = digits({ Dockerfile: dockerfile });
    const [first, second] = ['one', 'two'].map((text) => repository.commit({ files: { 'NOTES.md': text } }));
    const inputs = {
      image: `${target.registry}/${namespace}/${name}`,
      ...inputsOf(name, daemon),
      'build-args': `BASE: ${base}`,
      labels: 'team: vision',
      tags: '[main]',
    };
    const built = await succeeded(build(repository, { ...inputs, sha: first ?? '' }, daemon.env));
    expect(built.outputs).toMatchObject({ image: expect.stringMatching(/@sha256:[0-9a-f]{64}$/u), reused: 'false' });
    expect(built.summary).toContain(`\`${base}@sha256:`);
    const image = built.outputs['image'] ?? '';
    expect((await contentOf(image)).includes('"team":"vision"')).toBe(true);

    // The builder is gone, and is not missed.
    await started.pop()?.stop();
    const again = await succeeded(build(repository, { ...inputs, sha: second ?? '', builder: 'auto' }));
    expect(again.outputs['reused']).toBe('true');
    expect(again.outputs['digest']).not.toBe(built.outputs['digest']);
    expect((await contentOf(again.outputs['image'] ?? '')).includes(`"org.opencontainers.image.revision":"${second ?? ''}"`)).toBe(true);
    expect(await Promise.all([runs(image), runs(again.outputs['image'] ?? '')])).toEqual([true, true]);
  });

  it('says what failed in its own words, and moves no tag', async () => {
    if (!has(program, toInstall)) return;
    const daemon = await start();
    started.push(daemon);
    const repository = digits({ Dockerfile: 'ARG BASE\nFROM $BASE\nRUN echo ::error::said; exit 7\n' });
    const sha = repository.commit({ files: { x: 'x' } });
    const image = `${target.registry}/${namespace}/${name}-fails`;
    const result = await build(repository, { image, ...inputsOf(name, daemon), 'build-args': `BASE: ${base}`, sha }, daemon.env);
    expect(result.code).toBe(1);
    expect(result.annotations).toHaveLength(1);
    expect(result.annotations[0]?.message).toMatch(/^\w+ build ended with [0-9]+: .*7/u);
    expect(result.summary).toContain('failed');
    expect(result.outputs).toMatchObject({ image: '', reused: 'false' });
    await expect(
      registries.of({ registry: target.registry }).manifestDigest(`${namespace}/${name}-fails`, `sha-${sha}`),
    ).resolves.toBeUndefined();
  });
});

describe.each(builders.slice(1))('a secret with %s', (name, program, toInstall, start) => {
  it('is there for the step that asks for it, and in no layer, history, label or log', async () => {
    if (!has(program, toInstall)) return;
    const daemon = await start();
    started.push(daemon);
    const secret = unique('very-secret-token');
    const text = `ARG BASE
FROM $BASE
RUN --mount=type=secret,id=token node -e 'const s = require("fs").readFileSync("/run/secrets/token"); if (s.length !== ${secret.length}) process.exit(1); console.log("" + s, s.toString("base64"), s.toString("hex"))'
`;
    const repository = digits({ Dockerfile: text });
    const sha = repository.commit({ files: { x: 'x' } });
    const image = `${target.registry}/${namespace}/${name}-secret`;
    const inputs = { image, ...inputsOf(name, daemon), 'build-args': `BASE: ${base}`, secrets: `token: ${secret}`, sha };
    const { outputs, stdout, stderr, summary } = await succeeded(build(repository, inputs, daemon.env));
    const content = await contentOf(outputs['image'] ?? '');
    const log = (stdout + stderr)
      .split('\n')
      .filter((line) => !line.startsWith('::add-mask::'))
      .join('\n');
    expect(log).toContain('*** *** ***');
    for (const form of [secret, Buffer.from(secret).toString('base64').replace(/=+$/u, ''), Buffer.from(secret).toString('hex')]) {
      expect(content.includes(form)).toBe(false);
      expect(log + summary + JSON.stringify(outputs)).not.toContain(form);
    }
  });
});

describe('the layer builder', () => {
  it('makes of a base in another repository and of one in another registry the same image, which everything can read', async () => {
    const repository = digits({});
    const sha = repository.commit({ files: { x: 'x' } });
    const inputs = { base, sha, entrypoint: '[node, train.js]', command: '["--epochs", "2"]' };
    const { outputs, summary } = await succeeded(build(repository, { ...inputs, image: `${target.registry}/${namespace}/layer` }));
    const image = outputs['image'] ?? '';
    expect(summary).toContain('Mounted within the registry');
    expect(await runs(image)).toBe(true);

    if (has('skopeo', 'skopeo')) {
      const shown = JSON.parse(execFileSync('skopeo', ['inspect', '--tls-verify=false', `docker://${image}`], { encoding: 'utf8' })) as {
        Digest: string;
        Labels: Record<string, string>;
      };
      expect(shown).toMatchObject({ Digest: outputs['digest'], Labels: { 'org.opencontainers.image.revision': sha } });
    }
    if (has('dockerd', 'docker.io')) {
      const daemon = await startDockerd();
      started.push(daemon);
      const env = { ...process.env, ...daemon.env };
      execFileSync('docker', ['pull', '--quiet', image], { env, stdio: 'pipe' });
      const run = ['run', '--rm', '--network', 'none', image];
      expect(execFileSync('docker', run, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })).toContain('slashtrain-metric');
    }
    if (has('buildah', 'buildah')) {
      const place = buildahPlace();
      started.push(place);
      execFileSync('buildah', ['pull', '--quiet', '--tls-verify=false', image], { env: { ...process.env, ...place.env }, stdio: 'pipe' });
    }
  });
});
