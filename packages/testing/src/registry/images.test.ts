import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { access, mkdtemp, readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { registryImages, unpackLayer } from './images.ts';
import { startRegistry, type TestRegistry } from './server.ts';

const gzip = 'application/vnd.oci.image.layer.v1.tar+gzip';
let root: string;
let folder: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'slashtrain-images-'));
  folder = join(root, 'image');
  await unpack([{ name: './' }]);
});
afterEach(() => rm(root, { recursive: true }));

type Entry = Partial<Header> & { name: string; content?: string };

async function tar(entries: Entry[]): Promise<Buffer> {
  const packing = pack();
  for (const { content, ...header } of entries)
    packing.entry({ ...(header.name.endsWith('/') ? { type: 'directory' } : {}), ...header }, content ?? '');
  packing.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packing as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function unpack(entries: Entry[]): Promise<void> {
  await unpackLayer(Readable.from([gzipSync(await tar(entries))]), gzip, folder);
}

const read = (path: string): Promise<string> => readFile(join(folder, path), 'utf8');

describe('unpacking layers', () => {
  it('writes files with their modes, folders and links', async () => {
    await unpack([
      { name: 'app/', mode: 0o755 },
      { name: 'app/train.sh', content: '#!/bin/sh\n', mode: 0o755 },
      { name: 'data/a', content: 'a', mode: 0o644 },
      { name: 'app/data', type: 'symlink', linkname: '/data' },
      { name: 'app/same', type: 'link', linkname: 'data/a' },
      { name: 'dev/null', type: 'character-device' },
    ]);
    expect((await stat(join(folder, 'app/train.sh'))).mode & 0o777).toBe(0o755);
    expect(await readlink(join(folder, 'app/data'))).toBe('/data');
    expect(await read('app/same')).toBe('a');
    expect(await readdir(folder)).toEqual(['app', 'data', 'dev']);
    expect(await readdir(join(folder, 'dev'))).toEqual([]);
  });

  it('reads gzip, zstd and plain tar, and refuses others by name', async () => {
    const bytes = await tar([{ name: 'x', content: 'x' }]);
    for (const [type, layer] of [
      ['application/vnd.docker.image.rootfs.diff.tar.gzip', gzipSync(bytes)],
      ['application/vnd.oci.image.layer.v1.tar+zstd', zstdCompressSync(bytes)],
      ['application/vnd.oci.image.layer.v1.tar', bytes],
    ] as const) {
      await rm(join(folder, 'x'), { force: true });
      await unpackLayer(Readable.from([layer]), type, folder);
      expect(await read('x')).toBe('x');
    }
    await expect(unpackLayer(Readable.from([bytes]), 'text/plain', folder)).rejects.toThrow('text/plain');
  });

  it('removes what whiteouts name, and with an opaque one all of the layers below', async () => {
    await unpack([
      { name: 'a/one', content: '1' },
      { name: 'a/two', content: '2' },
      { name: 'b/old', content: 'o' },
      { name: 'b/in/old', content: 'o' },
    ]);
    await unpack([{ name: 'a/.wh.one' }, { name: 'b/new', content: 'n' }, { name: 'b/.wh..wh..opq' }]);
    expect(await readdir(join(folder, 'a'))).toEqual(['two']);
    expect(await readdir(join(folder, 'b'))).toEqual(['new']);
  });

  it('replaces files by folders and links by files', async () => {
    await unpack([
      { name: 'x', content: 'file' },
      { name: 'y', type: 'symlink', linkname: 'x' },
    ]);
    await unpack([
      { name: 'x/', mode: 0o755 },
      { name: 'x/in', content: 'in' },
      { name: 'y', content: 'mine' },
    ]);
    expect(await read('x/in')).toBe('in');
    expect(await read('y')).toBe('mine');
  });

  it.each([['../out'], ['a/../../out'], ['.wh...'], ['.wh..']])('refuses an entry called %s', async (name) => {
    await expect(unpack([{ name, content: 'bad' }])).rejects.toThrow(name);
    await expect(access(join(root, 'out'))).rejects.toThrow();
  });

  it('lets no link lead out of the image', async () => {
    await writeFile(join(root, 'victim'), 'safe');
    await unpack([
      { name: 'up', type: 'symlink', linkname: '../..' },
      { name: 'abs', type: 'symlink', linkname: root },
      { name: 'file', type: 'symlink', linkname: join(root, 'victim') },
      { name: 'deep/abs', type: 'symlink', linkname: '/etc' },
    ]);
    await unpack([
      { name: 'up/victim', content: 'bad' },
      { name: 'abs/victim', content: 'bad' },
      { name: 'file', content: 'bad' },
      { name: '/victim2', content: 'inside' },
      { name: 'deep/abs/hosts', content: "of the image's root" },
    ]);
    expect(await readFile(join(root, 'victim'), 'utf8')).toBe('safe');
    expect(await read('victim')).toBe('bad');
    expect(await read('victim2')).toBe('inside');
    expect(await read('etc/hosts')).toBe("of the image's root");
    // A hard link's target is read below the image's root too, where "abs" made the same path.
    await unpack([{ name: 'steal', type: 'link', linkname: join(root, 'victim') }]);
    expect(await read('steal')).toBe('bad');
    await expect(unpack([{ name: 'steal', type: 'link', linkname: '../../victim3' }])).rejects.toThrow('ENOENT');
  });
});

describe('images from a registry', () => {
  let registry: TestRegistry;
  beforeEach(async () => void (registry = await startRegistry()));
  afterEach(() => registry.close());

  it('are pulled by tag or digest, with what the configuration says', async () => {
    const name = await registry.pushBase('base:1', {
      files: { '/bin/run': { content: 'run', mode: 0o755 }, 'etc/x': 'x' },
      config: { Entrypoint: ['/bin/run'], Cmd: ['a'], Env: ['A=b'], WorkingDir: '/etc' },
    });
    const source = registryImages(registry.host);
    for (const image of [name, `${registry.host}/base:1`]) {
      expect(await source.pull(image, folder)).toEqual({
        entrypoint: ['/bin/run'],
        cmd: ['a'],
        env: ['A=b'],
        workingDir: '/etc',
        digest: name.slice(name.indexOf('@') + 1),
      });
      expect(await read('etc/x')).toBe('x');
    }
  });

  it('are refused from elsewhere, and where there is none', async () => {
    const source = registryImages(registry.host);
    await expect(source.pull('docker.io/library/python:3', folder)).rejects.toThrow('pulls from 127.0.0.1');
    await expect(source.pull(`${registry.host}/nothing:1`, folder)).rejects.toThrow('has no image');
  });

  it('are refused where a layer is not what its digest names', async () => {
    const name = await registry.pushBase('base:1', { files: { x: 'x' } });
    registry.fault = ({ path }) => (path.includes('/blobs/') ? { corrupt: true } : undefined);
    await expect(registryImages(registry.host).pull(name, folder)).rejects.toThrow();
  });
});
