import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { RegistryStore } from './store.ts';

/** A file of a base image: its content, or content with a mode, or where a symbolic link leads. */
export type BaseFile = string | Buffer | { content: string | Buffer; mode?: number } | { link: string };

/** What {@link buildBase} makes an image of. */
export interface BaseImage {
  /** By path in the image. */
  files?: Record<string, BaseFile>;
  /** The image configuration's `config`: `Env`, `Entrypoint`, … */
  config?: Record<string, unknown>;
  /** This machine's, without it. */
  platform?: { os: string; architecture: string };
}

/** Puts an image of the OCI form into the store. @returns `repository@sha256:…` */
export async function buildBase(store: RegistryStore, image: string, base: BaseImage): Promise<string> {
  const [repository = '', tag = 'latest'] = image.split(':');
  const tar = await tarOf(base.files ?? {});
  const layer = gzipSync(tar);
  const config = Buffer.from(
    JSON.stringify({
      ...(base.platform ?? { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch }),
      created: '2026-01-01T00:00:00Z',
      config: base.config ?? {},
      rootfs: { type: 'layers', diff_ids: [sha256(tar)] },
      history: [{ created: '2026-01-01T00:00:00Z', created_by: 'slashtrain testing: pushBase' }],
    }),
  );
  const descriptor = async (mediaType: string, bytes: Buffer): Promise<object> => ({
    mediaType,
    digest: await store.addBlob(repository, bytes),
    size: bytes.length,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: await descriptor('application/vnd.oci.image.config.v1+json', config),
      layers: [await descriptor('application/vnd.oci.image.layer.v1.tar+gzip', layer)],
    }),
  );
  const digest = sha256(manifest);
  store.putManifest(repository, digest, { bytes: manifest, mediaType: 'application/vnd.oci.image.manifest.v1+json' }, tag);
  return `${repository}@${digest}`;
}

async function tarOf(files: Record<string, BaseFile>): Promise<Buffer> {
  const packing = pack();
  const mtime = new Date(0);
  for (const [path, file] of Object.entries(files)) {
    const name = path.replace(/^\/+/u, '');
    if (typeof file === 'object' && 'link' in file) packing.entry({ name, type: 'symlink', linkname: file.link, mtime });
    else if (typeof file === 'object' && 'content' in file) packing.entry({ name, mode: file.mode ?? 0o644, mtime }, file.content);
    else packing.entry({ name, mode: 0o644, mtime }, file);
  }
  packing.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packing as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
