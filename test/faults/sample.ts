import { seeded } from '@slashtrain/core/metrics/random';
import { between } from '@slashtrain/testing/faults/random';
import { allCases, type FaultCase } from './cases.ts';
import { subjects } from './subjects/index.ts';

/** Of each action so many. */
const perSubject = 6;

/**
 * What `pnpm test` runs of the matrix: of each action six, drawn by the seed. Left to `pnpm faults` is what takes time by its nature: an
 * answer that never comes, a wait for the lease of a process that is gone, and GitHub's pause of a minute at 429 without Retry-After.
 */
export function sample(seed: number): FaultCase[] {
  const random = seeded(seed);
  const quick = allCases(subjects).filter((one) => !isSlow(one));
  return subjects.flatMap(({ name }) => {
    const own = quick.filter(({ subject }) => subject === name);
    return Array.from({ length: perSubject }, () => own.splice(between(random, 0, own.length - 1), 1)).flat();
  });
}

function isSlow({ subject, server, trouble, moment }: FaultCase): boolean {
  if (trouble === 'stall' || trouble === 'twin') return true;
  // What the runner's disk does is the same for all of them: packages/core/src/action/runner-files.test.ts.
  if (trouble === 'disk' || trouble.startsWith('clock')) return true;
  if (server === 'github' && trouble === 'busy') return true;
  const holdsLease = subject === 'submit-pipeline' || subject === 'deploy-model';
  return holdsLease && moment !== 'first';
}
