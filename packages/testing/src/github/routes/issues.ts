import { numberParam, page, param, type RepositoryCall, type Routes } from '../http/api.ts';
import { oneOf, requiredText, text, texts } from '../http/fields.ts';
import { notFound, validationFailed } from '../http/refusal.ts';
import { addIssue, addLabel, checkBody } from '../changes.ts';
import type { Issue } from '../store.ts';
import { showIssue, showLabel } from '../views/issue.ts';

const either = ['issues=write', 'pull_requests=write'] as const;

export function issueRoutes(routes: Routes): void {
  routes.repository('GET', '/issues', ['issues=read'], 'issues/issues#list-repository-issues', (call) => {
    const { query, repository, urls } = call;
    const state = query.get('state') ?? 'open';
    const labels = (query.get('labels') ?? '').split(',').filter((name) => name !== '');
    const items = [...repository.issues.values()]
      .filter((issue) => state === 'all' || issue.state === state)
      .filter((issue) => labels.every((name) => issue.labels.some((label) => label.name === name)))
      .toReversed();
    return page(call, items, (issue) => showIssue(urls, repository, issue));
  });

  routes.repository('POST', '/issues', ['issues=write'], 'issues/issues#create-an-issue', (call) => {
    const { body, repository, store, token, urls } = call;
    const title = text(body, 'title')?.trim() ?? '';
    if (title === '') throw validationFailed({ resource: 'Issue', code: 'missing_field', field: 'title' });
    const markdown = text(body, 'body') ?? '';
    checkBody('Issue', markdown);
    const issue = addIssue(store, repository, { title, body: markdown, user: token.app.bot });
    for (const name of texts(body, 'labels') ?? []) issue.labels.push(addLabel(store, repository, name));
    return { status: 201, json: showIssue(urls, repository, issue) };
  });

  routes.repository('GET', '/issues/:number', ['issues=read', 'pull_requests=read'], 'issues/issues#get-an-issue', (call) => ({
    status: 200,
    json: showIssue(call.urls, call.repository, issueAt(call)),
  }));

  routes.repository('PATCH', '/issues/:number', either, 'issues/issues#update-an-issue', (call) => {
    const { body, repository, store, urls } = call;
    const issue = issueAt(call);
    const markdown = text(body, 'body');
    if (markdown !== undefined) checkBody('Issue', markdown);
    issue.title = text(body, 'title') ?? issue.title;
    issue.body = markdown ?? issue.body;
    const state = oneOf(body, 'state', ['open', 'closed'] as const);
    if (state !== undefined) {
      issue.state = state;
      issue.closedAt = state === 'closed' ? store.time() : undefined;
    }
    const labels = texts(body, 'labels');
    if (labels) issue.labels = labels.map((name) => addLabel(store, repository, name));
    issue.updatedAt = store.time();
    return { status: 200, json: showIssue(urls, repository, issue) };
  });

  routes.repository(
    'GET',
    '/issues/:number/labels',
    ['issues=read', 'pull_requests=read'],
    'issues/labels#list-labels-for-an-issue',
    (call) => page(call, issueAt(call).labels, (label) => showLabel(call.urls, call.repository, label)),
  );

  routes.repository('POST', '/issues/:number/labels', either, 'issues/labels#add-labels-to-an-issue', (call) => {
    const issue = issueAt(call);
    for (const name of texts(call.body, 'labels') ?? []) {
      const label = addLabel(call.store, call.repository, name);
      if (!issue.labels.includes(label)) issue.labels.push(label);
    }
    return { status: 200, json: issue.labels.map((label) => showLabel(call.urls, call.repository, label)) };
  });

  routes.repository('DELETE', '/issues/:number/labels/:name', either, 'issues/labels#remove-a-label-from-an-issue', (call) => {
    const issue = issueAt(call);
    const name = param(call, 'name');
    if (!issue.labels.some((label) => label.name === name)) throw notFound();
    issue.labels = issue.labels.filter((label) => label.name !== name);
    return { status: 200, json: issue.labels.map((label) => showLabel(call.urls, call.repository, label)) };
  });

  routes.repository('GET', '/labels', ['issues=read', 'pull_requests=read'], 'issues/labels#list-labels-for-a-repository', (call) =>
    page(call, [...call.repository.labels.values()], (label) => showLabel(call.urls, call.repository, label)),
  );

  routes.repository('POST', '/labels', either, 'issues/labels#create-a-label', (call) => {
    const name = requiredText(call.body, 'name');
    if (call.repository.labels.has(name.toLowerCase()))
      throw validationFailed({ resource: 'Label', code: 'already_exists', field: 'name' });
    return { status: 201, json: showLabel(call.urls, call.repository, addLabel(call.store, call.repository, name)) };
  });
}

/** @throws Refusal 404 */
export function issueAt(call: RepositoryCall, name = 'number'): Issue {
  const issue = call.repository.issues.get(numberParam(call, name));
  if (!issue) throw notFound();
  return issue;
}
