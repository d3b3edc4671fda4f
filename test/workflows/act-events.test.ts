import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowEvent } from '@slashtrain/testing/github/events';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { fakeForRunner } from '@slashtrain/testing/runner/github';
import { WorkflowRuns } from '@slashtrain/testing/runner/workflow-runs';
import { hasAct, runInAct, type ActWorld } from '../support/act.ts';
import { inPublishedShape } from '../support/webhooks.ts';

/*
 * chatops-parse under every event that can start something, on the whole payload that GitHub publishes: by our runner
 * and by act, which sets the runner's variables with code that is not ours. Both give the same outputs.
 */
if (!hasAct) process.stdout.write('skipped: the events in act; put act on PATH (https://github.com/nektos/act)\n');

const workflow = `
on:
  issue_comment:
  pull_request_target: { types: [opened, labeled, synchronize, closed] }
  pull_request_review:
  pull_request_review_comment:
  push: { branches: [main] }
  schedule: [{ cron: 0 3 * * * }]
  workflow_dispatch:
  repository_dispatch:
permissions: {}
jobs:
  parse:
    runs-on: ubuntu-latest
    permissions: { contents: read, pull-requests: write }
    steps:
      - id: parse
        uses: slashtrain/slashtrain/actions/chatops-parse@chatops-parse/v1
        with:
          command: \${{ contains('push schedule workflow_dispatch repository_dispatch', github.event_name) && '/train epochs=5' || '' }}
      - run: node -e 'fs.writeFileSync(process.env.FILE, process.env.OUTPUTS)'
        env:
          FILE: \${{ vars.SEEN }}
          OUTPUTS: \${{ toJSON(steps.parse.outputs) }}
`.replaceAll('\\$', '$');

const config = `
commands:
  train:
    permission: write
    arguments: { epochs: { type: integer, default: 1 } }
triggers:
  push: /train
  labels: { train-it: /train epochs=3 }
  review: /train epochs=2
  merge: /train epochs=4
`;

let folder: string;
let github: FakeGitHub;
let world: ActWorld;
let events: Record<string, () => WorkflowEvent>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slashtrain-events-'));
  // A pull request is as old as its head: what comes a minute later is about that head.
  let past = 60 * 60_000;
  github = await startGitHub({ now: () => Date.now() - past });
  const repository: Repository = github.createRepository({
    owner: 'acme',
    name: 'digits',
    files: { '.github/slashtrain.yml': config, '.github/workflows/events.yml': workflow },
  });
  repository.setPermission('ada', 'write');
  repository.commit({ branch: 'change', files: { 'train.js': 'a' }, author: 'ada' });
  const number = repository.openPullRequest({ head: 'change', author: 'ada' });
  repository.label(number, 'train-it');
  past -= 60_000;
  const { events: make } = repository;
  events = {
    'a comment': () => make.issueComment(repository.comment(number, 'ada', '/train epochs=7')),
    talk: () => make.issueComment(repository.comment(number, 'ada', 'Fine.')),
    'a push to a pull request': () => make.pullRequestTarget(number, { action: 'synchronize', by: 'ada' }),
    'a label': () => make.pullRequestTarget(number, { action: 'labeled', label: 'train-it', by: 'ada' }),
    'an approving review': () => make.pullRequestReview(repository.review(number, 'ada', 'APPROVED', 'Fine')),
    'a comment on a line': () => make.pullRequestReviewComment(repository.reviewComment(number, 'ada', '/train epochs=6')),
    'a push': () => make.push('main', undefined, 'ada'),
    'a schedule': () => make.schedule('0 3 * * *'),
    'a dispatch of the workflow': () => make.workflowDispatch({}, 'ada'),
    'a dispatch by API': () => make.repositoryDispatch('retrain', { drift: 0.2 }, 'ada'),
    // The last, since the pull request is closed from then on.
    'a merge': () => {
      repository.merge(number);
      return make.pullRequestTarget(number, { action: 'closed', by: 'ada' });
    },
  };
  world = { github, repository, settings: { secrets: {}, vars: { SEEN: join(folder, 'seen.json') } } };
});
afterAll(async () => {
  await github.close();
  rmSync(folder, { recursive: true, force: true });
});

const seen = (): Record<string, string> => JSON.parse(readFileSync(world.settings.vars['SEEN']!, 'utf8')) as Record<string, string>;

async function inOurRunner(event: WorkflowEvent): Promise<Record<string, string>> {
  const runs = new WorkflowRuns({ github: fakeForRunner(github, world.repository), ...world.settings });
  const [run] = await runs.dispatch(event);
  expect(run?.conclusion).toBe('success');
  return seen();
}

async function inAct(event: WorkflowEvent): Promise<Record<string, string>> {
  await runInAct(world, event);
  return seen();
}

describe('an event of GitHub, in our runner and in act', () => {
  it.each([
    ['a comment', { matched: 'true', arguments: '{"epochs":7}', actor: 'ada' }],
    ['talk', { matched: 'false', command: '' }],
    ['a push to a pull request', { matched: 'true', arguments: '{"epochs":1}', actor: 'ada' }],
    ['a label', { matched: 'true', arguments: '{"epochs":3}', actor: 'ada' }],
    ['an approving review', { matched: 'true', arguments: '{"epochs":2}', actor: 'ada' }],
    ['a comment on a line', { matched: 'true', arguments: '{"epochs":6}', actor: 'ada' }],
    ['a push', { matched: 'true', arguments: '{"epochs":5}', 'head-ref': 'main' }],
    ['a schedule', { matched: 'true', arguments: '{"epochs":5}', 'head-ref': 'main' }],
    ['a dispatch of the workflow', { matched: 'true', arguments: '{"epochs":5}', actor: 'ada' }],
    ['a dispatch by API', { matched: 'true', arguments: '{"epochs":5}', actor: 'ada' }],
    ['a merge', { matched: 'true', arguments: '{"epochs":4}', actor: 'ada' }],
  ])('%s', async (name, outputs) => {
    const event = inPublishedShape(events[name]!());
    const ours = await inOurRunner(event);
    expect(ours).toMatchObject(outputs);
    if (!hasAct) return;
    const theirs = await inAct(event);
    // No payload names the commit of these: act takes its own checkout's.
    const { sha } = ['schedule', 'workflow_dispatch', 'repository_dispatch'].includes(event.name) ? ours : theirs;
    expect({ ...theirs, sha }).toEqual(ours);
  });
});
