import { ActionError, describe } from '@slashtrain/core/action/errors';
import { formatPair, formatValue } from '@slashtrain/core/metrics/format';
import type { Prometheus } from '@slashtrain/core/trackers/prometheus';
import type { Check } from '../types.ts';
import type { Allowance, CanaryQuery } from './read.ts';

/** Which revisions queries are asked about. */
export interface Revisions {
  candidate: string;
  /** Absent where nothing was deployed before. */
  stable?: string;
}

/** Asks each query, and holds its value against its limits. A query that gives nothing, or no number, fails. */
export async function judgeQueries(
  queries: readonly CanaryQuery[],
  prometheus: Pick<Prometheus, 'value'>,
  revisions: Revisions,
  signal: AbortSignal,
): Promise<Check[]> {
  return Promise.all(
    queries.map(async (query): Promise<Check> => {
      try {
        const { candidate, stable } = revisions;
        const compares = query.maxIncrease !== undefined || query.maxDecrease !== undefined;
        const [value, before] = await Promise.all([
          prometheus.value(about(query.query, candidate)),
          compares && stable !== undefined ? prometheus.value(about(query.stableQuery ?? query.query, stable)) : undefined,
        ]);
        return { name: query.name, ...judgeValue(query, value, before) };
      } catch (error) {
        signal.throwIfAborted();
        return { name: query.name, outcome: 'fail', detail: describe(error) };
      }
    }),
  );
}

function about(query: string, revision: string): string {
  // It stands within quotes of PromQL.
  if (!/^[\w.-]+$/u.test(revision)) throw new ActionError('internal', `the revision ${JSON.stringify(revision)} cannot stand in a query`);
  return query.replaceAll('$(revision)', revision);
}

/** Holds a value of the new revision against the limits. @param stable the stable revision's value; undefined where there is none */
export function judgeValue(query: CanaryQuery, value: number, stable: number | undefined): Pick<Check, 'outcome' | 'detail'> {
  const { min, max, maxIncrease, maxDecrease } = query;
  const compares = maxIncrease !== undefined || maxDecrease !== undefined;
  if (!Number.isFinite(value)) return { outcome: 'fail', detail: `${formatValue(value)} is no number that can be judged` };
  if (stable !== undefined && !Number.isFinite(stable)) {
    return { outcome: 'fail', detail: `the stable revision's value is ${formatValue(stable)}, with which nothing can be compared` };
  }
  const problems: string[] = [];
  if (min !== undefined && value < min) problems.push(`${formatPair(value, min)[0]} is below ${min}`);
  if (max !== undefined && value > max) problems.push(`${formatPair(value, max)[0]} is above ${max}`);
  if (stable !== undefined) {
    const against = `${formatPair(value, stable).join(' against ')} of the stable revision`;
    // 1.1 times 10 is a little more than 11 in binary fractions.
    const rounding = 1e-12 * Math.max(Math.abs(value), Math.abs(stable));
    if (maxIncrease && value - stable > amountOf(maxIncrease, stable) + rounding)
      problems.push(`${against}, allowed: ${words(maxIncrease)} more`);
    if (maxDecrease && stable - value > amountOf(maxDecrease, stable) + rounding)
      problems.push(`${against}, allowed: ${words(maxDecrease)} less`);
  }
  if (problems.length > 0) return { outcome: 'fail', detail: problems.join('; ') };
  if (!compares) return { outcome: 'pass', detail: formatValue(value) };
  const [shown, before] = stable === undefined ? [formatValue(value)] : formatPair(value, stable);
  return {
    outcome: 'pass',
    detail:
      before === undefined ? `${shown}; there is no stable revision to compare with` : `${shown} against ${before} of the stable revision`,
  };
}

function amountOf(allowance: Allowance, stable: number): number {
  return 'amount' in allowance ? allowance.amount : allowance.share * Math.abs(stable);
}

function words(allowance: Allowance): string {
  return 'amount' in allowance ? String(allowance.amount) : `${Number((allowance.share * 100).toPrecision(6))}%`;
}
