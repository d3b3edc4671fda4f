import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { ObjectStore } from './objects.ts';

/**
 * The archive of a commit as `git archive --format=tar.gz --prefix=…` makes it: a global comment that holds the commit, folders,
 * files with git's modes and a umask of 002, symbolic links, all of the commit's time.
 */
export async function archive(store: ObjectStore, sha: string, prefix: string): Promise<Buffer> {
  const commit = store.commits.get(sha);
  if (!commit) throw new Error(`no commit ${sha}`);
  const mtime = new Date(Math.floor(commit.committer.date / 1000) * 1000);
  const tar = pack();
  tar.entry({ name: `${prefix}/`, type: 'directory', mode: 0o775, mtime });
  const folders = new Set<string>();
  for (const [path, { mode, sha: blob }] of store.readFiles(commit.tree)) {
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth++) {
      const folder = `${prefix}/${parts.slice(0, depth).join('/')}/`;
      if (!folders.has(folder)) tar.entry({ name: folder, type: 'directory', mode: 0o775, mtime });
      folders.add(folder);
    }
    const name = `${prefix}/${path}`;
    const content = store.blobs.get(blob) ?? Buffer.alloc(0);
    if (mode === '120000') tar.entry({ name, type: 'symlink', linkname: content.toString('utf8'), mode: 0o777, mtime });
    else tar.entry({ name, mode: mode === '100755' ? 0o775 : 0o664, mtime }, content);
  }
  tar.finalize();
  const chunks: Buffer[] = [globalComment(sha)];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks));
}

/** tar-stream writes no global headers. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_03 */
function globalComment(sha: string): Buffer {
  const record = `52 comment=${sha}\n`;
  const header = Buffer.alloc(512);
  header.write('pax_global_header', 0);
  header.write('0000666\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${record.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('g', 156);
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const body = Buffer.alloc(512);
  body.write(record);
  return Buffer.concat([header, body]);
}
