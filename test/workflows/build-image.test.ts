import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseImageName } from '@slashtrain/core/registry/image-name';
import {
  docker,
  oci,
  type ContainerConfig,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
} from '@slashtrain/core/registry/media-types';
import { readImage, Registries } from '@slashtrain/core/registry/registries';
import { bytesSource, placeBlob } from '@slashtrain/core/registry/upload';
import { digestOf } from '@slashtrain/core/registry/digest';
import { startBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { registryImages } from '@slashtrain/testing/registry/images';
import { startRegistry, type RegistryServerOptions, type TestRegistry } from '@slashtrain/testing/registry/server';

const real = process.env['SLASHTRAIN_REGISTRY'];
// A program of the machine, where it has it: https://github.com/containers/skopeo
const tool = 'skopeo';
if (!real) process.stdout.write('skipped: build-image into a real registry; set SLASHTRAIN_REGISTRY=host:port\n');

let github: FakeGitHub;
let repository: Repository;
let token: string;
let sha: string;
let folder: string;
const open: TestRegistry[] = [];

beforeAll(async () => {
  github = await startGitHub();
  repository = github.createRepository({
    owner: 'acme',
    name: 'digits',
    files: {
      'train.js': 'console.log(1)\n',
      'run.sh': { mode: '100755', content: '#!/bin/sh\n' },
      latest: { mode: '120000', content: 'data/a.csv' },
      'data/a.csv': '1,2\n',
      'data/secret.env': 'left out',
      '.dockerignore': '**/*.env\n',
      'empty/.dockerignore': '*\n',
    },
  });
  token = github.token({ contents: 'read' }, { repository });
  sha = repository.commit({ files: { 'more.txt': 'x' }, date: Date.parse('2026-05-06T07:08:09Z') });
});
afterAll(() => github.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slashtrain-build-'));
});
afterEach(async () => {
  for (const registry of open.splice(0)) await registry.close();
  rmSync(folder, { recursive: true });
});

async function start(options?: RegistryServerOptions): Promise<TestRegistry> {
  const registry = await startRegistry(options);
  open.push(registry);
  return registry;
}

interface Run {
  inputs: Record<string, string>;
  env?: Record<string, string>;
  token?: string;
}
const running = ({ inputs, env, token: own }: Run): ReturnType<typeof startBundle> =>
  startBundle({
    action: 'build-image',
    inputs: { sha, ...inputs },
    ...(env ? { env } : {}),
    github: { url: github.url, token: own ?? token, repository: { owner: 'acme', name: 'digits', id: repository.id } },
    actor: 'alice',
  });
const build = (inputs: Record<string, string>, more: Omit<Run, 'inputs'> = {}): Promise<BundleResult> =>
  running({ inputs, ...more }).result;
const succeed = async (inputs: Record<string, string>, more?: Omit<Run, 'inputs'>): Promise<BundleResult> => {
  const result = await build(inputs, more);
  if (result.code !== 0) throw new Error(result.shown);
  return result;
};

const registries = new Registries();
async function configOf(image: string): Promise<{ config: ImageConfig; inner: ContainerConfig; manifest: ImageManifest }> {
  const { config, manifest } = await readImage(registries, parseImageName(image, 'the image'));
  return { config, inner: config.config ?? {}, manifest: manifest.content as ImageManifest };
}
const writes = (registry: TestRegistry): string[] =>
  registry.requests
    .filter(({ method }) => !['GET', 'HEAD'].includes(method))
    .map(({ method, path }) => `${method} ${path.replace(/uploads\/.+/u, 'uploads/…')}`);
/** Without those by which an image of the same inputs is found. */
const tagsOf = async (host: string, name: string): Promise<string[]> =>
  (await registries.of({ registry: host }).tags(name)).filter((tag) => !/^(?:inputs|packages)-/u.test(tag));

describe.each([['embedded'], ...(real ? [['real']] : [])])('build-image into the %s registry', (kind) => {
  let host: string;
  let name: string;
  beforeEach(async () => {
    host = kind === 'real' ? (real ?? '') : (await start()).host;
    name = `acme/${randomBytes(4).toString('hex')}`;
  });

  it('puts the commit on a base of another registry, by digest, with labels and tags', async () => {
    const other = await start();
    const base = await other.pushBase('node:24', {
      files: { 'bin/node': { content: 'node', mode: 0o755 }, 'app/old.js': 'of the base' },
      config: {
        Env: ['PATH=/bin', 'MODE=base'],
        Entrypoint: ['/bin/entry'],
        Cmd: ['sh'],
        User: '1000',
        WorkingDir: '/',
        Labels: { vendor: 'base' },
      },
    });
    const result = await succeed({
      image: `${host}/${name}:main`,
      base: `${other.host}/node:24`,
      entrypoint: '[node]',
      command: '[train.js, "--epochs", "20"]',
      env: 'MODE: "1.10"\nEXTRA: yes',
      labels: 'team: vision',
      tags: '[pr-42]',
    });
    const image = result.outputs['image'] ?? '';
    expect(image).toMatch(new RegExp(`^${host}/${name}@sha256:[0-9a-f]{64}$`, 'u'));
    expect(result.outputs).toEqual({
      image,
      digest: image.slice(image.indexOf('@') + 1),
      tags: JSON.stringify([`sha-${sha}`, 'main', 'pr-42'].map((tag) => `${host}/${name}:${tag}`)),
      images: '{}',
      manifest: '',
      reused: 'false',
    });
    expect(await tagsOf(host, name)).toEqual(['main', 'pr-42', `sha-${sha}`]);
    for (const tag of ['main', 'pr-42', `sha-${sha}`])
      expect(await registries.of({ registry: host }).manifestDigest(name, tag)).toBe(result.outputs['digest']);

    const { config, inner, manifest } = await configOf(image);
    expect(inner).toEqual({
      Env: ['PATH=/bin', 'MODE=1.10', 'EXTRA=yes'],
      Entrypoint: ['node'],
      Cmd: ['train.js', '--epochs', '20'],
      User: '1000',
      WorkingDir: '/app',
      Labels: {
        vendor: 'base',
        team: 'vision',
        'org.opencontainers.image.revision': sha,
        'org.opencontainers.image.source': `${github.url}/acme/digits`,
        'org.opencontainers.image.created': '2026-05-06T07:08:09Z',
        'org.opencontainers.image.base.name': `${other.host}/node:24`,
        'org.opencontainers.image.base.digest': base.slice(base.indexOf('@') + 1),
        'dev.slashtrain.inputs': expect.stringMatching(/^[0-9a-f]{64}$/u),
        'dev.slashtrain.request': expect.stringMatching(/^[0-9a-f]{64}$/u),
      },
    });
    expect(config.created).toBe('2026-05-06T07:08:09Z');
    expect(config.history).toHaveLength(2);
    expect(config.rootfs.diff_ids).toHaveLength(2);
    expect(manifest.layers).toHaveLength(2);

    if (kind === 'embedded') {
      await registryImages(host).pull(image, folder);
      expect(readdirSync(join(folder, 'app')).sort()).toEqual([
        '.dockerignore',
        'data',
        'empty',
        'latest',
        'more.txt',
        'old.js',
        'run.sh',
        'train.js',
      ]);
      expect(readdirSync(join(folder, 'app/data'))).toEqual(['a.csv']);
      expect(readFileSync(join(folder, 'app/latest'), 'utf8')).toBe('1,2\n');
      expect(statSync(join(folder, 'app/run.sh')).mode & 0o777).toBe(0o755);
      expect(readFileSync(join(folder, 'bin/node'), 'utf8')).toBe('node');
    }
    expect(result.summary).toContain(image);
    expect(result.summary).toMatch(/\| Layer \| 7 files/u);
    expect(result.shown).not.toContain(token);
    // The outputs are whole: no mask hides them from the next job.
    expect(result.masks.filter((mask) => image.includes(mask))).toEqual([]);
  });

  it('finds the image of the same inputs, and uploads nothing', async () => {
    const inputs = { image: `${host}/${name}`, base: 'scratch', command: '[a]' };
    const first = await succeed(inputs);
    const asked = github.requests.length;
    const again = await succeed({ ...inputs, tags: '[newer]' });
    expect(again.outputs).toEqual({
      ...first.outputs,
      reused: 'true',
      tags: JSON.stringify([`sha-${sha}`, 'newer'].map((tag) => `${host}/${name}:${tag}`)),
    });
    expect(github.requests.length).toBe(asked);
    expect(await registries.of({ registry: host }).manifestDigest(name, 'newer')).toBe(first.outputs['digest']);
    if (kind === 'embedded') {
      const registry = open.find((one) => one.host === host);
      registry?.requests.splice(0);
      await succeed({ ...inputs, tags: '[newer]' });
      expect(registry && writes(registry)).toEqual([]);
    }
    const other = await succeed({ ...inputs, command: '[b]' });
    expect(other.outputs['reused']).toBe('false');
    expect(other.outputs['digest']).not.toBe(first.outputs['digest']);
  });

  it('keeps the layers of another commit with the same files, with a configuration of its own', async () => {
    const inputs = { image: `${host}/${name}`, base: 'scratch', context: 'data', command: '[a]' };
    const first = await succeed(inputs);
    const other = repository.commit({ branch: 'other', files: { 'README.md': 'outside' }, date: Date.parse('2026-05-07T00:00:00Z') });
    const second = await succeed({ ...inputs, sha: other });
    expect(second.outputs['reused']).toBe('true');
    expect(second.outputs['digest']).not.toBe(first.outputs['digest']);
    const [one, two] = [await configOf(first.outputs['image'] ?? ''), await configOf(second.outputs['image'] ?? '')];
    expect(two.manifest.layers).toEqual(one.manifest.layers);
    expect(two.inner.Labels).toMatchObject({
      'org.opencontainers.image.revision': other,
      'org.opencontainers.image.created': '2026-05-07T00:00:00Z',
    });
    expect(await tagsOf(host, name)).toEqual([`sha-${other}`, `sha-${sha}`].sort());
    expect(second.summary).toContain('| Reused | yes |');
    // It is the image that a build makes, to the byte.
    const built = await succeed({ ...inputs, sha: other, reuse: 'false', 'dry-run': 'true' });
    expect(built.outputs).toMatchObject({ digest: second.outputs['digest'], reused: 'false' });
  });

  it('makes the same digest in another registry', async () => {
    const other = await start();
    await other.pushBase('node:24', { files: { x: 'x' } });
    const inputs = { base: `${other.host}/node:24`, command: '[node, train.js]', env: 'A: b' };
    const [one, two] = [
      await succeed({ ...inputs, image: `${host}/${name}` }),
      await succeed({ ...inputs, image: `${(await start()).host}/another` }),
    ];
    expect(two.outputs['reused']).toBe('false');
    expect(two.outputs['digest']).toBe(one.outputs['digest']);
  });

  if (kind === 'real') {
    it('makes what skopeo reads', async () => {
      const skopeo = (...args: string[]): string => execFileSync(tool, args, { encoding: 'utf8' });
      try {
        skopeo('--version');
      } catch {
        process.stdout.write('skipped: skopeo is not installed\n');
        return;
      }
      const other = await start();
      await other.pushBase('base:1', { files: { x: 'x' } });
      const { outputs } = await succeed({ image: `${host}/${name}`, base: `${other.host}/base:1` });
      const shown = JSON.parse(skopeo('inspect', '--tls-verify=false', `docker://${outputs['image'] ?? ''}`)) as {
        Digest: string;
        Labels: Record<string, string>;
        Layers: string[];
      };
      expect(shown).toMatchObject({ Digest: outputs['digest'], Labels: { 'org.opencontainers.image.revision': sha } });
      expect(shown.Layers).toHaveLength(2);
      // Copies every blob and checks each against its digest.
      skopeo('copy', '--src-tls-verify=false', `docker://${outputs['image'] ?? ''}`, `oci:${join(folder, 'copy')}:x`);
    });
  }
});

describe('the base', () => {
  it('of the same registry is mounted: none of its bytes move', async () => {
    const registry = await start();
    const base = await registry.pushBase('node:24', { files: { big: randomBytes(200_000) } });
    registry.requests.length = 0;
    const { summary } = await succeed({ image: `${registry.host}/acme/x`, base });
    expect(registry.requests.filter(({ path, method }) => path.startsWith('/v2/node/blobs/') && method === 'GET')).toHaveLength(1);
    expect(registry.requests.reduce((total, { received, sent }) => total + received + sent, 0)).toBeLessThan(50_000);
    expect(summary).toContain('| Mounted within the registry | 1 blobs');
  });

  /** An index of several platforms, of OCI's or Docker's types, with an attestation and an image for Windows. */
  async function pushIndex(registry: TestRegistry, family: typeof oci | typeof docker): Promise<void> {
    const client = registries.of({ registry: registry.host });
    const manifests: object[] = [];
    for (const [os, architecture, variant] of [
      ['linux', 'amd64'],
      ['linux', 'arm64', 'v8'],
      ['windows', 'amd64'],
      ['unknown', 'unknown'],
    ] as const) {
      const config = Buffer.from(
        JSON.stringify({
          os,
          architecture,
          ...(variant ? { variant } : {}),
          rootfs: { type: 'layers', diff_ids: [] },
          config: { Env: [`ARCH=${architecture}`] },
        }),
      );
      await placeBlob(client, 'multi', bytesSource(digestOf(config), config));
      const bytes = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: family.manifest,
          config: { mediaType: family.config, digest: digestOf(config), size: config.length },
          layers: [],
        }),
      );
      await client.putManifest('multi', digestOf(bytes), bytes, family.manifest);
      manifests.push({
        mediaType: family.manifest,
        digest: digestOf(bytes),
        size: bytes.length,
        platform: { os, architecture, ...(variant ? { variant } : {}) },
      });
    }
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: family.index, manifests }));
    await client.putManifest('multi', '1', index, family.index);
  }

  it.each([
    ["OCI's", oci],
    ["Docker's", docker],
  ] as const)('of several platforms stays an index, of %s types', async (_name, family) => {
    const registry = await start();
    await pushIndex(registry, family);
    const result = await succeed({ image: `${registry.host}/acme/x`, base: `${registry.host}/multi:1` });
    const client = registries.of({ registry: registry.host });
    const top = await client.manifest('acme/x', result.outputs['digest'] ?? '');
    expect(top.mediaType).toBe(family.index);
    const { manifests } = top.content as ImageIndex;
    expect(manifests.map(({ platform, mediaType }) => [platform, mediaType])).toEqual([
      [{ os: 'linux', architecture: 'amd64' }, family.manifest],
      [{ os: 'linux', architecture: 'arm64', variant: 'v8' }, family.manifest],
    ]);
    const layers = await Promise.all(
      manifests.map(async ({ digest }) => {
        const { content } = await client.manifest('acme/x', digest);
        const { config, layers: own } = content as ImageManifest;
        expect(config.mediaType).toBe(family.config);
        expect((JSON.parse((await client.smallBlob('acme/x', config)).toString()) as ImageConfig).config?.Env?.[0]).toMatch(/^ARCH=a/u);
        return own;
      }),
    );
    expect(layers[0]).toEqual(layers[1]);
    expect(layers[0]?.[0]?.mediaType).toBe(family.layer);
    expect(result.annotations.map(({ message }) => message)).toEqual([
      '1 attestations of the base are left out, since they are about the base alone',
      '1 platforms of the base other than Linux are left out',
    ]);
  });

  it('of several platforms becomes one image where one is wanted', async () => {
    const registry = await start();
    await pushIndex(registry, oci);
    const result = await succeed({ image: `${registry.host}/acme/x`, base: `${registry.host}/multi:1`, platforms: 'linux/arm64' });
    const { config } = await configOf(result.outputs['image'] ?? '');
    expect(config).toMatchObject({ os: 'linux', architecture: 'arm64', variant: 'v8' });
    const both = await succeed({
      image: `${registry.host}/acme/x`,
      base: `${registry.host}/multi:1`,
      platforms: 'linux/arm64, linux/amd64',
    });
    expect(both.outputs['digest']).not.toBe(result.outputs['digest']);
  });

  it.each([
    ['linux/s390x', 'is not for linux/s390x', 'it is for linux/amd64, linux/arm64/v8, windows/amd64'],
    ['windows/amd64', 'Linux images alone', 'choose a Linux base'],
  ])('without the platform %s is refused', async (platforms, message, remedy) => {
    const registry = await start();
    await pushIndex(registry, oci);
    const result = await build({ image: `${registry.host}/acme/x`, base: `${registry.host}/multi:1`, platforms });
    expect(result).toMatchObject({ code: 1 });
    expect(result.annotations[0]?.message).toContain(message);
    expect(result.annotations[0]?.message).toContain(remedy);
  });
});

describe('several images', () => {
  it('are built by one step, in a map that submit-pipeline takes', async () => {
    const registry = await start();
    const result = await succeed({
      image: `${registry.host}/Acme/x`,
      base: 'scratch',
      images: 'train: {command: [node, train.js], env: {A: "1.10"}}\nData: {context: data, tags: [t]}\nother: {image: HOST/o}'.replace(
        'HOST',
        registry.host,
      ),
    });
    const images = JSON.parse(result.outputs['images'] ?? '') as Record<string, string>;
    expect(Object.keys(images).sort()).toEqual(['Data', 'other', 'train']);
    expect(images['train']).toMatch(new RegExp(`^${registry.host}/acme/x-train@sha256:`, 'u'));
    expect(images['Data']).toMatch(new RegExp(`^${registry.host}/acme/x-data@sha256:`, 'u'));
    expect(images['other']).toMatch(new RegExp(`^${registry.host}/o@sha256:`, 'u'));
    expect((await configOf(images['train'] ?? '')).inner).toMatchObject({ Cmd: ['node', 'train.js'], Env: ['A=1.10'] });
    expect(result.outputs).toMatchObject({ image: '', digest: '', reused: 'false' });
    expect(JSON.parse(result.outputs['tags'] ?? '')).toContain(`${registry.host}/acme/x-data:t`);
    // One download of the commit for all of them.
    expect(result.annotations.map(({ message }) => message)).toContain(
      `the image is called ${registry.host}/acme/x-train, since registries know no capitals: ${registry.host}/Acme/x-train`,
    );
  });

  it('of which one fails: the others are there, and the outputs and the summary say it', async () => {
    const registry = await start();
    const result = await build({
      image: `${registry.host}/acme/x`,
      base: 'scratch',
      images: '{good: {}, bad: {context: nowhere}}',
    });
    expect(result.code).toBe(1);
    expect(Object.keys(JSON.parse(result.outputs['images'] ?? '') as object)).toEqual(['good']);
    expect(result.outputs['reused']).toBe('false');
    expect(result.annotations.at(-1)?.message).toContain('1 of 2 images failed: bad: input "context" is "nowhere"');
    expect(result.summary).toContain('### Image `bad` failed');
    expect(result.summary).toContain('### Image `good`');
  });
});

describe('a notebook', () => {
  const fixture = (name: string): string =>
    readFileSync(join(import.meta.dirname, `../../actions/build-image/src/notebook/fixtures/${name}.ipynb`), 'utf8');
  const plain = fixture('plain');

  it('is in the image as a script, which is its command; another run of it makes no other image', async () => {
    const registry = await start();
    const base = await registry.pushBase('python:3', {
      config: { Env: ['PYTHON_VERSION=3.12.1'], Entrypoint: ['/init'], Cmd: ['python3'] },
    });
    const files = { 'work/Line fit.ipynb': plain, 'work/data.csv': '1\n', 'work/old.ipynb': fixture('steps') };
    const first = repository.commit({ branch: 'notebook', files });
    const inputs = { image: `${registry.host}/acme/x`, base, notebook: 'work/Line fit.ipynb' };
    const { outputs, shown } = await succeed({ ...inputs, sha: first });
    expect(shown).toContain('notebook work/Line fit.ipynb: work/Line fit.py of 4 cells');
    const image = outputs['image'] ?? '';
    const { inner } = await configOf(image);
    expect(inner).toMatchObject({ Entrypoint: ['/init'], Cmd: ['python3', '/app/work/Line fit.py'], WorkingDir: '/app/work' });
    await registryImages(registry.host).pull(image, folder);
    expect(readdirSync(join(folder, 'app/work')).sort()).toEqual(['Line fit.py', 'data.csv', 'old.ipynb']);
    expect(readFileSync(join(folder, 'app/work/Line fit.py'), 'utf8')).toContain('\n# %% cell 5\nepochs, rate = 3, 0.1\n');

    const again = repository.commit({
      branch: 'notebook',
      files: { ...files, 'work/Line fit.ipynb': plain.replace(/"execution_count": 1/u, '"execution_count": 7') },
    });
    expect((await succeed({ ...inputs, sha: again })).outputs['reused']).toBe('true');
    const own = await succeed({ ...inputs, sha: again, command: '[python3, other.py]', notebook: 'work/old.ipynb' });
    expect((await configOf(own.outputs['image'] ?? '')).inner.Cmd).toEqual(['python3', 'other.py']);
    // Its cells are tagged as steps, and so it comes with a Workflow, also when the image was there already.
    const found = await succeed({ ...inputs, sha: again, command: '[python3, other.py]', notebook: 'work/old.ipynb' });
    expect(found.outputs).toEqual({ ...own.outputs, reused: 'true' });
    const manifest = own.outputs['manifest'] ?? '';
    const { spec } = JSON.parse(manifest) as { spec: { templates: { name: string; container?: { image: string } }[] } };
    expect(spec.templates.map((template) => template.name)).toEqual(['all', 'prepare', 'sum', 'find-max', 'tell']);
    expect(spec.templates[1]?.container?.image).toBe(own.outputs['image']);
    expect(outputs['manifest']).toBe('');
  });

  it('that installs packages needs to know the Python; one that is a command for a shell says where', async () => {
    const registry = await start();
    const texts = {
      'a.ipynb': plain.replace('import json\\n', '%pip install six\\n'),
      'b.ipynb': plain.replace('import json\\n', '!ls *\\n'),
    };
    const own = repository.commit({ branch: 'installs', files: texts });
    const inputs = { image: `${registry.host}/acme/x`, base: 'scratch', sha: own };
    // Whether this machine has one or not.
    const bin = mkdtempSync(join(folder, 'bin-'));
    writeFileSync(join(bin, 'pip'), '#!/bin/sh\necho "pip 25.0 from /pip (python 3.12)"\n', { mode: 0o755 });
    const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    expect((await build({ ...inputs, notebook: 'a.ipynb' }, { env })).annotations[0]?.message).toContain(
      'the base does not say its version of Python',
    );
    expect((await build({ ...inputs, notebook: 'b.ipynb' })).annotations[0]?.message).toContain(
      'b.ipynb, cell 2, line 1 has "!ls *": it is for a shell',
    );
    expect(writes(registry)).toEqual([]);
  });
});

describe('what is refused', () => {
  // All inputs that are wrong stand beside their reader; these say that what it throws is told.
  it.each([
    [{ labels: 'dev.slashtrain.inputs: x' }, 'which build-image sets'],
    [{ sha: '' }, 'input "sha" is required'],
  ])('%j', async (inputs, message) => {
    const result = await build({ image: 'localhost:1/acme/digits', base: 'scratch', ...inputs });
    expect(result.code).toBe(1);
    expect(result.annotations).toHaveLength(1);
    expect(result.annotations[0]?.message).toContain(message);
    expect(result.summary).toContain('### Image failed');
    expect(result.outputs).toMatchObject({ image: '', digest: '', images: '{}', reused: 'false' });
  });

  it.each([
    ['a base that is not there', { base: 'HOST/none:1' }, 'has no image'],
    ['a base for another platform', { base: 'HOST/base:1', platforms: 'linux/s390x' }, 'is not for linux/s390x'],
    ['a context that is not in the commit', { context: 'nowhere' }, 'its folders are: data, empty'],
    ['an empty context', { context: 'empty' }, 'nothing is left of the context "empty"'],
    ['no base and no Dockerfile', { base: '' }, 'there is no "Dockerfile" in the commit to build from either'],
    ['a Dockerfile that is not there', { builder: 'buildah', file: 'x/Dockerfile' }, 'there is no Dockerfile at "x/Dockerfile"'],
    [
      'a command for a Dockerfile',
      { builder: 'docker', command: '[a]' },
      'input "command" is given, and the image is built from a Dockerfile',
    ],
    ['a notebook that is not there', { notebook: 'train.ipynb' }, 'which is not there in the context; it has no notebooks'],
    ['packages of a file that is not there', { dependencies: 'absent.txt' }, '"absent.txt" is not in the context'],
    ['a commit that is not there', { sha: 'a'.repeat(40) }, `no archive of ${'a'.repeat(40)}`],
  ])('%s, and nothing is written', async (_name, inputs, message) => {
    const registry = await start();
    await registry.pushBase('base:1');
    const own = Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, value.replace('HOST', registry.host)]));
    const result = await build({ image: `${registry.host}/acme/x`, base: 'scratch', ...own });
    expect(result.code).toBe(1);
    expect(result.annotations[0]?.message).toContain(message);
    expect(writes(registry)).toEqual([]);
    expect(result.outputs['reused']).toBe('false');
    expect(readdirSync(result.temp).filter((entry) => entry.startsWith('slashtrain-image'))).toEqual([]);
  });

  it('a token that may not read', async () => {
    const registry = await start();
    const result = await build(
      { image: `${registry.host}/acme/x`, base: 'scratch' },
      { token: github.token({ issues: 'write' }, { repository }) },
    );
    expect(result.annotations[0]?.message).toContain('contents: read');
  });
});

describe('a registry that refuses or breaks', () => {
  const access = {
    kind: 'bearer' as const,
    users: { alice: 'a-secret', bob: 'b-secret' },
    may: (user: string | undefined, action: string) => user === 'alice' || (user === 'bob' && action === 'pull'),
  };

  it('without the right to push says which, where, and nothing is tagged', async () => {
    const registry = await start({ access });
    const result = await build({ image: `${registry.host}/acme/x`, base: 'scratch', username: 'bob', password: 'b-secret' });
    expect(result.code).toBe(1);
    expect(result.annotations[0]?.message).toContain(`the registry ${registry.host} refused "push" on acme/x`);
    expect(result.shown).not.toContain('b-secret');
    const anonymous = await build({ image: `${registry.host}/acme/x`, base: 'scratch' });
    expect(anonymous.annotations[0]?.message).toContain('log in before this step');
  });

  it("takes docker's login, and hides it", async () => {
    const registry = await start({ access });
    const auth = Buffer.from('alice:a-secret').toString('base64');
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
    const result = await succeed({ image: `${registry.host}/acme/x`, base: 'scratch' }, { env: { DOCKER_CONFIG: folder } });
    expect(result.outputs['digest']).toMatch(/^sha256:/u);
    expect(result.shown).not.toMatch(/a-secret/u);
    expect(result.masks).toEqual(expect.arrayContaining(['a-secret', auth]));
  });

  it('breaks for good within the layer: an error, and nothing is tagged', async () => {
    const registry = await start();
    const big = repository.commit({ branch: 'big', files: { noise: randomBytes(300_000) } });
    registry.fault = ({ method }) => (method === 'PUT' ? { cutAfter: 1000 } : undefined);
    const result = await build({ image: `${registry.host}/acme/x:main`, base: 'scratch', sha: big });
    expect(result.code).toBe(1);
    expect(result.annotations[0]?.message).toMatch(/took the blob sha256:[0-9a-f]+ for acme\/x five times and never whole/u);
    registry.fault = undefined;
    expect(writes(registry).filter((write) => write.includes('/manifests/'))).toEqual([]);
    // Once it is back, the same step goes through.
    const again = await succeed({ image: `${registry.host}/acme/x:main`, base: 'scratch', sha: big });
    expect(await tagsOf(registry.host, 'acme/x')).toEqual(['main', `sha-${big}`]);
    expect(again.outputs['reused']).toBe('false');
  });

  it('that cuts and refuses now and then is outlasted', async () => {
    const [registry, other] = [await start(), await start()];
    await other.pushBase('base:1', { files: { noise: randomBytes(500_000) } });
    const cutOnce = (): ((request: {
      method: string;
      path: string;
    }) => { cutAfter: number } | { status: number; headers: Record<string, string> } | undefined) => {
      const seen = new Set<string>();
      return ({ method, path }) => {
        const key = `${method} ${path.replace(/[0-9a-f]{8}-.*/u, '')}`;
        if (seen.has(key)) return undefined;
        seen.add(key);
        return method === 'PUT' || (method === 'GET' && path.includes('/blobs/'))
          ? { cutAfter: 200 }
          : { status: 429, headers: { 'retry-after': '0' } };
      };
    };
    registry.fault = cutOnce();
    other.fault = cutOnce();
    const result = await succeed({ image: `${registry.host}/acme/x`, base: `${other.host}/base:1` });
    await registryImages(registry.host).pull(result.outputs['image'] ?? '', folder);
    expect(statSync(join(folder, 'noise')).size).toBe(500_000);
  });

  it('that breaks here and there, and forgets who we are, is outlasted', async () => {
    const [registry, other] = [await start({ access }), await start()];
    await other.pushBase('base:1', { files: { noise: randomBytes(500_000) } });
    const isFirst = (): ((what: string) => boolean) => {
      const seen = new Set<string>();
      return (what) => !seen.has(what) && Boolean(seen.add(what));
    };
    const [ours, theirs] = [isFirst(), isFirst()];
    // The blobs and then the manifests come with tokens that have just expired; the token server and the base's registry break.
    registry.fault = ({ method, path }) => {
      if (method === 'PUT' && ours(path.includes('/manifests/') ? 'manifests' : 'blobs')) registry.expireTokens();
      return path === '/token' && ours(path) ? { status: 502, headers: { 'retry-after': '0' } } : undefined;
    };
    other.fault = ({ path }) => (theirs(path) ? { status: 500, headers: { 'retry-after': '0' } } : undefined);
    const login = { username: 'alice', password: 'a-secret' };
    const result = await succeed({ image: `${registry.host}/acme/x:main`, base: `${other.host}/base:1`, ...login });
    expect(other.requests.filter(({ status }) => status === 500)).toHaveLength(3);
    const answered = (status: number): number => registry.requests.filter((request) => request.status === status).length;
    expect(answered(502)).toBe(1);
    expect(answered(401)).toBeGreaterThan(2);
    registry.fault = undefined;
    const reader = new Registries({ credentials: async () => login });
    expect((await readImage(reader, parseImageName(result.outputs['image'] ?? '', 'it'))).digest).toBe(result.outputs['digest']);
  });

  it.each([401, 403, 500])('that answers %i to the image itself: an error, and no tag', async (status) => {
    const registry = await start();
    registry.fault = ({ method, path }) =>
      method === 'PUT' && path.includes('/manifests/') ? { status, headers: { 'retry-after': '0' } } : undefined;
    const result = await build({ image: `${registry.host}/acme/x:main`, base: 'scratch', tags: '[other]' });
    expect(result.code).toBe(1);
    expect(result.annotations[0]?.message).toMatch(status === 500 ? /answered 500 again and again/u : /refused "push" on acme\/x/u);
    expect(result.outputs).toMatchObject({ image: '', digest: '', tags: '[]' });
    registry.fault = undefined;
    expect(await tagsOf(registry.host, 'acme/x')).toEqual([]);
  });

  it.each([
    ['configuration', 1],
    ['layer', 2],
  ])('whose base lies about the digest of a %s is refused, and nothing is tagged', async (_name, which) => {
    const [registry, other] = [await start(), await start()];
    await other.pushBase('base:1', { files: { noise: randomBytes(500_000) } });
    let blobs = 0;
    other.fault = ({ method, path }) => (method === 'GET' && path.includes('/blobs/') && ++blobs === which ? { corrupt: true } : undefined);
    const result = await build({ image: `${registry.host}/acme/x`, base: `${other.host}/base:1` });
    // The registry that gets the bytes sees it at the same moment as we do.
    expect(result.annotations[0]?.message).toMatch(/is not what its digest names|DIGEST_INVALID/u);
    expect(writes(registry).filter((write) => write.includes('manifests'))).toEqual([]);
  });

  it('that says it moved a tag and did not is not believed', async () => {
    const registry = await start();
    await registry.pushBase('acme/x:main');
    registry.fault = ({ method, path }) => (method === 'PUT' && path.endsWith('/manifests/main') ? { status: 201 } : undefined);
    const result = await build({ image: `${registry.host}/acme/x:main`, base: 'scratch' });
    expect(result.code).toBe(1);
    expect(result.annotations[0]?.message).toMatch(/the tag .*\/acme\/x:main was put as sha256:.* and names sha256:.*by digest/u);
  });

  it('is left at once when the job is cancelled', async () => {
    const registry = await start();
    const step = running({ inputs: { image: `${registry.host}/acme/x:main`, base: 'scratch' } });
    let isCancelled = false;
    registry.fault = ({ method }) => {
      if (method !== 'PUT') return undefined;
      // Two blobs are on their way, and a runner cancels once.
      if (!isCancelled) step.interrupt();
      isCancelled = true;
      return { status: 503, headers: { 'retry-after': '200' } };
    };
    const result = await step.result;
    expect(result.code).toBe(1);
    expect(result.annotations.at(-1)?.message).toContain('the runner sent SIGINT');
    expect(writes(registry).filter((write) => write.includes('manifests'))).toEqual([]);
  });
});

describe('what a person gives', () => {
  it('is data: nothing of it becomes a command, markup or a path', async () => {
    const registry = await start();
    const hostile = repository.commit({
      branch: 'hostile',
      files: {
        '$(touch x);`id`': 'x',
        '::error::x': 'y',
        '-rf': 'z',
        'a/|<b>@acme': { mode: '120000', content: '../../../|<img src=x>`' },
      },
    });
    const result = await succeed({
      image: `${registry.host}/acme/x`,
      base: 'scratch',
      sha: hostile,
      context: '.',
      destination: '/srv/$(id)',
      env: 'A: "::add-mask::x\\n::error::no"',
      labels: '"<script>": "`x`"',
    });
    const { inner } = await configOf(result.outputs['image'] ?? '');
    expect(inner.Env).toEqual(['A=::add-mask::x\n::error::no']);
    expect(inner.Labels?.['<script>']).toBe('`x`');
    expect(result.annotations.map(({ level }) => level)).toEqual(['notice']);
    expect(result.summary).not.toMatch(/<img|<script/u);
    await registryImages(registry.host).pull(result.outputs['image'] ?? '', folder);
    expect(readdirSync(join(folder, 'srv/$(id)')).sort()).toContain('$(touch x);`id`');
  });

  it('and dry-run: everything is made, nothing is written, and the digest is the one that a real run makes', async () => {
    const registry = await start();
    const inputs = { image: `${registry.host}/acme/x`, base: 'scratch' };
    const dry = await succeed({ ...inputs, 'dry-run': 'true' });
    expect(writes(registry)).toEqual([]);
    expect(dry.shown).toContain('dry run: the image would be');
    expect((await succeed(inputs)).outputs['digest']).toBe(dry.outputs['digest']);
  });
});
