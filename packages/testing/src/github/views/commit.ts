import type { components } from '@octokit/openapi-types';
import type { CommitObject, Person } from '../git/objects.ts';
import { diffFiles } from '../git/merge.ts';
import { patchOf } from '../git/patch.ts';
import { repositoryUrl, type Urls } from '../http/api.ts';
import { fullName, isoTime, type RepositoryData, type Store } from '../store.ts';
import { nodeId, showAccount } from './account.ts';

type Schemas = components['schemas'];

const unsigned = { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null } as const;

function showPerson({ name, email, date }: Person): { name: string; email: string; date: string } {
  return { name, email, date: isoTime(date) };
}

/** GitHub finds an author's account by the mail address. */
function accountOf(urls: Urls, store: Store, person: Person): Schemas['simple-user'] | null {
  const login = /^(?:\d+\+)?([^@]+)@users\.noreply\.github\.com$/u.exec(person.email)?.[1];
  const account = login === undefined ? undefined : store.accounts.get(login.toLowerCase());
  return account ? showAccount(urls, account) : null;
}

/** `GET /repos/{owner}/{repo}/commits/{ref}`; `files` where asked for. */
export function showCommit(
  urls: Urls,
  store: Store,
  repository: RepositoryData,
  commit: CommitObject,
  withFiles = false,
): Schemas['commit'] {
  const url = repositoryUrl(urls, repository);
  const html = `${urls.server}/${fullName(repository)}/commit`;
  return {
    sha: commit.sha,
    node_id: nodeId('Commit', commit.sha),
    commit: {
      author: showPerson(commit.author),
      committer: showPerson(commit.committer),
      message: commit.message.replace(/\n$/u, ''),
      tree: { sha: commit.tree, url: `${url}/git/trees/${commit.tree}` },
      url: `${url}/git/commits/${commit.sha}`,
      comment_count: 0,
      verification: unsigned,
    },
    url: `${url}/commits/${commit.sha}`,
    html_url: `${html}/${commit.sha}`,
    comments_url: `${url}/commits/${commit.sha}/comments`,
    author: accountOf(urls, store, commit.author),
    committer: accountOf(urls, store, commit.committer),
    parents: commit.parents.map((sha) => ({ sha, url: `${url}/commits/${sha}`, html_url: `${html}/${sha}` })),
    ...(withFiles ? { files: showChanges(urls, repository, treeOf(repository, commit.parents[0]), commit.tree) } : {}),
  };
}

/** `GET /repos/{owner}/{repo}/git/commits/{sha}` */
export function showGitCommit(urls: Urls, repository: RepositoryData, commit: CommitObject): Schemas['git-commit'] {
  const url = repositoryUrl(urls, repository);
  const html = `${urls.server}/${fullName(repository)}/commit`;
  return {
    sha: commit.sha,
    node_id: nodeId('Commit', commit.sha),
    url: `${url}/git/commits/${commit.sha}`,
    html_url: `${html}/${commit.sha}`,
    author: showPerson(commit.author),
    committer: showPerson(commit.committer),
    tree: { sha: commit.tree, url: `${url}/git/trees/${commit.tree}` },
    message: commit.message.replace(/\n$/u, ''),
    parents: commit.parents.map((sha) => ({ sha, url: `${url}/git/commits/${sha}`, html_url: `${html}/${sha}` })),
    verification: unsigned,
  };
}

export function treeOf(repository: RepositoryData, sha: string | undefined): string {
  return (sha === undefined ? undefined : repository.git.commits.get(sha)?.tree) ?? '';
}

/** The content of a file at a commit. */
export function blobAt(repository: RepositoryData, commit: string | undefined, path: string): Buffer | undefined {
  const entry = repository.git.lookUp(treeOf(repository, commit), path);
  return entry && repository.git.blobs.get(entry.sha);
}

/** Changed files between two trees, with their lines. */
export function showChanges(urls: Urls, repository: RepositoryData, before: string, after: string): Schemas['diff-entry'][] {
  const { git } = repository;
  const url = repositoryUrl(urls, repository);
  const html = `${urls.server}/${fullName(repository)}`;
  const [old, now] = [git.readFiles(before), git.readFiles(after)];
  return diffFiles(old, now).map(({ path, status, previousPath, sha }) => {
    const blobs = [old.get(previousPath ?? path), now.get(path)].map((file) => git.blobs.get(file?.sha ?? ''));
    const { additions, deletions, patch } = patchOf(blobs[0], blobs[1]);
    return {
      sha,
      filename: path,
      status,
      additions,
      deletions,
      changes: additions + deletions,
      blob_url: `${html}/blob/${path}`,
      raw_url: `${html}/raw/${path}`,
      contents_url: `${url}/contents/${encodeURIComponent(path)}`,
      ...(patch === undefined ? {} : { patch }),
      ...(previousPath === undefined ? {} : { previous_filename: previousPath }),
    };
  });
}
