import { open, type FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ActionError, messageOf } from '@slashtrain/core/action/errors';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { following, mayPass, persistent, readBody, type Exchange, type HttpAnswer, type Patience } from '@slashtrain/core/registry/http';
import type { Extract, Header } from 'tar-stream';

/** One file of a commit, as git has it. */
export interface CommitFile {
  /** From the repository's root, without a slash at either end. */
  path: string;
  kind: 'file' | 'link' | 'folder';
  isExecutable: boolean;
  /** Bytes; 0 but for files. */
  size: number;
  /** Where its bytes begin in {@link Commit.content}. */
  offset: number;
  /** Where a symbolic link leads. */
  link: string;
  /** A pointer of Git LFS instead of the file that is meant. */
  isPointer: boolean;
  /** What it has where it was made of other files, and is not in the content. */
  bytes?: Buffer;
}

/** The files of one commit. */
export interface Commit {
  /** When it was committed. */
  time: Date;
  files: CommitFile[];
  /** All bytes of all files, one after the other: repositories may be larger than memory. */
  content: FileHandle;
}

export interface ArchiveRequest {
  context: Pick<GitHubContext, 'apiUrl' | 'owner' | 'repo'>;
  sha: string;
  token: string;
  exchange: Exchange;
  patience: Patience;
  /** Where the bytes are kept meanwhile. */
  file: string;
}

/** The bytes of one file, a piece at a time. */
export async function* bytesOf(file: CommitFile, content: FileHandle): AsyncGenerator<Buffer, void, undefined> {
  if (file.bytes) {
    yield file.bytes;
    return;
  }
  for (let at = 0; at < file.size;) {
    const piece = Buffer.allocUnsafe(Math.min(65_536, file.size - at));
    const { bytesRead } = await content.read(piece, 0, piece.length, file.offset + at);
    if (bytesRead === 0) throw new ActionError('internal', `the bytes of ${file.path} are gone`);
    at += bytesRead;
    yield piece.subarray(0, bytesRead);
  }
}

/**
 * Fetches a commit's files in one request, without a checkout and without executing anything: GitHub's archive has
 * the bytes of `git archive`, with `export-ignore` and `export-subst` applied, and names its commit
 * (https://docs.github.com/rest/repos/contents#download-a-repository-archive-tar).
 * @throws ActionError `not-found`, `permission`, `mismatch`, `unreachable`
 */
export async function fetchCommit(request: ArchiveRequest): Promise<Commit> {
  const { patience } = request;
  for (let attempt = 1; ; attempt++) {
    const content = await open(request.file, 'w+');
    try {
      const [answer, { extract }] = await Promise.all([ask(request), import('tar-stream')]);
      return await unpack(answer, request.sha, content, extract());
    } catch (error) {
      // Of no more use: on a full disk, what is said about it needs the room. What cannot be cut has no room to give back.
      await content.truncate(0).catch(() => undefined);
      await content.close();
      if (patience.signal?.aborted) throw patience.signal.reason;
      if (error instanceof ActionError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC')
        throw new ActionError('input', `the disk is full: the commit's files do not fit at ${request.file}`, { cause: error });
      const isCut = mayPass(error) || code === 'Z_BUF_ERROR';
      if (!isCut || attempt === 3)
        throw new ActionError('unreachable', `GitHub's archive of ${request.sha} cannot be read: ${messageOf(error)}`, {
          cause: error,
          remedy: 'run the job again',
        });
      patience.onRetry?.(`GitHub's archive was cut: ${messageOf(error)}`, 0);
    }
  }
}

async function ask({ context, sha, token, exchange, patience }: ArchiveRequest): Promise<HttpAnswer> {
  const { apiUrl, owner, repo } = context;
  const answer = await persistent(
    following(exchange),
    patience,
  )({
    method: 'GET',
    url: new URL(`${apiUrl}/repos/${owner}/${repo}/tarball/${sha}`),
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
      'user-agent': 'slashtrain',
    },
    signal: patience.signal,
  });
  if (answer.status === 200) return answer;
  await readBody(answer, 1024 * 1024).catch(() => undefined);
  const what = `the archive of ${sha} in ${owner}/${repo}`;
  if (answer.status === 404)
    throw new ActionError('not-found', `GitHub has no ${what.slice(4)}`, {
      remedy: 'check input "sha"; without "contents: read" under permissions: in the job a private repository looks like this too',
    });
  if (answer.status === 401 || answer.status === 403)
    throw new ActionError('permission', `GitHub refused ${what} (${answer.status})`, {
      remedy: 'add "contents: read" under permissions: in the job',
    });
  throw new ActionError('unreachable', `GitHub answered ${answer.status} to ${what}`, {
    remedy: 'look at https://www.githubstatus.com and run the job again',
  });
}

async function unpack(answer: HttpAnswer, sha: string, content: FileHandle, unpacking: Extract): Promise<Commit> {
  const files: CommitFile[] = [];
  let time: Date | undefined;
  let end = 0;
  const finished = pipeline(answer.body, createGunzip(), (source: AsyncIterable<Buffer>) => checkCommit(source, sha), unpacking);
  // A failure reaches us through the entries, or at the end.
  finished.catch(() => undefined);
  for await (const entry of unpacking) {
    const { header } = entry;
    time ??= header.mtime;
    const file = fileOf(header, end);
    let start = Buffer.alloc(0);
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      if (start.length < 200) start = Buffer.concat([start, chunk.subarray(0, 200)]);
      await content.writev([chunk]);
      end += chunk.length;
    }
    if (!file) continue;
    // https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md#the-pointer
    file.isPointer = file.size < 1024 && start.toString('latin1').startsWith('version https://git-lfs.github.com/spec/');
    files.push(file);
  }
  await finished;
  if (!time) throw new ActionError('unreachable', `GitHub's archive of ${sha} is empty`);
  return { time, files, content };
}

/** @returns undefined for the folder that GitHub puts everything in */
function fileOf(header: Header, offset: number): CommitFile | undefined {
  const path = header.name.split('/').slice(1).join('/').replace(/\/$/u, '');
  if (path === '') return undefined;
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..'))
    throw new ActionError('unreachable', `GitHub's archive has an entry called ${JSON.stringify(header.name)}`);
  if (path.includes('\ufffd'))
    throw new ActionError('unsupported', `the file ${JSON.stringify(path)} of the commit has a name that is not UTF-8`, {
      remedy: 'rename it, or leave it out with export-ignore in .gitattributes',
    });
  const kind = header.type === 'directory' ? 'folder' : header.type === 'symlink' ? 'link' : header.type === 'file' ? 'file' : undefined;
  if (!kind) throw new ActionError('unreachable', `GitHub's archive has an entry of the type ${header.type}: ${JSON.stringify(path)}`);
  return {
    path,
    kind,
    isExecutable: kind === 'file' && (header.mode & 0o100) !== 0,
    size: kind === 'file' ? header.size : 0,
    offset,
    link: kind === 'link' ? header.linkname : '',
    isPointer: false,
  };
}

/**
 * Passes an archive on once its first two blocks say that it is of this commit, as `git get-tar-commit-id` reads it
 * (https://git-scm.com/docs/git-get-tar-commit-id).
 */
async function* checkCommit(source: AsyncIterable<Buffer>, sha: string): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of source) {
    if (!head) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < 1024) continue;
    const [, commit] =
      (head[156] === 0x67 && /^[0-9]+ comment=([0-9a-f]{40,64})\n/u.exec(head.subarray(512, 1024).toString('latin1'))) || [];
    if (commit !== sha)
      throw new ActionError(
        'mismatch',
        `asked for the archive of ${sha}, GitHub sent ${commit === undefined ? 'one that names no commit' : `that of ${commit}`}`,
      );
    yield head;
    head = undefined;
  }
  if (head) throw new ActionError('unreachable', `GitHub's archive of ${sha} has ${head.length} bytes`);
}
