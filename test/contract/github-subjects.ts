import { openGitHub, type GitHub } from '@slashtrain/core/github/client';
import { readPullRequest } from '@slashtrain/core/github/pull-request';
import type { Log } from '@slashtrain/core/action/log';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import type { Access } from '@slashtrain/testing/github/store';

/** All that an iterable yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** A {@link Log} that keeps its lines. */
export function keptLog(): Log & { lines: string[] } {
  const lines: string[] = [];
  const keep = (text: string): void => void lines.push(text);
  const nothing = (): void => undefined;
  return {
    lines,
    info: keep,
    debug: nothing,
    notice: keep,
    warning: keep,
    error: keep,
    startGroup: keep,
    endGroup: nothing,
    mask: nothing,
  };
}

/** The permissions that the cases need, as they stand in ci.yml. */
export const allPermissions: Record<string, Access> = {
  contents: 'read',
  'pull-requests': 'write',
  checks: 'write',
};

/** A pull request to play with. */
export interface Scene {
  github: GitHub;
  /** Another client of the same account: what another job has. */
  another(): GitHub;
  number: number;
  /** The pull request's head and base commits. */
  head: string;
  base: string;
  /** A file of the head that is text, and what stands in it; undefined where it is not known. */
  file: { path: string; text: string | undefined };
  close(): Promise<void>;
}

/** Where the same cases run. */
export interface Subject {
  name: string;
  /** How many comments a case may make: GitHub allows 80 a minute. */
  comments: number;
  open(): Promise<Scene>;
}

export interface FakeScene extends Scene {
  server: FakeGitHub;
  repository: Repository;
  /** Another client of the same repository. */
  client(permissions?: Record<string, Access>, more?: Partial<Parameters<typeof openGitHub>[0]>): GitHub;
}

/** A fake GitHub with a private repository and an open pull request. */
export async function openFake(): Promise<FakeScene> {
  const server = await startGitHub();
  const repository = server.createRepository({
    owner: 'ada',
    name: 'digits',
    files: { 'README.md': '# Digits\n', 'src/train.js': 'train();\n' },
  });
  const base = repository.head();
  const head = repository.commit({ branch: 'better', files: { 'src/train.js': 'train(20);\n' }, author: 'bob' });
  const number = repository.openPullRequest({ head: 'better', author: 'bob', title: 'Train longer' });
  const client: FakeScene['client'] = (permissions = allPermissions, more = {}) =>
    openGitHub({
      token: server.token(permissions, { repository }),
      context: {
        owner: repository.owner,
        repo: repository.name,
        repositoryId: repository.id,
        apiUrl: server.apiUrl,
        serverUrl: server.url,
      },
      log: keptLog(),
      second: 1,
      ...more,
    });
  return {
    server,
    repository,
    client,
    github: client(),
    another: () => client(),
    number,
    head,
    base,
    file: { path: 'README.md', text: '# Digits\n' },
    close: () => server.close(),
  };
}

/** A pull request of a scratch repository on GitHub itself, where the environment names one. */
function realSubject(): Subject | undefined {
  const { SLASHTRAIN_GITHUB_REPOSITORY: repository, SLASHTRAIN_GITHUB_PULL_REQUEST: number, GITHUB_TOKEN: token } = process.env;
  if (!repository || !number || !token) return undefined;
  const [owner = '', repo = ''] = repository.split('/');
  return {
    name: `GitHub (${repository}#${number})`,
    comments: 3,
    open: async () => {
      const serverUrl = process.env['GITHUB_SERVER_URL'] ?? 'https://github.com';
      const apiUrl = process.env['GITHUB_API_URL'] ?? 'https://api.github.com';
      const open = (repositoryId: number): GitHub =>
        openGitHub({ token, log: keptLog(), context: { owner, repo, repositoryId, apiUrl, serverUrl } });
      const { data } = await open(0).rest.repos.get({ owner, repo });
      const github = open(data.id);
      const pull = await readPullRequest(github, Number(number));
      return {
        github,
        another: () => open(data.id),
        number: pull.number,
        head: pull.head.sha,
        base: pull.base.sha,
        file: { path: 'README.md', text: undefined },
        close: () => Promise.resolve(),
      };
    },
  };
}

const fake: Subject = { name: 'the fake GitHub', comments: 10, open: openFake };
const real = realSubject();
if (!real) {
  process.stdout.write(
    'skipped: the same cases on GitHub itself; set SLASHTRAIN_GITHUB_REPOSITORY, SLASHTRAIN_GITHUB_PULL_REQUEST and GITHUB_TOKEN\n',
  );
}
export const subjects: Subject[] = real ? [fake, real] : [fake];
