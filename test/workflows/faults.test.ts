import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeCase, runCase, type CaseResult } from '../faults/run-case.ts';
import { sample } from '../faults/sample.ts';
import { subjects } from '../faults/subjects/index.ts';
import { openWorld, type World } from '../faults/world.ts';

/*
 * A sample of the matrix of actions, faults and moments, through the bundles: what is said is so, nothing is doubled or lost, and one
 * more run puts right what was left. All of it: `pnpm faults`; docs/reliability.md.
 */
const seed = Number(process.env['SLASHTRAIN_FAULTS_SEED'] ?? 1);
const cases = sample(seed);
let world: World;
let results: Map<number, Promise<CaseResult>>;

beforeAll(async () => {
  world = await openWorld();
  // Most of a case is waiting, so that some go on at once.
  const slots = Array.from({ length: 6 }, () => Promise.resolve());
  results = new Map(
    cases.map((one, index) => {
      const subject = subjects.find(({ name }) => name === one.subject) ?? subjects[0]!;
      const result = (slots[index % slots.length] ?? Promise.resolve()).then(() =>
        runCase(one, seed, subject, world, { onlyNeeded: true }),
      );
      slots[index % slots.length] = result.then(
        () => undefined,
        () => undefined,
      );
      return [one.number, result];
    }),
  );
});
afterAll(() => world.close());

describe.each(subjects.map(({ name }) => name))('%s goes through, or fails and says so:', (name) => {
  it.each(cases.filter(({ subject }) => subject === name).map((one) => [`${one.server}, ${one.trouble}, ${one.moment}`, one] as const))(
    '%s',
    async (_, one) => {
      const result = await results.get(one.number);
      expect(result && (result.problems.length === 0 ? '' : describeCase(result, seed))).toBe('');
    },
    280_000,
  );
});
