import type { GitHub } from './client.ts';

/** A commit, as far as the actions care. */
export interface Commit {
  sha: string;
  /** SHA of its git tree: equal trees hold equal files. */
  tree: string;
  /** First parent first. */
  parents: string[];
}

/** Reads a commit by its full SHA. @throws ActionError `not-found` */
export async function readCommit(github: GitHub, sha: string): Promise<Commit> {
  const { data } = await github.rest.git.getCommit({ ...github.at, commit_sha: sha });
  return { sha: data.sha, tree: data.tree.sha, parents: data.parents.map((parent) => parent.sha) };
}

/** What a branch, tag or SHA is now: its commit. @throws ActionError `not-found` */
export async function resolveCommit(github: GitHub, ref: string): Promise<Commit> {
  const { data } = await github.rest.repos.getCommit({ ...github.at, ref, per_page: 1 });
  return { sha: data.sha, tree: data.commit.tree.sha, parents: data.parents.map((parent) => parent.sha) };
}

/**
 * Walks back from a commit along first parents, that commit first: the line of a base branch, without what was merged into it.
 * One request for up to 100 commits; GitHub lists all ancestors by date, so that the line is found among them by parents.
 * @param ref a branch or a SHA
 * @param limit the most commits to yield
 */
export async function* firstParents(github: GitHub, ref: string, limit: number): AsyncGenerator<Commit> {
  const known = new Map<string, Commit>();
  const pages = github.paginate
    .iterator(github.rest.repos.listCommits, { ...github.at, sha: ref, per_page: Math.min(100, Math.max(limit, 1)) })
    [Symbol.asyncIterator]();
  let next: string | undefined;
  for (let count = 0; count < limit; count++) {
    while (next === undefined || !known.has(next)) {
      const page = await pages.next();
      if (page.done) return;
      for (const { sha, commit, parents } of page.value.data) {
        known.set(sha, { sha, tree: commit.tree.sha, parents: parents.map((parent) => parent.sha) });
        // The list begins with the commit that was asked for.
        next ??= sha;
      }
    }
    const commit: Commit | undefined = known.get(next);
    if (commit === undefined) return;
    yield commit;
    next = commit.parents[0];
    if (next === undefined) return;
  }
}

/** A pull request that a commit belongs to. */
export interface AssociatedPullRequest {
  number: number;
  state: string;
  mergedAt: string | null;
  /** What its merge made on the base branch; for squash and rebase the only thing that leads from there to here. */
  mergeCommitSha: string | null;
  /** Its last head: what was trained. */
  headSha: string;
  baseRef: string;
  baseRepositoryId: number;
}

/**
 * The pull requests that GitHub names for a commit: of one on the default branch the merged one that brought it there
 * (https://docs.github.com/rest/commits/commits#list-pull-requests-associated-with-a-commit).
 */
export async function pullRequestsOf(github: GitHub, sha: string): Promise<AssociatedPullRequest[]> {
  const { data } = await github.rest.repos.listPullRequestsAssociatedWithCommit({ ...github.at, commit_sha: sha, per_page: 100 });
  return data.map((pull) => ({
    number: pull.number,
    state: pull.state,
    mergedAt: pull.merged_at,
    mergeCommitSha: pull.merge_commit_sha,
    headSha: pull.head.sha,
    baseRef: pull.base.ref,
    baseRepositoryId: pull.base.repo.id,
  }));
}
