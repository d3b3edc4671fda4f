import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { nodeExchange } from '@slashtrain/core/registry/http';
import { extract, type Header } from 'tar-stream';
import { bytesOf, fetchCommit, type Commit } from './archive.ts';
import { readIgnoreFile, selectFiles, type Selection } from './context.ts';
import { writeLayer, type Layer } from './layer.ts';

/*
 * From a real repository to a layer. The archives are made by the git on this machine, as GitHub makes them
 * (`git archive --format=tar.gz --prefix=owner-repo-sha7/ SHA`), with tar.umask 002.
 */
const root = mkdtempSync(join(tmpdir(), 'slashtrain-layer-'));
let server: Server;
let archive: (sha: string) => { status?: number; body: Buffer; cut?: boolean };
let requests: { url: string; authorization: string | undefined }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push({ url: request.url ?? '', authorization: request.headers.authorization });
    const sha = request.url?.split('/').at(-1) ?? '';
    // As GitHub does it: the API redirects to codeload, a host of its own.
    if (request.url?.startsWith('/repos/')) {
      const { port } = server.address() as AddressInfo;
      response.writeHead(302, { location: `http://localhost:${port}/codeload/${sha}` }).end();
      return;
    }
    const { status = 200, body, cut } = archive(sha);
    response.writeHead(status, { 'content-length': body.length });
    if (cut) response.write(body.subarray(0, 100), () => response.destroy());
    else response.end(body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true });
});

function git(folder: string, ...args: string[]): string {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: root,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_DATE: '2026-02-03T04:05:06Z',
    GIT_COMMITTER_DATE: '2026-02-03T04:05:06Z',
  };
  const config = ['-c', 'user.name=a', '-c', 'user.email=a@example.com', '-c', 'tar.umask=002', '-c', 'protocol.file.allow=always'];
  return execFileSync('git', [...config, '-C', folder, ...args], { env, maxBuffer: 1e8, stdio: ['ignore', 'pipe', 'pipe'] }).toString(
    'latin1',
  );
}

type Files = Record<string, string | { link: string } | { executable: string }>;

let count = 0;
/** A repository with one commit. */
function repository(files: Files): { folder: string; sha: string } {
  const folder = join(root, `repository${++count}`);
  mkdirSync(folder);
  git(folder, 'init', '-q', '-b', 'main');
  write(folder, files);
  return { folder, sha: commit(folder) };
}

function write(folder: string, files: Files): void {
  for (const [path, file] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    if (typeof file === 'string') writeFileSync(join(folder, path), file);
    else if ('link' in file) symlinkSync(file.link, join(folder, path));
    else writeFileSync(join(folder, path), file.executable, { mode: 0o755 });
  }
}

function commit(folder: string): string {
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'x');
  return git(folder, 'rev-parse', 'HEAD').trim();
}

const archiveOf = (folder: string, sha: string): Buffer =>
  Buffer.from(git(folder, 'archive', '--format=tar.gz', `--prefix=acme-digits-${sha.slice(0, 7)}/`, sha), 'latin1');

function fetch(sha: string, file = join(root, `content${++count}`)): Promise<Commit> {
  const { port } = server.address() as AddressInfo;
  return fetchCommit({
    context: { apiUrl: `http://127.0.0.1:${port}`, owner: 'acme', repo: 'digits' },
    sha,
    token: 'secret',
    exchange: nodeExchange(),
    patience: { wait: () => Promise.resolve() },
    file,
  });
}

async function build(
  folder: string,
  sha: string,
  options: { context?: string; destination?: string } = {},
): Promise<{ layer: Layer; selection: Selection; entries: Map<string, Header & { text: string }> }> {
  archive = () => ({ body: archiveOf(folder, sha) });
  const commit = await fetch(sha);
  try {
    const context = options.context ?? '.';
    const selection = selectFiles(commit, context, await readIgnoreFile(commit, context), sha);
    const file = join(root, `layer${++count}`);
    // Not in the order that the archive had.
    const files = selection.files.toReversed();
    const layer = await writeLayer(files, (one) => bytesOf(one, commit.content), options.destination ?? '/app', file);
    const bytes = readFileSync(file);
    expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(layer.digest);
    expect(bytes).toHaveLength(layer.size);
    const tar = gunzipSync(bytes);
    expect(`sha256:${createHash('sha256').update(tar).digest('hex')}`).toBe(layer.diffId);
    expect(tar).toHaveLength(layer.unpacked);
    const entries = new Map<string, Header & { text: string }>();
    const unpacking = extract();
    unpacking.end(tar);
    for await (const entry of unpacking) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
      entries.set(entry.header.name, { ...entry.header, text: Buffer.concat(chunks).toString('utf8') });
    }
    return { layer, selection, entries };
  } finally {
    await commit.content.close();
  }
}

describe('the layer of a commit', () => {
  it('has the files as git has them, sorted, of one time, owner and mode', async () => {
    const { folder, sha } = repository({
      'train.py': 'print(1)\n',
      'run.sh': { executable: '#!/bin/sh\n' },
      'data/a.txt': 'a',
      'data.txt': 'before the folder',
      latest: { link: 'data/a.txt' },
      'ünï/çödé.txt': 'utf-8',
      [`${'long/'.repeat(40)}name.txt`]: 'long',
      'to-long': { link: `${'long/'.repeat(40)}name.txt` },
      empty: '',
    });
    requests = [];
    const { entries, layer, selection } = await build(folder, sha);
    const names = [...entries.keys()];
    expect(names).toEqual([...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    expect(names.slice(0, 6)).toEqual(['app/', 'app/data.txt', 'app/data/', 'app/data/a.txt', 'app/empty', 'app/latest']);
    expect(entries.get('app/train.py')).toMatchObject({ mode: 0o644, text: 'print(1)\n' });
    expect(entries.get('app/run.sh')).toMatchObject({ mode: 0o755 });
    expect(entries.get('app/data/')).toMatchObject({ mode: 0o755, type: 'directory' });
    expect(entries.get('app/latest')).toMatchObject({ type: 'symlink', linkname: 'data/a.txt' });
    expect(entries.get('app/ünï/çödé.txt')?.text).toBe('utf-8');
    expect(entries.get(`app/${'long/'.repeat(40)}name.txt`)?.text).toBe('long');
    expect(entries.get('app/to-long')?.linkname).toBe(`${'long/'.repeat(40)}name.txt`);
    for (const { uid, gid, uname, gname, mtime } of entries.values())
      expect({ uid, gid, uname, gname, mtime }).toEqual({ uid: 0, gid: 0, uname: '', gname: '', mtime: new Date('1980-01-01T00:00:00Z') });
    expect(layer.files).toBe(9);
    expect(selection.notices).toEqual([]);
    // One request to the API; the token does not reach the host that it redirects to.
    expect(requests).toEqual([
      { url: `/repos/acme/digits/tarball/${sha}`, authorization: 'Bearer secret' },
      { url: `/codeload/${sha}`, authorization: undefined },
    ]);
  });

  it('is the same in two clones, and in another commit with the same files', async () => {
    const files = {
      'a.py': 'a',
      'sub/b.py': 'b'.repeat(300_000),
      'sub/random': createHash('sha512').update('x').digest('hex').repeat(5000),
    };
    const one = repository(files);
    const clone = join(root, 'clone');
    git(root, 'clone', '-q', one.folder, clone);
    write(clone, { 'README.md': 'outside of the context' });
    const later = commit(clone);
    const [first, second, third] = [
      await build(one.folder, one.sha, { context: 'sub' }),
      await build(clone, one.sha, { context: 'sub' }),
      await build(clone, later, { context: 'sub' }),
    ];
    expect(second.layer.digest).toBe(first.layer.digest);
    expect(third.layer.digest).toBe(first.layer.digest);
    // The very bytes: this is what another machine, processor or version of Node must make as well.
    expect(first.layer).toMatchObject({
      digest: 'sha256:f914ce407c112f6643354b4a0311135170211cc8387cab6134d7722dc80c8e17',
      diffId: 'sha256:47b418a70a0d6cded0f6fc176ed7216ecfea2f895536b14c299c2c62677dd5ab',
    });
  });

  it('is of the context alone, at the destination', async () => {
    const { folder, sha } = repository({ 'a/b/train.py': 'x', 'a/b/.dockerignore': '*.log\n', 'a/b/x.log': 'l', 'other.py': 'y' });
    const { entries } = await build(folder, sha, { context: 'a/b', destination: '/opt/code' });
    expect([...entries.keys()]).toEqual(['opt/', 'opt/code/', 'opt/code/.dockerignore', 'opt/code/train.py']);
  });

  it('leaves out what .dockerignore and export-ignore say', async () => {
    const { folder, sha } = repository({
      '.dockerignore': '# comment\n*.log\n**/cache\n!keep/cache\ndocs\n!docs/keep.md\n',
      '.gitattributes': 'tests export-ignore\n',
      '!first.log': 'sorted before the ignore file itself',
      'a.log': '',
      'deep/b.log': 'only at the root',
      'deep/cache/x': '',
      'keep/cache/x': '',
      'docs/a.md': '',
      'docs/keep.md': '',
      'tests/t.py': '',
    });
    const { entries } = await build(folder, sha);
    expect([...entries.keys()].filter((name) => !name.endsWith('/'))).toEqual([
      'app/.dockerignore',
      'app/.gitattributes',
      'app/deep/b.log',
      'app/docs/keep.md',
      'app/keep/cache/x',
    ]);
  });

  it('says submodules, LFS pointers and links that lead out', async () => {
    const module = repository({ x: 'x' });
    const { folder } = repository({
      'train.py': 'x',
      'model.bin': `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`,
      out: { link: '../elsewhere' },
      abs: { link: '/mnt/data' },
      'in/side': { link: '../train.py' },
    });
    git(folder, 'submodule', 'add', '-q', module.folder, 'vendor/lib');
    const { selection, entries } = await build(folder, commit(folder));
    expect(selection.notices.map((notice) => notice.slice(notice.lastIndexOf(': ') + 2))).toEqual([
      'vendor/lib',
      'model.bin',
      'abs -> /mnt/data, out -> ../elsewhere',
    ]);
    expect(entries.get('app/vendor/lib/')?.type).toBe('directory');
    expect(entries.get('app/abs')?.linkname).toBe('/mnt/data');
  });

  it.each([
    ['a context that is not there', { 'a/x': '', 'b/y': '' }, 'c', 'input "context" is "c", which is not there', 'its folders are: a, b'],
    ['a context that is a file', { 'a/x': '' }, 'a/x', 'which is a file, no folder', ''],
    ['a context that is a link', { 'a/x': '', l: { link: 'a' } }, 'l', 'which is a symbolic link, no folder', ''],
    ['an empty context', { 'a/x': '', 'a/.dockerignore': '*\n' }, 'a', 'nothing is left of the context "a"', '.dockerignore'],
    ['a whiteout', { 'a/.wh.passwd': '' }, '.', '"a/.wh.passwd" has a name that image layers use', 'rename it'],
  ] as [string, Files, string, string, string][])('refuses %s', async (_name, files, context, message, remedy) => {
    const { folder, sha } = repository(files);
    await expect(build(folder, sha, { context })).rejects.toMatchObject({
      message: expect.stringContaining(message),
      remedy: expect.stringContaining(remedy),
    });
  });
});

describe('the archive of a commit', () => {
  const small = repositoryOnce({ x: 'x' });

  it('is refused when it is of another commit, or names none', async () => {
    const { folder, sha } = small();
    const other = repository({ y: 'y' });
    archive = () => ({ body: archiveOf(other.folder, other.sha) });
    await expect(fetch(sha)).rejects.toMatchObject({ code: 'mismatch', message: expect.stringMatching(`${sha}.*${other.sha}`) });
    const tree = git(folder, 'rev-parse', `${sha}^{tree}`).trim();
    archive = () => ({ body: archiveOf(folder, tree) });
    await expect(fetch(sha)).rejects.toMatchObject({ code: 'mismatch', message: expect.stringContaining('names no commit') });
  });

  it('is fetched again when it is cut', async () => {
    const { folder, sha } = small();
    const answers = [true, true, false];
    archive = () => ({ body: archiveOf(folder, sha), cut: answers.shift() ?? true });
    const commit = await fetch(sha);
    await commit.content.close();
    expect(commit.time).toEqual(new Date('2026-02-03T04:05:06Z'));
    expect(commit.files.map(({ path }) => path)).toEqual(['x']);
    await expect(fetch(sha)).rejects.toMatchObject({ code: 'unreachable' });
  });

  it.each([
    [404, 'not-found', 'contents: read'],
    [403, 'permission', 'contents: read'],
    [503, 'unreachable', 'githubstatus'],
  ])('that GitHub answers with %i is %s', async (status, code, remedy) => {
    archive = () => ({ status, body: Buffer.from('{}') });
    await expect(fetch('a'.repeat(40))).rejects.toMatchObject({ code, remedy: expect.stringContaining(remedy) });
  });

  it('that is no gzip is refused', async () => {
    archive = () => ({ body: Buffer.from('<html>'.repeat(500)) });
    await expect(fetch('a'.repeat(40))).rejects.toMatchObject({ code: 'unreachable' });
  });
});

// On which every write fails for want of room: https://man7.org/linux/man-pages/man4/full.4.html
const full = '/dev/full';
if (existsSync(full))
  it('a full disk is said, for the files of the commit and for the layer', async () => {
    const { folder, sha } = repository({ x: 'x' });
    archive = () => ({ body: archiveOf(folder, sha) });
    const said = { code: 'input', message: expect.stringContaining('the disk is full') };
    await expect(fetch(sha, full)).rejects.toMatchObject(said);
    const files = ['a', 'b'].map((path) => ({ path, kind: 'file' as const, isExecutable: false, size: 300_000, link: '' }));
    const noise = async function* (): AsyncGenerator<Buffer> {
      yield randomBytes(300_000);
    };
    await expect(writeLayer(files, noise, '/app', full)).rejects.toMatchObject(said);
  });
else process.stdout.write(`skipped: a full disk, since there is no ${full} here\n`);

function repositoryOnce(files: Files): () => { folder: string; sha: string } {
  let made: { folder: string; sha: string } | undefined;
  return () => (made ??= repository(files));
}
