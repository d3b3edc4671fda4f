import type { GitHub } from './client.ts';

/** A pull request as it stands now. `title` and `labels` are hostile text. */
export interface PullRequest {
  number: number;
  state: 'open' | 'closed';
  merged: boolean;
  draft: boolean;
  title: string;
  htmlUrl: string;
  /** Absent where the account is gone. */
  author?: { id: number; login: string; type: string };
  /** `repositoryId` is absent where the fork is gone. */
  head: { sha: string; ref: string; repositoryId?: number };
  base: { sha: string; ref: string; repositoryId: number };
  /**
   * Whether the head is in another repository, by id. `head.repo.fork` says nothing of the kind: a deleted fork reads null, and
   * a fork may be the base too.
   */
  isFork: boolean;
  labels: string[];
}

/** Reads a pull request. @throws ActionError `not-found` */
export async function readPullRequest(github: GitHub, number: number): Promise<PullRequest> {
  const { data } = await github.rest.pulls.get({ ...github.at, pull_number: number });
  // The types say that it is always there; for a deleted fork it is null.
  const headRepository = data.head.repo as { id: number } | null;
  return {
    number: data.number,
    state: data.state,
    merged: data.merged,
    draft: data.draft ?? false,
    title: data.title,
    htmlUrl: data.html_url,
    ...authorOf(data.user),
    head: { sha: data.head.sha, ref: data.head.ref, ...(headRepository && { repositoryId: headRepository.id }) },
    base: { sha: data.base.sha, ref: data.base.ref, repositoryId: data.base.repo.id },
    isFork: headRepository?.id !== data.base.repo.id,
    labels: data.labels.map(({ name }) => name),
  };
}

function authorOf(user: { id: number; login: string; type: string } | null): Pick<PullRequest, 'author'> {
  return user ? { author: { id: user.id, login: user.login, type: user.type } } : {};
}

/** The paths that a pull request touches, old names of renamed files among them. GitHub names at most 3,000 files. */
export async function listTouchedPaths(github: GitHub, number: number): Promise<string[]> {
  const files = await github.paginate(github.rest.pulls.listFiles, { ...github.at, pull_number: number, per_page: 100 });
  return files.flatMap(({ filename, previous_filename: before }) => (before === undefined ? [filename] : [filename, before]));
}
