import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { startGitHub, type FakeGitHub, type Repository } from '../github.ts';
import type { FileChange } from '../repository.ts';

/* The fake GitHub's objects are git's: the same files, commits and archives in both, compared. */

const files: Record<string, FileChange> = {
  'README.md': '# Digits\n',
  // git sorts "a.txt" before the folder "a" and "a0" after it.
  'a.txt': 'x',
  'a/b.txt': 'y',
  a0: 'z',
  'a/Ä ümlaut.txt': 'ü',
  'bin/run.sh': { mode: '100755', content: '#!/bin/sh\n' },
  link: { mode: '120000', content: 'a/b.txt' },
  'data/bytes.bin': Buffer.from([0, 255, 10, 13]),
};
const date = Date.UTC(2026, 0, 2, 3, 4, 5);

let github: FakeGitHub;
let repository: Repository;
let sha: string;

beforeEach(async () => {
  github = await startGitHub({ now: () => date });
  repository = github.createRepository({ owner: 'ada', name: 'digits', files: { old: 'goes away' } });
  sha = repository.commit({ files: { ...files, old: null }, message: 'Train longer\n\nBecause.', author: 'ada', date });
});
afterEach(() => github.close());

const hasGit = spawnSync('git', ['--version']).status === 0;
if (!hasGit) process.stdout.write('skipped: comparison with git, which is not here\n');

function besideGit(): void {
  let folder: string;
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: folder, env: environment() }).toString().trim();
  const environment = (): NodeJS.ProcessEnv => {
    const { email } = author();
    const when = `${date / 1000} +0000`;
    const config = { GIT_CONFIG_NOSYSTEM: '1', HOME: folder, PATH: process.env['PATH'] };
    const person = { GIT_AUTHOR_NAME: 'ada', GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: 'ada', GIT_COMMITTER_EMAIL: email };
    return { ...config, ...person, GIT_AUTHOR_DATE: when, GIT_COMMITTER_DATE: when };
  };
  const author = (): { email: string } => ({ email: `${github.user('ada').id}+ada@users.noreply.github.com` });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'slashtrain-git-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeEach(() => {
    rmSync(join(folder, '.git'), { recursive: true, force: true });
    git('init', '--quiet', '--initial-branch=main');
    writeFileSync(join(folder, 'old'), 'goes away');
    git('add', '--all', 'old');
    git('commit', '--quiet', '--message', 'First commit');
    rmSync(join(folder, 'old'));
    for (const [path, content] of Object.entries(files)) {
      const place = join(folder, path);
      mkdirSync(dirname(place), { recursive: true });
      rmSync(place, { force: true });
      if (typeof content === 'string' || Buffer.isBuffer(content)) writeFileSync(place, content);
      else if (content?.mode === '120000') symlinkSync(String(content.content), place);
      else if (content) {
        writeFileSync(place, content.content);
        chmodSync(place, 0o755);
      }
    }
    git('add', '--all', ...Object.keys(files), 'old');
    git('commit', '--quiet', '--message', 'Train longer\n\nBecause.');
  });

  it('gives the same tree and the same commit', () => {
    expect(repository.tree(sha)).toBe(git('rev-parse', 'HEAD^{tree}'));
    expect(sha).toBe(git('rev-parse', 'HEAD'));
  });

  it('gives the same archive, entry for entry', async () => {
    const theirs = execFileSync('git', ['archive', '--format=tar', '--prefix=ada-digits-abc/', 'HEAD'], {
      cwd: folder,
      env: environment(),
    });
    const location = await tarball();
    const ours = gunzipSync(Buffer.from(await (await fetch(location)).arrayBuffer()));
    const renamed = (entries: Entry[]): Entry[] => entries.map((entry) => ({ ...entry, name: entry.name.replace(/^[^/]+\//u, '') }));
    expect(renamed(await entriesOf(ours))).toEqual(renamed(await entriesOf(theirs)));
    // The global header that says which commit it is: `git get-tar-commit-id` reads it.
    const read = (tar: Buffer): string => execFileSync('git', ['get-tar-commit-id'], { input: tar, env: environment() }).toString().trim();
    expect(read(ours)).toBe(sha);
    expect(read(theirs)).toBe(sha);
  });
}
if (hasGit) describe('beside real git', besideGit);

it("names the archive's folder by owner, repository and short SHA", async () => {
  const response = await fetch(await tarball());
  expect(response.headers.get('content-type')).toBe('application/x-gzip');
  const [top] = await entriesOf(gunzipSync(Buffer.from(await response.arrayBuffer())));
  expect(top?.name).toBe(`ada-digits-${sha.slice(0, 7)}/`);
});

it('lists history newest first, a child before its parent whatever the dates', () => {
  const forged = repository.commit({ files: { forged: '' }, date: Date.UTC(1990, 0, 1) });
  const late = repository.commit({ files: { late: '' }, date });
  const history = repository.data.git.history(late).map((commit) => commit.sha);
  expect(history.slice(0, 3)).toEqual([late, forged, sha]);
});

it("makes the tree of a squash the same as the head's where main stood still", () => {
  const head = repository.commit({ branch: 'better', files: { 'a.txt': 'better' } });
  const merged = repository.merge(repository.openPullRequest({ head: 'better' }), 'squash');
  expect(merged).not.toBe(head);
  expect(repository.tree(merged)).toBe(repository.tree(head));
});

interface Entry {
  name: string;
  type: Header['type'];
  mode: number | undefined;
  link: string | null | undefined;
  time: number | undefined;
  content: string;
}

async function tarball(): Promise<string> {
  const headers = { authorization: `Bearer ${github.token({ contents: 'read' })}` };
  const response = await fetch(`${github.apiUrl}/repos/ada/digits/tarball/${sha}`, { headers, redirect: 'manual' });
  expect(response.status).toBe(302);
  return response.headers.get('location') ?? '';
}

async function entriesOf(tar: Buffer): Promise<Entry[]> {
  const entries: Entry[] = [];
  const reader = extract();
  reader.end(tar);
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const { name, type, mode, linkname, mtime } = entry.header;
    entries.push({ name, type, mode, link: linkname, time: mtime.getTime(), content: Buffer.concat(chunks).toString('hex') });
  }
  return entries;
}
