import { describe, expect, it } from '@jest/globals';
import { oci, type ContainerConfig, type ImageConfig, type ImageManifest } from '@slashtrain/core/registry/media-types';
import { scratchBase, type Base } from './base.ts';
import { compose, hashInputs } from './compose.ts';
import type { BuildInputs, ImageSettings } from './inputs.ts';
import { bytes } from './show.ts';

const sha = '1'.repeat(40);
const layer = { digest: `sha256:${'b'.repeat(64)}`, diffId: `sha256:${'c'.repeat(64)}`, size: 10 };
const origin = { sha, time: new Date('2026-05-06T07:08:09Z'), source: 'https://github.com/acme/digits', inputs: 'hash' };
const settings: ImageSettings = {
  destination: '/app',
  entrypoint: undefined,
  command: undefined,
  env: new Map(),
  labels: new Map(),
  user: undefined,
};
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

function composed(base: Base, own: Partial<ImageSettings> = {}): { config: ImageConfig; inner: ContainerConfig; manifest: ImageManifest } {
  const image = compose(base, layer, { ...settings, ...own }, origin);
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
      {
        labels: new Map([['b', 'ours']]),
      },
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

  it('on scratch is an image, or an index of several', () => {
    const alone = compose(scratchBase([]), layer, settings, origin);
    expect(alone.top.mediaType).toBe(oci.manifest);
    expect(JSON.parse(alone.configs[0]?.bytes.toString() ?? '')).toMatchObject({ os: 'linux', architecture: 'amd64', history: [{}] });
    const many = compose(scratchBase(['linux/amd64', 'linux/arm/v7']), layer, settings, origin);
    expect(many.top.mediaType).toBe(oci.index);
    expect(many.manifests).toHaveLength(2);
    expect(many.top.bytes.toString()).toContain('"variant":"v7"');
  });
});

describe('the hash of the inputs', () => {
  const inputs: BuildInputs = {
    target: { registry: 'a', repository: 'b' },
    tags: [],
    base: 'scratch',
    sha,
    context: '.',
    settings,
    platforms: ['linux/amd64', 'linux/arm64'],
    token: 't',
    login: undefined,
    isDryRun: false,
  };
  const hash = hashInputs(inputs, baseOf({}), 'source');

  it.each<[string, Partial<BuildInputs>]>([
    ['the commit', { sha: '2'.repeat(40) }],
    ['the context', { context: 'a' }],
    ['the platforms', { platforms: [] }],
    ['the command', { settings: { ...settings, command: [] } }],
    ['the variables', { settings: { ...settings, env: new Map([['a', 'b']]) } }],
    ['the destination', { settings: { ...settings, destination: '/b' } }],
    ['the user', { settings: { ...settings, user: '1' } }],
  ])('changes with %s', (_name, change) => {
    expect(hashInputs({ ...inputs, ...change }, baseOf({}), 'source')).not.toBe(hash);
  });

  it('changes with the base and the repository, and not with where the image goes', () => {
    expect(hashInputs(inputs, scratchBase([]), 'source')).not.toBe(hash);
    expect(hashInputs(inputs, baseOf({}), 'other')).not.toBe(hash);
    const same = { target: { registry: 'c', repository: 'd' }, tags: ['x'], token: 'u', platforms: ['linux/arm64', 'linux/amd64'] };
    expect(hashInputs({ ...inputs, ...same }, baseOf({}), 'source')).toBe(hash);
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
