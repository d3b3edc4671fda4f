import { createHash } from 'node:crypto';
import { lutimes, mkdir, open, symlink, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bytesOf, type CommitFile } from './archive.ts';
import { fileTime } from './file-time.ts';

/**
 * Writes a commit's files below a folder that is empty, as a checkout would have them. Links come last and nothing is
 * written over anything, so that no file can be written through a link that the commit brought along.
 */
export async function unpackFiles(files: readonly CommitFile[], content: FileHandle, folder: string): Promise<void> {
  const folders = new Set(files.map(({ path, kind }) => (kind === 'folder' ? path : dirname(path))));
  for (const path of folders) await mkdir(join(folder, path), { recursive: true, mode: 0o755 });
  for (const file of files) {
    if (file.kind !== 'file') continue;
    const out = await open(join(folder, file.path), 'wx', file.isExecutable ? 0o755 : 0o644);
    try {
      for await (const chunk of bytesOf(file, content)) await out.writev([chunk]);
      await out.utimes(fileTime, fileTime);
    } finally {
      await out.close();
    }
  }
  for (const file of files) {
    if (file.kind !== 'link') continue;
    await symlink(file.link, join(folder, file.path));
    await lutimes(join(folder, file.path), fileTime, fileTime);
  }
}

/** One hash of files: their paths, kinds, modes, links and bytes. */
export async function hashFiles(files: readonly CommitFile[], content: FileHandle): Promise<string> {
  const tree = createHash('sha256');
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const hash = createHash('sha256');
    if (file.kind === 'file') for await (const chunk of bytesOf(file, content)) hash.update(chunk);
    tree.update(`${JSON.stringify([file.path, file.kind, file.isExecutable, file.link, hash.digest('hex')])}\n`);
  }
  return tree.digest('hex');
}
