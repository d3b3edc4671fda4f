import { describe, expect, it } from '@jest/globals';
import { docker, oci, type ContainerConfig, type ImageConfig, type ImageManifest } from '@slashtrain/core/registry/media-types';
import { scratchBase, type Base } from './base.ts';
import { compose, hashInputs, hashRequest, type OwnLayers } from './compose.ts';
import type { ImageRequest } from './inputs.ts';
import type { ImageSettings } from './layer-inputs.ts';
import { bytes } from './show.ts';

const sha = '1'.repeat(40);
const layer = { digest: `sha256:${'b'.repeat(64)}`, diffId: `sha256:${'c'.repeat(64)}`, size: 10 };
const origin = { sha, time: new Date('2026-05-06T07:08:09Z'), source: 'https://github.com/acme/digits', inputs: 'hash' };
const settings: ImageSettings = {
  destination: '/app',
  workingFolder: '/app',
  entrypoint: undefined,
  command: undefined,
  env: new Map(),
  user: undefined,
};
const request: ImageRequest = {
  name: undefined,
  target: { registry: 'a', repository: 'b' },
  tags: [],
  builder: 'layer',
  context: '.',
  platforms: ['linux/amd64', 'linux/arm64'],
  labels: new Map(),
  mayReuse: true,
  layer: { base: 'scratch', settings, dependencies: 'auto', python: undefined, notebook: undefined, given: [] },
  dockerfile: {
    file: undefined,
    target: undefined,
    buildArgs: new Map(),
    secrets: new Map(),
    cache: undefined,
    push: true,
    load: false,
    address: undefined,
    provenance: undefined,
    sbom: undefined,
  },
};
/** The request with some of the settings changed. */
const withSettings = (own: Partial<ImageSettings>): ImageRequest => ({
  ...request,
  layer: { ...request.layer, settings: { ...settings, ...own } },
});
const baseLayer = { mediaType: oci.layer, digest: `sha256:${'a'.repeat(64)}`, size: 5 };

function baseOf(config: Partial<ImageConfig>): Base {
  return {
    name: { registry: 'ghcr.io', repository: 'acme/base', tag: '1', digest: baseLayer.digest },
    indexType: undefined,
    notices: [],
    platforms: [
      {
        platform: { os: 'linux', architecture: 'amd64' },
        mediaType: oci.manifest,
        manifest: { schemaVersion: 2, config: baseLayer, layers: [baseLayer] },
        config: { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [baseLayer.digest] }, ...config },
      },
    ],
  };
}

function composed(
  base: Base,
  own: Partial<ImageSettings> = {},
  { labels = new Map<string, string>(), packages }: { labels?: Map<string, string>; packages?: OwnLayers['packages'] } = {},
): { config: ImageConfig; inner: ContainerConfig; manifest: ImageManifest } {
  const layers = [{ files: layer, ...(packages ? { packages } : {}) }];
  const image = compose(base, layers, { ...withSettings(own), labels }, origin);
  const config = JSON.parse(image.configs[0]?.bytes.toString() ?? '') as ImageConfig;
  return { config, inner: config.config ?? {}, manifest: JSON.parse(image.top.bytes.toString()) as ImageManifest };
}

describe('the image on top of a base', () => {
  it('keeps what the base says of how it is started, and not who made it', () => {
    const said = { Entrypoint: ['/entry'], Cmd: ['sh'], Env: ['A=1'], User: '5', ExposedPorts: { '80/tcp': {} }, StopSignal: 'SIGINT' };
    const { config, inner, manifest } = composed(baseOf({ config: said, author: 'somebody', ...{ container: 'x', docker_version: '20' } }));
    expect(inner).toMatchObject(said);
    expect(Object.keys(config).sort()).toEqual(['architecture', 'config', 'created', 'os', 'rootfs']);
    expect(manifest.layers).toEqual([baseLayer, { mediaType: oci.layer, digest: layer.digest, size: 10 }]);
    expect(manifest.annotations?.['org.opencontainers.image.base.name']).toBe('ghcr.io/acme/base:1');
  });

  it.each([
    ['nothing', {}, ['/entry'], ['sh']],
    ['a command', { command: ['a'] }, ['/entry'], ['a']],
    ['an entry point', { entrypoint: ['b'] }, ['b'], null],
    ['both', { entrypoint: ['b'], command: ['a'] }, ['b'], ['a']],
    ['an empty entry point', { entrypoint: [], command: ['a'] }, [], ['a']],
  ])('with %s of ours', (_name, own, entrypoint, command) => {
    const { inner } = composed(baseOf({ config: { Entrypoint: ['/entry'], Cmd: ['sh'] } }), own);
    expect([inner.Entrypoint, inner.Cmd]).toEqual([entrypoint, command]);
  });

  it('has our variables in the place of its own', () => {
    const { inner } = composed(baseOf({ config: { Env: ['A=1', 'B=x=y', 'C'] } }), {
      env: new Map([
        ['B', '2'],
        ['D', ''],
      ]),
    });
    expect(inner.Env).toEqual(['A=1', 'B=2', 'C', 'D=']);
  });

  it('has our labels over its own, and where it is from over all', () => {
    const { inner } = composed(
      baseOf({ config: { Labels: { a: 'base', b: 'base', 'org.opencontainers.image.revision': 'of the base' } } }),
      {},
      { labels: new Map([['b', 'ours']]) },
    );
    expect(inner.Labels).toMatchObject({ a: 'base', b: 'ours', 'org.opencontainers.image.revision': sha });
  });

  it.each([
    ['one entry a layer', [{ created_by: 'base' }, { created_by: 'ENV', empty_layer: true }], 3],
    ['no history', undefined, undefined],
    ['a history of other layers', [{}, {}], undefined],
  ])('tells its history where the base has %s', (_name, history, length) => {
    expect(composed(baseOf(history ? { history } : {})).config.history?.length).toBe(length);
  });

  it('has packages below the files, and Python looks for them there', () => {
    const packages = { digest: `sha256:${'d'.repeat(64)}`, diffId: `sha256:${'e'.repeat(64)}`, size: 7 };
    const base = baseOf({ config: { Env: ['PATH=/usr/bin', 'PYTHONPATH=/base'] }, history: [{ created_by: 'base' }] });
    const { config, inner, manifest } = composed(base, { env: new Map([['A', '1']]) }, { packages });
    expect(inner.Env).toEqual(['PATH=/opt/python-packages/bin:/usr/bin', 'PYTHONPATH=/opt/python-packages:/base', 'A=1']);
    expect(manifest.layers.map(({ digest }) => digest)).toEqual([baseLayer.digest, packages.digest, layer.digest]);
    expect(config.rootfs.diff_ids).toEqual([baseLayer.digest, packages.diffId, layer.diffId]);
    expect(config.history).toHaveLength(3);
  });

  it.each([
    ['application/vnd.oci.image.layer.v1.tar+zstd', oci.manifest, oci.layer],
    ['application/vnd.docker.image.rootfs.diff.tar.gzip', docker.manifest, docker.layer],
  ])('keeps layers of the type %s, and has one of the family of %s above them', (mediaType, family, own) => {
    const base = baseOf({});
    const [only] = base.platforms;
    const below = { ...baseLayer, mediaType };
    const platforms = only ? [{ ...only, mediaType: family, manifest: { ...only.manifest, layers: [below] } }] : [];
    const { manifest } = composed({ ...base, platforms });
    expect(manifest.mediaType).toBe(family);
    expect(manifest.layers).toEqual([below, { mediaType: own, digest: layer.digest, size: 10 }]);
  });

  it('on scratch is an image, or an index of several', () => {
    const alone = compose(scratchBase([]), [{ files: layer }], request, origin);
    expect(alone.top.mediaType).toBe(oci.manifest);
    expect(JSON.parse(alone.configs[0]?.bytes.toString() ?? '')).toMatchObject({ os: 'linux', architecture: 'amd64', history: [{}] });
    const many = compose(scratchBase(['linux/amd64', 'linux/arm/v7']), [{ files: layer }, { files: layer }], request, origin);
    expect(many.top.mediaType).toBe(oci.index);
    expect(many.manifests).toHaveLength(2);
    expect(many.top.bytes.toString()).toContain('"variant":"v7"');
  });
});

describe('the hash of what was asked for', () => {
  const hash = hashRequest(request, sha, baseOf({}), 'source');

  it.each<[string, Partial<ImageRequest>]>([
    ['the context', { context: 'a' }],
    ['the platforms', { platforms: [] }],
    ['the labels', { labels: new Map([['a', 'b']]) }],
    ['the packages', { layer: { ...request.layer, dependencies: 'none' } }],
    ['the command', withSettings({ command: [] })],
    ['the variables', withSettings({ env: new Map([['a', 'b']]) })],
    ['the destination', withSettings({ destination: '/b' })],
    ['the user', withSettings({ user: '1' })],
  ])('changes with %s', (_name, change) => {
    expect(hashRequest({ ...request, ...change }, sha, baseOf({}), 'source')).not.toBe(hash);
  });

  it('changes with the base, the commit and the repository, and not with where the image goes', () => {
    expect(hashRequest(request, sha, scratchBase([]), 'source')).not.toBe(hash);
    expect(hashRequest(request, '2'.repeat(40), baseOf({}), 'source')).not.toBe(hash);
    expect(hashRequest(request, sha, baseOf({}), 'other')).not.toBe(hash);
    const same = { target: { registry: 'c', repository: 'd' }, tags: ['x'], platforms: ['linux/arm64', 'linux/amd64'] };
    expect(hashRequest({ ...request, ...same }, sha, baseOf({}), 'source')).toBe(hash);
  });
});

describe('the hash of what an image is made of', () => {
  const hash = hashInputs(request, baseOf({}), 'files', ['packages']);

  it.each([
    ['the files', hashInputs(request, baseOf({}), 'other', ['packages'])],
    ['the packages', hashInputs(request, baseOf({}), 'files', [])],
    ['the base', hashInputs(request, scratchBase([]), 'files', ['packages'])],
    ['the settings', hashInputs(withSettings({ user: '1' }), baseOf({}), 'files', ['packages'])],
  ])('changes with %s', (_name, other) => {
    expect(other).not.toBe(hash);
  });

  it('does not change with the context that the files are from', () => {
    expect(hashInputs({ ...request, context: 'a' }, baseOf({}), 'files', ['packages'])).toBe(hash);
  });
});

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 kB'],
  [1_550_000, '1.6 MB'],
  [123_456_789, '123 MB'],
  [8_000_000_000, '8 GB'],
])('%i bytes are %s', (count, text) => expect(bytes(count)).toBe(text));
