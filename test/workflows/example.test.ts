import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Progress, WorkflowRun } from '@slashtrain/testing/runner/result';
import { openDigits, type DigitsWorld } from '../support/digits.ts';

/*
 * The workflow that users copy, where something goes another way than in the demo's story.
 */
let world: DigitsWorld;
let onProgress: (progress: Progress) => void;

beforeEach(async () => {
  onProgress = () => undefined;
  world = await openDigits((progress) => onProgress(progress));
});
afterEach(() => world.close());

async function say(number: number, author: string, body: string): Promise<WorkflowRun> {
  const [run] = await world.workflows.dispatch(world.comment(number, author, body).event);
  if (!run) throw new Error('the comment started no workflow');
  return run;
}

const jobs = (run: WorkflowRun): Record<string, string | undefined> => Object.fromEntries(run.jobs.map((job) => [job.id, job.conclusion]));
const check = (sha: string, name: string): { conclusion: string | undefined; title: string | undefined } | undefined => {
  const found = world.repository.checks(sha).findLast((one) => one.name === name);
  return found && { conclusion: found.conclusion, title: found.output.title };
};
const report = (number: number): string => world.repository.comments(number).find(({ app }) => app !== undefined)?.body ?? '';
const minutes = (count: number): number => count * 60_000;

describe('a comment', () => {
  it('that is talk starts no job, takes no token and asks nothing', async () => {
    const { number } = world.open({ 'NOTES.md': 'a' });
    const run = await say(number, 'ada', 'Shall we compare it with https://example.com/a/b?');
    expect(run.conclusion).toBe('skipped');
    expect(world.github.requests).toEqual([]);
    expect(world.github.store.tokens.size).toBe(0);
  });

  it('of somebody who may not is answered, and trains nothing', async () => {
    const { number, sha } = world.open({ 'NOTES.md': 'a' });
    const run = await say(number, 'eve', '/train');
    expect(jobs(run)).toMatchObject({ command: 'failure', train: 'skipped' });
    expect(world.repository.checks(sha)).toEqual([]);
    expect(report(number)).toContain('eve');
  });
});

describe('a training', () => {
  it(
    'that fails is reported with its log, and blocks',
    async () => {
      const { number, sha } = world.open({ 'settings.json': '{ "hidden": "many" }\n' });
      const run = await say(number, 'ada', '/train');
      expect(jobs(run)).toMatchObject({ command: 'success', train: 'failure', cancel: 'skipped' });
      expect(run.jobs.find(({ id }) => id === 'train')?.steps.map(({ conclusion }) => conclusion)).toEqual([
        'success',
        'success',
        'failure',
        'success',
        'success',
        'skipped',
      ]);
      expect(check(sha, 'train: digits')).toMatchObject({ conclusion: 'failure' });
      expect(check(sha, 'metrics: digits')).toMatchObject({ conclusion: 'failure' });
      expect(report(number)).toContain('failed');
    },
    minutes(3),
  );

  it(
    'is ended by /cancel, which does not wait for it',
    async () => {
      const { number, sha } = world.open({ 'NOTES.md': 'a' });
      let cancelling: Promise<WorkflowRun> | undefined;
      onProgress = (progress) => {
        if (progress.type === 'line' && progress.line.startsWith('epoch 1/')) cancelling ??= say(number, 'ada', '/cancel');
      };
      const run = await say(number, 'ada', '/train epochs=200');
      const cancelled = await cancelling;
      expect(cancelled && jobs(cancelled)).toMatchObject({ command: 'success', train: 'skipped', cancel: 'success' });
      expect(jobs(run)).toMatchObject({ train: 'failure' });
      expect(check(sha, 'train: digits')).toMatchObject({ conclusion: 'cancelled' });
      expect(check(sha, 'metrics: digits')?.conclusion).not.toBe('success');
      expect(report(number)).toContain('cancelled');
    },
    minutes(3),
  );
});

describe('a push', () => {
  it(
    'blocks until it is trained, and a closed pull request leaves nothing running',
    async () => {
      const { repository, workflows } = world;
      repository.protect('main', { requiredChecks: [{ context: 'metrics: digits' }] });
      const { number, sha } = world.open({ 'NOTES.md': 'a' });
      const [opened] = await workflows.dispatch(repository.events.pullRequestTarget(number, { action: 'opened' }));
      expect(opened && jobs(opened)).toEqual({
        command: 'skipped',
        train: 'skipped',
        deploy: 'skipped',
        cancel: 'skipped',
        pushed: 'success',
        closed: 'skipped',
      });
      expect(check(sha, 'metrics: digits')).toMatchObject({ conclusion: undefined, title: expect.stringContaining('/train') });
      expect(repository.canMerge(number).allowed).toBe(false);

      repository.close(number);
      const [closed] = await workflows.dispatch(repository.events.pullRequestTarget(number, { action: 'closed' }));
      expect(closed && jobs(closed)).toMatchObject({ pushed: 'skipped', closed: 'success' });
    },
    minutes(3),
  );
});

it('asks for no right that its jobs do not have', async () => {
  const { number } = world.open({ 'NOTES.md': 'a' });
  await world.workflows.dispatch(
    world.repository.events.pullRequestTarget(number, { action: 'synchronize', before: world.repository.head() }),
  );
  await say(number, 'ada', '/train epochs=1');
  expect(world.github.requests.filter(({ status }) => status === 401 || status === 403 || status === 501)).toEqual([]);
}, 180_000);
