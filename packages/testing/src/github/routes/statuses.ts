import { countedPage, page, param, repositoryUrl, type RepositoryCall, type Routes } from '../http/api.ts';
import { oneOf, text } from '../http/fields.ts';
import { notFound, Refusal, validationFailed } from '../http/refusal.ts';
import { resolve, type Status } from '../store.ts';
import { showStatus } from '../views/check.ts';
import { showRepository } from '../views/repository.ts';

export function statusRoutes(routes: Routes): void {
  routes.repository('POST', '/statuses/:sha', ['statuses=write'], 'commits/statuses#create-a-commit-status', (call) => {
    const { body, repository, store, token, urls } = call;
    const sha = param(call, 'sha');
    if (!repository.git.commits.has(sha)) throw new Refusal(422, `No commit found for SHA: ${sha}`);
    const state = oneOf(body, 'state', ['error', 'failure', 'pending', 'success'] as const);
    if (state === undefined) throw validationFailed({ resource: 'Status', code: 'missing_field', field: 'state' });
    const status: Status = {
      id: store.nextId(),
      sha,
      state,
      context: text(body, 'context') ?? 'default',
      description: text(body, 'description') ?? '',
      targetUrl: text(body, 'target_url') ?? '',
      creator: token.app.bot,
      createdAt: store.time(),
    };
    repository.statuses.push(status);
    return { status: 201, json: showStatus(urls, repository, status) };
  });

  routes.repository(
    'GET',
    '/commits/:ref*/statuses',
    ['statuses=read'],
    'commits/statuses#list-commit-statuses-for-a-reference',
    (call) => {
      const { sha } = shaAt(call);
      const items = call.repository.statuses.filter((one) => one.sha === sha).toReversed();
      return page(call, items, (one) => showStatus(call.urls, call.repository, one));
    },
  );

  // Of each context the newest; check runs are not among them.
  routes.repository(
    'GET',
    '/commits/:ref*/status',
    ['statuses=read'],
    'commits/statuses#get-the-combined-status-for-a-specific-reference',
    (call) => {
      const { repository, store, urls } = call;
      const { sha } = shaAt(call);
      const latest = [...new Map(repository.statuses.filter((one) => one.sha === sha).map((one) => [one.context, one])).values()];
      const state = latest.some((one) => one.state === 'error' || one.state === 'failure')
        ? 'failure'
        : latest.length === 0 || latest.some((one) => one.state === 'pending')
          ? 'pending'
          : 'success';
      const listed = countedPage(call, 'statuses', latest, (one) => showStatus(urls, repository, one));
      return {
        ...listed,
        json: {
          ...(listed.json as object),
          state,
          sha,
          repository: showRepository(urls, store, repository),
          commit_url: `${repositoryUrl(urls, repository)}/commits/${sha}`,
          url: call.address,
        },
      };
    },
  );
}

function shaAt(call: RepositoryCall): { sha: string } {
  const sha = resolve(call.repository, param(call, 'ref'));
  if (sha === undefined) throw notFound();
  return { sha };
}
