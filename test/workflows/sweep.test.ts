import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { filesOf } from '../support/targets.ts';
import { conclusions, openWorld, said, type World } from '../support/world.ts';

/* examples/sweep over examples/digits as it stands, but for a smaller space: `/sweep`, its report, and `/train best`. */
const { '.github/workflows/slashtrain.yml': _, ...digits } = filesOf('examples/digits');
let world: World;
beforeAll(async () => {
  world = await openWorld({ files: { ...digits, ...filesOf('examples/sweep') } });
});
afterAll(() => world.close());

it('finds the best setting, and trains it in full', async () => {
  const { repository } = world;
  const { number, sha } = world.open({
    'pipelines/sweep.yaml': 'method: grid\nmetric: accuracy\ngoal: maximize\nmax-trials: 2\nparameters: { learning-rate: [0.0001, 0.1] }\n',
  });
  const early = await world.say(number, '/train best');
  expect(conclusions(early)).toEqual({ command: 'success', run: 'failure' });
  expect(said(early)).toContain('no run of pipeline "digits-sweep"');
  expect(repository.checks(sha)).toEqual([]);

  const swept = await world.say(number, '/sweep epochs=2');
  expect([said(swept), conclusions(swept)]).toEqual([expect.anything(), { command: 'success', run: 'success' }]);
  const best = await world.say(number, '/train best');
  expect([said(best), conclusions(best)]).toEqual([expect.anything(), { command: 'success', run: 'success' }]);
  expect(repository.checks(sha).map((check) => [check.name, check.conclusion])).toEqual([
    ['train: digits-sweep', 'success'],
    ['metrics: digits-sweep', 'success'],
    ['train: digits', 'success'],
    ['metrics: digits', 'success'],
  ]);
  const [sweep = '', training = ''] = repository.comments(number).flatMap(({ app, body }) => (app === undefined ? [] : [body]));
  expect(sweep).toContain('**Best setting:** `learning-rate=0.1`');
  expect(sweep).toContain('\n/sweep epochs=2\n');
  // The defaults of the manifest, but for what the sweep found.
  expect(training).toContain('| Parameter `learning-rate` | `0.1` |');
  expect(training).toContain('"step" ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]');
  expect(training).toContain('\n/train best\n');
});
