import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { ActionError } from '@slashtrain/core/action/errors';
import type { BlobSource } from '@slashtrain/core/registry/upload';
// Without the part that loads node's worker threads.
import { Gzip } from 'fflate/browser';
import { pack, type Pack } from 'tar-stream';
import { fileTime } from './file-time.ts';

/** A file, a symbolic link or an empty folder of a layer. */
export interface LayerFile {
  /** From the layer's destination, without a slash at either end. */
  path: string;
  kind: 'file' | 'link' | 'folder';
  isExecutable: boolean;
  /** Bytes; 0 but for files. */
  size: number;
  /** Where a symbolic link leads. */
  link: string;
}

/** A layer that lies in a file. */
export interface Layer extends BlobSource {
  /** The digest of the tar before it was compressed. */
  diffId: string;
  /** Bytes before compression. */
  unpacked: number;
  files: number;
}

// Pieces of one size, so that the compressed bytes do not depend on how the data happened to come.
const piece = 64 * 1024;

/**
 * Writes the files below `destination` as a layer that is the same on every machine: sorted by their bytes, of user
 * and group 0, modes 0755 and 0644, one time. It is compressed by fflate and not by zlib, whose output differs between
 * processors and versions of Node. Neither file nor layer is held in memory.
 * @param read the bytes of a file
 * @param file where the layer is written
 */
export async function writeLayer<T extends LayerFile>(
  files: readonly T[],
  read: (file: T) => AsyncIterable<Uint8Array>,
  destination: string,
  file: string,
): Promise<Layer> {
  const tar = pack();
  const feeding = feed(tar, sorted(files, destination.slice(1)), read);
  feeding.catch((error: unknown) => tar.destroy(error as Error));
  const out = await open(file, 'w');
  try {
    const diff = createHash('sha256');
    const whole = createHash('sha256');
    let unpacked = 0;
    let size = 0;
    const ready: Uint8Array[] = [];
    const gzip = new Gzip({ level: 6, mtime: 0 }, (chunk) => ready.push(chunk));
    const flush = async (): Promise<void> => {
      for (const chunk of ready.splice(0)) {
        whole.update(chunk);
        size += chunk.length;
        await out.write(chunk);
      }
    };
    for await (const chunk of pieces(tar as unknown as AsyncIterable<Uint8Array>)) {
      diff.update(chunk);
      unpacked += chunk.length;
      gzip.push(chunk);
      await flush();
    }
    gzip.push(new Uint8Array(0), true);
    await flush();
    await feeding;
    return {
      digest: `sha256:${whole.digest('hex')}`,
      diffId: `sha256:${diff.digest('hex')}`,
      size,
      unpacked,
      files: files.filter(({ kind }) => kind !== 'folder').length,
      open: (from) => createReadStream(file, { start: from }) as AsyncIterable<Buffer>,
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
      throw new ActionError('input', `the disk is full: the layer does not fit at ${file}`, {
        remedy: 'leave files out by .dockerignore',
        cause: error,
      });
    throw error;
  } finally {
    await out.close();
  }
}

interface Entry<T> {
  name: string;
  file: T | undefined;
}

/** Every entry with its folders before it. */
function sorted<T extends LayerFile>(files: readonly T[], root: string): Entry<T>[] {
  const entries = new Map<string, T | undefined>();
  for (const file of files) {
    const path = `${root}/${file.path}`;
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) entries.set(path.slice(0, slash + 1), undefined);
    entries.set(file.kind === 'folder' ? `${path}/` : path, file.kind === 'folder' ? undefined : file);
  }
  return [...entries].map(([name, file]) => ({ name, file, bytes: Buffer.from(name) })).sort((a, b) => Buffer.compare(a.bytes, b.bytes));
}

async function feed<T extends LayerFile>(
  tar: Pack,
  entries: readonly Entry<T>[],
  read: (file: T) => AsyncIterable<Uint8Array>,
): Promise<void> {
  for (const { name, file } of entries) {
    const common = { name, uid: 0, gid: 0, mtime: fileTime };
    if (!file) {
      // Everybody's folder stays everybody's, should the destination lie in it.
      const isShared = name === 'tmp/' || name === 'var/tmp/';
      tar.entry({ ...common, type: 'directory', mode: isShared ? 0o1777 : 0o755 });
    } else if (file.kind === 'link') tar.entry({ ...common, type: 'symlink', linkname: file.link, mode: 0o777 });
    else await writeFile(tar, { ...common, type: 'file' as const, mode: file.isExecutable ? 0o755 : 0o644, size: file.size }, read(file));
  }
  tar.finalize();
}

function writeFile(tar: Pack, header: Parameters<Pack['entry']>[0], bytes: AsyncIterable<Uint8Array>): Promise<void> {
  return new Promise((resolve, reject) => {
    const sink = tar.entry(header, (error?: Error | null) => (error ? reject(error) : resolve()));
    const copy = async (): Promise<void> => {
      for await (const chunk of bytes) if (!sink.write(chunk)) await new Promise<void>((done) => void sink.once('drain', () => done()));
      sink.end(null);
    };
    copy().catch(reject);
  });
}

async function* pieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array = Buffer.alloc(0);
  for await (const chunk of source) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= piece) {
      yield held.subarray(0, piece);
      held = held.subarray(piece);
    }
  }
  if (held.length > 0) yield held;
}
