import { page, type RepositoryCall, type Routes } from '../http/api.ts';
import { notFound } from '../http/refusal.ts';
import type { Issue, Pull } from '../store.ts';
import { showChanges, showCommit, treeOf } from '../views/commit.ts';
import { showPull } from '../views/issue.ts';
import { issueAt } from './issues.ts';

const reading = ['pull_requests=read'] as const;

export function pullRoutes(routes: Routes): void {
  routes.repository('GET', '/pulls', reading, 'pulls/pulls#list-pull-requests', (call) => {
    const { query, repository, urls, store } = call;
    const state = query.get('state') ?? 'open';
    const head = query.get('head');
    const base = query.get('base');
    const items = [...repository.issues.values()]
      .filter((issue) => issue.pull && (state === 'all' || issue.state === state))
      .filter(({ pull }) => base === null || pull?.base.ref === base)
      .filter(({ pull }) => {
        const owner = store.repositories.get(pull?.head.repositoryId ?? 0)?.owner.login;
        return head === null || `${owner}:${pull?.head.ref}` === head;
      })
      .toReversed();
    return page(call, items, (issue) => showPull(urls, store, repository, issue, false));
  });

  routes.repository('GET', '/pulls/:number', reading, 'pulls/pulls#get-a-pull-request', (call) => ({
    status: 200,
    json: showPull(call.urls, call.store, call.repository, pullAt(call), true),
  }));

  // Oldest first, at most 250: https://docs.github.com/rest/pulls/pulls#list-commits-on-a-pull-request
  routes.repository('GET', '/pulls/:number/commits', reading, 'pulls/pulls#list-commits-on-a-pull-request', (call) => {
    const { pull } = pullAt(call);
    const commits = call.repository.git.between(pull.base.sha, pull.head.sha).toReversed().slice(0, 250);
    return page(call, commits, (commit) => showCommit(call.urls, call.store, call.repository, commit));
  });

  // At most 3,000: https://docs.github.com/rest/pulls/pulls#list-pull-requests-files
  routes.repository('GET', '/pulls/:number/files', reading, 'pulls/pulls#list-pull-requests-files', (call) => {
    const { repository, urls } = call;
    const { pull } = pullAt(call);
    const before = treeOf(repository, repository.git.mergeBase(pull.base.sha, pull.head.sha));
    return page(call, showChanges(urls, repository, before, treeOf(repository, pull.head.sha)).slice(0, 3000), (change) => change);
  });
}

export function pullAt(call: RepositoryCall): Issue & { pull: Pull } {
  const issue = issueAt(call);
  if (!issue.pull) throw notFound();
  return issue as Issue & { pull: Pull };
}
