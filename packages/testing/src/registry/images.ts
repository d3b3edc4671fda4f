import { lstat, mkdir, readlink, rm, symlink, link, readdir } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { parseImageName, manifestReference } from '@slashtrain/core/registry/image-name';
import { formatPlatform, isIndex, parseImageConfig, type ImageManifest } from '@slashtrain/core/registry/media-types';
import { Registry } from '@slashtrain/core/registry/registry';
import { extract, type Header } from 'tar-stream';
import type { ImageConfig, ImageSource } from '../cluster/images.ts';

/**
 * Images for the embedded cluster's nodes: pulled from the registry at `host`, checked by digest, and unpacked into
 * a folder as a container runtime does it (https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md).
 * Names of other registries are refused, so that no test reaches out.
 */
export function registryImages(host: string): ImageSource {
  return {
    async pull(name, folder): Promise<ImageConfig> {
      const image = parseImageName(name, 'the image');
      if (image.registry !== host) throw new Error(`failed to pull and unpack image "${name}": this node pulls from ${host} alone`);
      const registry = new Registry(host);
      let manifest = await registry.manifest(image.repository, manifestReference(image));
      const { digest } = manifest;
      if (isIndex(manifest.content)) {
        const wanted = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`;
        const found = manifest.content.manifests.find(({ platform }) => platform && formatPlatform(platform).startsWith(wanted));
        if (!found) throw new Error(`failed to pull and unpack image "${name}": no match for platform in manifest: not found`);
        manifest = await registry.manifest(image.repository, found.digest);
      }
      const { config, layers } = manifest.content as ImageManifest;
      for (const layer of layers) {
        await unpackLayer(Readable.from(registry.blob(image.repository, layer)), layer.mediaType, folder);
      }
      const { Entrypoint, Cmd, Env, WorkingDir } = parseImageConfig(await registry.smallBlob(image.repository, config), name).config ?? {};
      return {
        ...(Entrypoint ? { entrypoint: Entrypoint } : {}),
        ...(Cmd ? { cmd: Cmd } : {}),
        ...(Env ? { env: Env } : {}),
        ...(WorkingDir ? { workingDir: WorkingDir } : {}),
        digest,
      };
    },
  };
}

/**
 * Unpacks one layer over what is there. Nothing is written outside `folder`: names are read below it, links on the
 * way are followed as if it were the root. Whiteouts remove what lower layers had; devices are left out, since
 * making them needs root and no example has one.
 */
export async function unpackLayer(layer: Readable, mediaType: string, folder: string): Promise<void> {
  const unpacking = extract();
  const written = new Set<string>();
  const finished = decompress(layer, mediaType, unpacking);
  // Its failure reaches us through the entries; when they end, it is awaited.
  finished.catch(() => undefined);
  for await (const entry of unpacking) {
    await unpackEntry(entry.header, entry as unknown as Readable, folder, written);
    entry.resume();
  }
  await finished;
}

function decompress(layer: Readable, mediaType: string, target: ReturnType<typeof extract>): Promise<void> {
  if (/[+.]gzip$/u.test(mediaType)) return pipeline(layer, createGunzip(), target);
  if (/\+zstd$/u.test(mediaType)) return pipeline(layer, createZstdDecompress(), target);
  if (/\.tar$/u.test(mediaType)) return pipeline(layer, target);
  throw new Error(`layers of the type ${mediaType} cannot be unpacked`);
}

async function unpackEntry(header: Header, content: Readable, root: string, written: Set<string>): Promise<void> {
  const path = posix.normalize(`/${header.name}`).slice(1).replace(/\/$/u, '');
  if (`/${header.name}/`.includes('/../')) throw new Error(`the layer names "${header.name}", which leads out of the image`);
  if (path === '' || path === '.') return;
  const folder = await resolveInRoot(root, posix.dirname(path));
  await mkdir(folder, { recursive: true });
  const name = posix.basename(path);
  const target = join(folder, name);

  if (name === '.wh..wh..opq') {
    for (const child of await readdir(folder))
      if (!written.has(join(folder, child))) await rm(join(folder, child), { recursive: true, force: true });
    return;
  }
  if (name.startsWith('.wh.')) {
    const hidden = name.slice(4);
    if (hidden === '' || hidden === '.' || hidden === '..')
      throw new Error(`the layer has the whiteout "${header.name}", which names nothing`);
    await rm(join(folder, hidden), { recursive: true, force: true });
    return;
  }
  for (let at = target; at !== root; at = dirname(at)) written.add(at);

  const existing = await lstat(target).catch(() => undefined);
  if (existing && !(existing.isDirectory() && header.type === 'directory')) await rm(target, { recursive: true, force: true });
  const mode = header.mode & 0o777;
  switch (header.type) {
    case 'directory':
      await mkdir(target, { recursive: true });
      // Owners are not kept, so that what the layer's owner may do is ours too.
      await chmod(target, mode | 0o700);
      return;
    case 'symlink':
      await symlink(header.linkname, target);
      return;
    case 'link':
      await link(await resolveInRoot(root, header.linkname, false), target);
      return;
    case 'file':
    case 'contiguous-file':
      await pipeline(content, createWriteStream(target, { mode: mode | 0o600, flags: 'wx' }));
      await chmod(target, mode | 0o600);
      return;
    default:
      return;
  }
}

/** The path that `path` means inside `root` when links lead nowhere else; as https://github.com/cyphar/filepath-securejoin does it. */
async function resolveInRoot(root: string, path: string, followLast = true): Promise<string> {
  const rest = path.split('/').filter((part) => part !== '' && part !== '.');
  const done: string[] = [];
  for (let hops = 0; rest.length > 0;) {
    const part = rest.shift() ?? '';
    if (part === '..') {
      done.pop();
      continue;
    }
    const at = join(root, ...done, part);
    const isLink = await lstat(at).then(
      (found) => found.isSymbolicLink(),
      () => false,
    );
    if (!isLink || (rest.length === 0 && !followLast)) {
      done.push(part);
      continue;
    }
    if (++hops > 40) throw new Error(`too many links on the way to "${path}"`);
    const to = await readlink(at);
    if (to.startsWith('/')) done.length = 0;
    rest.unshift(...to.split('/').filter((piece) => piece !== '' && piece !== '.'));
  }
  return join(root, ...done);
}
