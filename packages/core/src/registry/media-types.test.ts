import { describe, expect, it } from '@jest/globals';
import { docker, formatPlatform, isIndex, oci, parseImageConfig, parseManifest } from './media-types.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const descriptor = { mediaType: 'x', digest, size: 1 };
const manifest = { schemaVersion: 2, mediaType: oci.manifest, config: descriptor, layers: [descriptor] };
const index = { schemaVersion: 2, mediaType: oci.index, manifests: [descriptor] };
const parse = (value: unknown, type?: string): ReturnType<typeof parseManifest> =>
  parseManifest(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), type, 'a:b');

describe('manifests', () => {
  it.each([
    [manifest, oci.manifest, oci.manifest, false],
    [{ ...manifest, mediaType: undefined }, `${oci.manifest}; charset=utf-8`, oci.manifest, false],
    [{ ...manifest, mediaType: undefined }, 'application/json', oci.manifest, false],
    [{ ...manifest, mediaType: docker.manifest }, docker.manifest, docker.manifest, false],
    [index, undefined, oci.index, true],
    [{ ...index, mediaType: undefined }, undefined, oci.index, true],
    [{ ...index, mediaType: docker.index }, docker.index, docker.index, true],
  ])('%j as %s', (value, type, mediaType, many) => {
    const parsed = parse(value, type);
    expect(parsed.mediaType).toBe(mediaType);
    expect(isIndex(parsed.content)).toBe(many);
  });

  it.each([
    ['nonsense', 'is no JSON'],
    ['[]', 'is no JSON object'],
    [{ schemaVersion: 1, name: 'x' }, 'schema 1'],
    [{ ...manifest, schemaVersion: 3 }, 'schemaVersion is not 2'],
    [{ ...manifest, mediaType: 'application/x' }, 'its type is application/x'],
    [{ ...manifest, manifests: [] }, 'an index and a manifest at once'],
    [{ ...manifest, config: { ...descriptor, digest: 'sha256:../../x' } }, 'its config is no descriptor'],
    [{ ...manifest, layers: [{ ...descriptor, size: -1 }] }, 'its layers are no list of descriptors'],
    [{ ...manifest, layers: 'x' }, 'its layers are no list of descriptors'],
    [{ ...index, manifests: [{}] }, 'its manifests are no list of descriptors'],
  ])('%j is refused', (value, message) => {
    expect(() => parse(value)).toThrow(message);
  });

  it('whose header and content differ are refused', () => {
    expect(() => parse(manifest, docker.manifest)).toThrow('calls itself');
  });
});

describe('configurations', () => {
  const config = { os: 'linux', architecture: 'arm64', variant: 'v8', rootfs: { type: 'layers', diff_ids: [digest] } };
  it('are read', () => {
    expect(formatPlatform(parseImageConfig(Buffer.from(JSON.stringify({ ...config, config: null })), 'x'))).toBe('linux/arm64/v8');
  });
  it.each([[{}], [{ ...config, rootfs: {} }], [{ ...config, config: { Env: 'A=b' } }], [{ ...config, config: { Cmd: [1] } }]])(
    '%j is refused',
    (value) => {
      expect(() => parseImageConfig(Buffer.from(JSON.stringify(value)), 'x')).toThrow('the configuration of x');
    },
  );
});
