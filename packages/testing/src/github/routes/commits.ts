import { page, param, repositoryUrl, type RepositoryCall, type Routes } from '../http/api.ts';
import { notFound, Refusal } from '../http/refusal.ts';
import type { CommitObject } from '../git/objects.ts';
import { fullName, resolve } from '../store.ts';
import { showChanges, showCommit, showGitCommit, treeOf } from '../views/commit.ts';
import { showPull } from '../views/issue.ts';

export function commitRoutes(routes: Routes): void {
  routes.repository('GET', '/git/commits/:sha', ['contents=read'], 'git/commits#get-a-commit-object', (call) => {
    const commit = call.repository.git.commits.get(param(call, 'sha'));
    if (!commit) throw notFound();
    return { status: 200, json: showGitCommit(call.urls, call.repository, commit) };
  });

  routes.repository('GET', '/commits', ['contents=read'], 'commits/commits#list-commits', (call) => {
    const { repository, query, urls, store } = call;
    const start = query.get('sha') ?? repository.defaultBranch;
    const sha = resolve(repository, start);
    if (sha === undefined) throw notFound();
    const path = query.get('path');
    const touches = (commit: CommitObject): boolean =>
      path === null ||
      repository.git.lookUp(commit.tree, path)?.sha !== repository.git.lookUp(treeOf(repository, commit.parents[0]), path)?.sha;
    return page(call, repository.git.history(sha).filter(touches), (commit) => showCommit(urls, store, repository, commit));
  });

  routes.repository(
    'GET',
    '/commits/:sha/pulls',
    ['pull_requests=read'],
    'commits/commits#list-pull-requests-associated-with-a-commit',
    (call) => {
      const { repository, urls, store } = call;
      const sha = param(call, 'sha');
      if (!repository.git.commits.has(sha)) throw new Refusal(422, `No commit found for SHA: ${sha}`);
      return page(call, pullsOf(call, sha), (issue) => showPull(urls, store, repository, issue, false));
    },
  );

  routes.repository('GET', '/commits/:ref*', ['contents=read'], 'commits/commits#get-a-commit', (call) => {
    const commit = commitAt(call, param(call, 'ref'));
    return { status: 200, json: showCommit(call.urls, call.store, call.repository, commit, true) };
  });

  routes.repository('GET', '/compare/:basehead*', ['contents=read'], 'commits/commits#compare-two-commits', (call) => {
    const { repository, urls, store } = call;
    const { git } = repository;
    const match = /^(.+?)\.\.\.?(.+)$/u.exec(param(call, 'basehead'));
    if (!match) throw notFound();
    const [base, head] = [sideOf(call, match[1] ?? ''), sideOf(call, match[2] ?? '')];
    const merge = git.mergeBase(base.sha, head.sha);
    const mergeBase = merge === undefined ? undefined : git.commits.get(merge);
    if (!mergeBase) throw new Refusal(404, `No common ancestor between ${match[1]} and ${match[2]}.`);
    const ahead = git.between(base.sha, head.sha);
    const behind = git.between(head.sha, base.sha);
    const status = ahead.length === 0 ? (behind.length === 0 ? 'identical' : 'behind') : behind.length === 0 ? 'ahead' : 'diverged';
    const url = `${repositoryUrl(urls, repository)}/compare/${match[0]}`;
    const html = `${urls.server}/${fullName(repository)}/compare/${match[0]}`;
    return {
      status: 200,
      json: {
        url,
        html_url: html,
        permalink_url: html,
        diff_url: `${html}.diff`,
        patch_url: `${html}.patch`,
        base_commit: showCommit(urls, store, repository, base),
        merge_base_commit: showCommit(urls, store, repository, mergeBase),
        status,
        ahead_by: ahead.length,
        behind_by: behind.length,
        total_commits: ahead.length,
        commits: ahead.toReversed().map((commit) => showCommit(urls, store, repository, commit)),
        files: showChanges(urls, repository, mergeBase.tree, head.tree),
      },
    };
  });
}

function commitAt({ repository }: RepositoryCall, ref: string): CommitObject {
  const sha = resolve(repository, ref);
  const commit = sha === undefined ? undefined : repository.git.commits.get(sha);
  // https://docs.github.com/rest/commits/commits#get-a-commit
  if (!commit) throw new Refusal(422, `No commit found for SHA: ${ref}`);
  return commit;
}

/** `owner:branch` is a fork's. */
function sideOf(call: RepositoryCall, name: string): CommitObject {
  const [, owner, branch] = /^([^:]+):(.+)$/u.exec(name) ?? [];
  if (owner === undefined || branch === undefined) {
    const sha = resolve(call.repository, name);
    const commit = sha === undefined ? undefined : call.repository.git.commits.get(sha);
    if (!commit) throw notFound();
    return commit;
  }
  const fork = [...call.store.repositories.values()].find(
    (one) => one.git === call.repository.git && one.owner.login.toLowerCase() === owner.toLowerCase(),
  );
  if (!fork) throw notFound();
  return sideOf({ ...call, repository: fork }, branch);
}

/**
 * The merged pull request that brought a commit to the default branch; of a commit that is not on it, open and merged ones that
 * hold it (https://docs.github.com/rest/commits/commits#list-pull-requests-associated-with-a-commit).
 */
function pullsOf({ repository }: RepositoryCall, sha: string): ReturnType<typeof issuesWithPull> {
  const { git } = repository;
  const tip = repository.refs.get(`refs/heads/${repository.defaultBranch}`) ?? '';
  const onDefault = git.history(tip).some((commit) => commit.sha === sha);
  return issuesWithPull(repository).filter(({ pull, state }) => {
    if (!pull || (!pull.merged && state === 'closed')) return false;
    if (onDefault && !pull.merged) return false;
    const brought = pull.merged ? git.between(pull.base.sha, pull.merged.sha) : [];
    return [...brought, ...git.between(pull.base.sha, pull.head.sha)].some((commit) => commit.sha === sha);
  });
}

function issuesWithPull(repository: RepositoryCall['repository']) {
  return [...repository.issues.values()].filter((issue) => issue.pull !== undefined);
}
