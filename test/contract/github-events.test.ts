import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkflowEvent } from '@slashtrain/testing/github/events';
import { startGitHub, type FakeGitHub } from '@slashtrain/testing/github/github';
import { publishedExamples } from '../support/webhooks.ts';

/*
 * The events that the small GitHub makes, held against the payloads that GitHub has published
 * (https://github.com/octokit/webhooks): what ours has, theirs has too, and as the same type.
 */
/** Younger than the examples, and in GitHub's description of its webhooks (https://docs.github.com/webhooks/webhook-events-and-payloads). */
const younger =
  /\.user_view_type$|^\.issue\.pull_request(\.|$)|\.allow_(squash_merge|merge_commit|rebase_merge)$|^\.pull_request\.(auto_merge|draft)$|\.disabled$/u;

let github: FakeGitHub;
let events: [string, WorkflowEvent][];

beforeAll(async () => {
  github = await startGitHub();
  const repository = github.createRepository({ owner: 'acme', name: 'digits', files: { a: 'a' } });
  repository.setPermission('ada', 'write');
  repository.commit({ branch: 'change', files: { a: 'b' } });
  const number = repository.openPullRequest({ head: 'change', author: 'ada' });
  repository.label(number, 'train-it');
  const comment = repository.comment(number, 'ada', '/train');
  const { events: make } = repository;
  const reviewed = repository.review(number, 'ada', 'APPROVED', 'Fine');
  const onLine = repository.reviewComment(number, 'ada', '/train');
  const group = repository.mergeGroup(number);
  events = [
    make.issueComment(comment),
    make.issueComment(comment, { action: 'edited', before: 'a' }),
    make.issueComment(comment, { action: 'deleted' }),
    make.pullRequest(number, { action: 'opened' }),
    make.pullRequest(number, { action: 'synchronize' }),
    make.pullRequestTarget(number, { action: 'labeled', label: 'train-it' }),
    make.pullRequestTarget(number, { action: 'closed' }),
    make.pullRequestReview(reviewed),
    make.pullRequestReviewComment(onLine),
    make.push('main', undefined),
    make.workflowDispatch({ epochs: '5' }),
    make.repositoryDispatch('retrain', { drift: 0.2 }),
    make.mergeGroup(group),
  ].map((event): [string, WorkflowEvent] => [`${event.name} ${String(event.payload['action'] ?? '')}`, event]);
});
afterAll(() => github.close());

/** Every path of a payload with its JSON type. What a workflow's author names (inputs, `client_payload`) is not GitHub's. */
function* typesOf(value: unknown, path: string): Generator<[path: string, type: string]> {
  if (/\.(inputs|client_payload)$/u.test(path)) return;
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  yield [path, type];
  if (Array.isArray(value)) for (const item of value) yield* typesOf(item, `${path}[]`);
  else if (type === 'object') for (const [key, item] of Object.entries(value as object)) yield* typesOf(item, `${path}.${key}`);
}

function known(name: string): Map<string, Set<string>> {
  const types = new Map<string, Set<string>>();
  for (const example of publishedExamples(name))
    for (const [path, type] of typesOf(example, '')) types.set(path, (types.get(path) ?? new Set()).add(type));
  return types;
}

describe('an event of the small GitHub', () => {
  it('has no field that GitHub’s published payloads do not have, and no other type', () => {
    const strange = events.flatMap(([label, { name, payload }]) => {
      const types = known(name);
      return [...typesOf(payload, '')]
        .filter(([path, type]) => {
          if (younger.test(path)) return false;
          const theirs = types.get(path);
          return !theirs || (type !== 'null' && !theirs.has(type) && !(theirs.size === 1 && theirs.has('null')));
        })
        .map(([path, type]) => `${label}: ${path} is ${type}, and GitHub's ${[...(types.get(path) ?? ['nothing'])].join(' or ')}`);
    });
    expect([...new Set(strange)]).toEqual([]);
  });
});
