import { moveBranch } from './changes.ts';
import type { CommitObject, Person } from './git/objects.ts';
import { mergeFiles } from './git/merge.ts';
import { tryMerge } from './protection.ts';
import type { Account, Issue, Pull, RepositoryData, Store } from './store.ts';

export type MergeMethod = 'merge' | 'squash' | 'rebase';

/** A GitHub account as git's author: its private mail address, by which GitHub finds the account again. */
export function personOf(account: Account, date: number): Person {
  return { name: account.login, email: `${account.id}+${account.login}@users.noreply.github.com`, date };
}

/** What GitHub itself commits as. */
function web(date: number): Person {
  return { name: 'GitHub', email: 'noreply@github.com', date };
}

/**
 * Merges a pull request into its base (https://docs.github.com/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/about-pull-request-merges).
 * After a squash or a rebase no commit of the base descends from the head.
 * @returns what `merge_commit_sha` is then: the merge, the squashed commit, the last rebased one
 */
export function mergePull(store: Store, repository: RepositoryData, issue: Issue, method: MergeMethod, by: Account): string {
  const { pull } = issue;
  if (!pull || issue.state !== 'open') throw new Error(`#${issue.number} is no open pull request`);
  const base = repository.refs.get(`refs/heads/${pull.base.ref}`) ?? pull.base.sha;
  const tree = tryMerge(repository, base, pull.head.sha);
  if (tree === undefined) throw new Error(`#${issue.number} has conflicts`);
  const now = store.now();
  const sha = ((): string => {
    if (method === 'merge') {
      const head = store.repositories.get(pull.head.repositoryId)?.owner.login ?? 'unknown';
      const message = `Merge pull request #${issue.number} from ${head}/${pull.head.ref}\n\n${issue.title}`;
      return commit(repository, tree, [base, pull.head.sha], personOf(by, now), message, now);
    }
    if (method === 'squash')
      return commit(repository, tree, [base], personOf(issue.user, now), `${issue.title} (#${issue.number})\n\n${issue.body}`.trim(), now);
    return rebase(repository, base, pull, now);
  })();
  moveBranch(store, repository, pull.base.ref, sha, by, 'pr_merge');
  pull.base.sha = base;
  pull.merged = { at: store.time(), by, sha };
  issue.state = 'closed';
  issue.closedAt = store.time();
  issue.updatedAt = store.time();
  return sha;
}

/** The commit that a merge queue tries: the base and the pull requests, merged one after the other. */
export function mergeGroup(store: Store, repository: RepositoryData, issues: Issue[]): { sha: string; ref: string; base: string } {
  const last = issues.at(-1);
  const branch = last?.pull?.base.ref;
  if (!last || branch === undefined) throw new Error('a merge group needs a pull request');
  const base = repository.refs.get(`refs/heads/${branch}`) ?? '';
  let sha = base;
  for (const { number, title, pull, user } of issues) {
    const tree = tryMerge(repository, sha, pull?.head.sha ?? '');
    if (tree === undefined) throw new Error(`#${number} conflicts with what is before it in the queue`);
    const parents = [sha, pull?.head.sha ?? ''];
    sha = commit(repository, tree, parents, personOf(user, store.now()), `Merge pull request #${number}\n\n${title}`, store.now());
  }
  const ref = `refs/heads/gh-readonly-queue/${branch}/pr-${last.number}-${base}`;
  repository.refs.set(ref, sha);
  return { sha, ref, base };
}

/** What `refs/pull/N/merge` is: the base and the head merged, for trying. Undefined where they conflict. */
export function testMerge(store: Store, repository: RepositoryData, pull: Pull): string | undefined {
  const base = repository.refs.get(`refs/heads/${pull.base.ref}`) ?? pull.base.sha;
  const tree = tryMerge(repository, base, pull.head.sha);
  if (tree === undefined) return undefined;
  const now = store.now();
  return commit(repository, tree, [base, pull.head.sha], web(now), `Merge ${pull.head.sha} into ${base}`, now);
}

function commit(repository: RepositoryData, tree: string, parents: string[], author: Person, message: string, now: number): string {
  return repository.git.addCommit({ tree, parents, author, committer: web(now), message });
}

function rebase(repository: RepositoryData, base: string, pull: Pull, now: number): string {
  const { git } = repository;
  const filesAt = (one: CommitObject | undefined): ReturnType<typeof git.readFiles> => git.readFiles(one?.tree ?? '');
  let tip = base;
  for (const one of git.between(base, pull.head.sha).toReversed()) {
    if (one.parents.length > 1) continue;
    const before = filesAt(git.commits.get(one.parents[0] ?? ''));
    const { files, conflicts } = mergeFiles(before, filesAt(git.commits.get(tip)), filesAt(one));
    if (conflicts.length > 0) throw new Error(`${one.sha} conflicts with ${tip} in ${conflicts.join(', ')}`);
    tip = git.addCommit({ tree: git.writeFiles(files), parents: [tip], author: one.author, committer: web(now), message: one.message });
  }
  return tip;
}
