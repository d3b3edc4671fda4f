import { formatPair } from '@slashtrain/core/metrics/format';
import type { Gate } from '@slashtrain/core/metrics/metrics';
import { sampleOf } from '../statistics/change.ts';

/** What of `min` and `max` the mean of the samples does not keep. */
export function* boundProblems({ min, max }: Gate, values: readonly number[]): Generator<string> {
  const { mean } = sampleOf(values);
  const of = values.length === 1 ? '' : `, the mean of ${values.length} runs,`;
  // The mean of equal values may be off by its last bit.
  const rounding = values.length === 1 ? 0 : 1e-12 * Math.abs(mean);
  if (min !== undefined && mean < min - rounding) yield `${formatPair(mean, min)[0]}${of} is below the minimum of ${min}`;
  if (max !== undefined && mean > max + rounding) yield `${formatPair(mean, max)[0]}${of} is above the maximum of ${max}`;
}

/** `single run`, `3 runs`. */
export function counted(count: number): string {
  return count === 1 ? 'single run' : `${count} runs`;
}
