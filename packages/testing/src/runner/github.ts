import type { FakeGitHub, Repository } from '../github/github.ts';
import type { Access } from '../github/store.ts';

/** What the runner needs of a GitHub: the fake one, or a stand-in of a test. */
export interface RunnerGitHub {
  /** The server's address, without a slash at its end. */
  url: string;
  repository: { owner: string; name: string; id: number };
  /** A token that may do exactly this, for one job. */
  issueToken(permissions: Record<string, string>): string | Promise<string>;
  /** The SHA that a branch points at. */
  headOf(branch: string): string;
  /** The files of a commit: path and content. */
  filesOf(sha: string): ReadonlyMap<string, Uint8Array | string>;
}

/** The fake GitHub as the runner sees it. */
export function fakeForRunner(github: FakeGitHub, repository: Repository): RunnerGitHub {
  const { git } = repository.data;
  return {
    url: github.url,
    repository: { owner: repository.owner, name: repository.name, id: repository.id },
    issueToken: (permissions) =>
      github.token(Object.fromEntries(Object.entries(permissions).filter((each): each is [string, Access] => each[1] !== 'none')), {
        repository,
      }),
    headOf: (branch) => repository.head(branch),
    filesOf: (sha) => {
      const files = git.readFiles(git.commits.get(sha)?.tree ?? '');
      return new Map([...files].map(([path, file]) => [path, git.blobs.get(file.sha) ?? '']));
    },
  };
}

/** What the token of a job may do where neither job nor workflow says it: GitHub's restricted default. */
const restricted = { contents: 'read', packages: 'read' };

/**
 * The permissions of a job's token: the job's own, else the workflow's; what is not named is none
 * (https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#permissions).
 */
export function permissionsOf(job: unknown, workflow: unknown): Record<string, string> {
  const written = job ?? workflow ?? restricted;
  if (typeof written === 'string') throw new Error(`this runner does not support permissions: ${written}; name each permission`);
  return Object.assign(Object.create(null) as Record<string, string>, written);
}
