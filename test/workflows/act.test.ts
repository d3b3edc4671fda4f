import { describe, expect, it } from '@jest/globals';
import type { WorkflowEvent } from '@slashtrain/testing/github/events';
import { hasAct, runInAct } from '../support/act.ts';
import { openDigits, type DigitsWorld } from '../support/digits.ts';

/*
 * The workflow that users copy, run by act (https://github.com/nektos/act) and by our runner: both leave the same.
 * act runs workflow files with code that is not ours, so that a mistake of our runner shows.
 */
if (!hasAct) process.stdout.write('skipped: the workflow in act; put act on PATH (https://github.com/nektos/act)\n');

/** Opens a pull request on servers of its own, has it trained, and gives what is left on it. */
async function trained(
  run: (world: DigitsWorld, event: WorkflowEvent) => Promise<void>,
): Promise<{ checks: unknown; comments: string[]; reactions: string[] }> {
  const world = await openDigits();
  try {
    const { repository } = world;
    const { sha, number } = world.open({ 'NOTES.md': 'a' });
    const { comment, event } = world.comment(number, 'ada', '/train epochs=3');
    await run(world, event);
    return {
      checks: repository
        .checks(sha)
        .map(({ name, status, conclusion, output }) => ({ name, status, conclusion, title: same(output.title ?? '') })),
      comments: repository.comments(number).map(({ body, user }) => `${user.login}: ${same(body)}`),
      reactions: comment.reactions.map(({ content }) => content),
    };
  } finally {
    await world.close();
  }
}

/** What is another in every world: hashes, ports, times. */
function same(text: string): string {
  return text
    .replace(/[0-9a-f]{40,64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gu, '<id>')
    .replace(/\b[0-9a-f]{7}\b/gu, '<short>')
    .replace(/127\.0\.0\.1:\d+/gu, '<host>')
    .replace(/\b\d+(\.\d+)? (s|min)\b/gu, '<time>')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z| UTC)?/gu, '<date>')
    .replace(/actions\/runs\/\d+/gu, 'actions/runs/<run>');
}

async function inOurRunner({ workflows }: DigitsWorld, event: WorkflowEvent): Promise<void> {
  const [run] = await workflows.dispatch(event);
  expect(run?.conclusion).toBe('success');
}

const minutes = (count: number): number => count * 60_000;

describe('a comment on a pull request', () => {
  const ours = trained(inOurRunner);

  it(
    'gets a training, two checks and a report',
    async () => {
      expect(await ours).toMatchObject({
        checks: [
          { name: 'train: digits', conclusion: 'success' },
          { name: 'metrics: digits', conclusion: 'success' },
        ],
        comments: ['ada: /train epochs=3', expect.stringContaining('github-actions[bot]: ')],
        reactions: ['eyes', 'rocket'],
      });
    },
    minutes(3),
  );

  if (hasAct) {
    it(
      'gets the same in act',
      async () => {
        expect(await trained(runInAct)).toEqual(await ours);
      },
      minutes(3),
    );
  }
});
