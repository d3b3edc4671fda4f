import { boolean, number, value, type Scope } from './expressions.ts';

/** The jobs that a `strategy:` makes of one. */
export interface Strategy {
  /** Each is a `matrix` context. */
  combinations: Record<string, unknown>[];
  failFast: boolean;
  maxParallel: number;
}

/**
 * Reads a `strategy:` with a `matrix:` of lists, or of `include:` alone
 * (https://docs.github.com/actions/how-tos/write-workflows/choose-what-workflows-do/run-job-variations).
 * @throws Error for what GitHub refuses: a matrix that makes no job, or more than 256
 */
export function readStrategy(strategy: unknown, scope: Scope): Strategy {
  const { matrix, 'fail-fast': failFast = true, 'max-parallel': maxParallel = 256 } = value(strategy, scope) as Record<string, unknown>;
  const { include = [], ...lists } = matrix as Record<string, unknown>;
  const combinations = Object.keys(lists).length === 0 ? include : combine(lists);
  if (!Array.isArray(combinations) || !combinations.every((one) => typeof one === 'object' && one !== null && !Array.isArray(one))) {
    throw new Error('the matrix is no list of maps');
  }
  if (combinations.length === 0) throw new Error('Matrix vector does not contain any values');
  if (combinations.length > 256) throw new Error(`the matrix makes ${combinations.length} jobs; GitHub makes at most 256`);
  return {
    combinations: combinations as Strategy['combinations'],
    failFast: boolean(failFast, scope),
    maxParallel: number(maxParallel, scope),
  };
}

function combine(lists: Record<string, unknown>): Record<string, unknown>[] {
  let combinations: Record<string, unknown>[] = [Object.create(null) as Record<string, unknown>];
  for (const [name, list] of Object.entries(lists)) {
    if (!Array.isArray(list)) throw new Error(`matrix.${name} is no list`);
    combinations = combinations.flatMap((one) => list.map((item: unknown) => ({ ...one, [name]: item })));
  }
  return combinations;
}

/** How GitHub names a job of a matrix: `report (jobs.batch/…, 7, digits)`. */
export function nameOf(name: string, combination: Record<string, unknown>): string {
  const values = Object.values(combination).map((item) => (typeof item === 'object' ? JSON.stringify(item) : String(item)));
  return `${name} (${values.join(', ')})`;
}
