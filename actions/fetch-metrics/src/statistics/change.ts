import type { Change, Sample } from '@slashtrain/core/metrics/metrics';
import { seeded } from '@slashtrain/core/metrics/random';
import { exactLimit, intervalRank, leastP, mannWhitney } from './mann-whitney.ts';

/** The fewest samples a side that are tested: with three a side no difference reaches 95 %. */
export const fewestForTest = 4;
const resamples = 2000;

/** Values, one a run, as a sample. */
export function sampleOf(values: readonly number[]): Sample {
  const mean = values.reduce((all, value) => all + value, 0) / values.length;
  if (values.length < 2) return { n: values.length, mean, values: [...values] };
  const deviation = Math.sqrt(values.reduce((all, value) => all + (value - mean) ** 2, 0) / (values.length - 1));
  return { n: values.length, mean, deviation, values: [...values] };
}

/** Whether samples of these sizes are tested at all, and the test can reach the confidence. */
export function canReach(candidate: number, baseline: number, confidence: number): boolean {
  return Math.min(candidate, baseline) >= fewestForTest && leastP(candidate, baseline) <= 1 - confidence;
}

/**
 * What changed from baseline to candidate, and how certain that is.
 *
 * One run a side: the difference. From four a side, where the confidence can be reached, the Hodges–Lehmann estimate (the median
 * of all differences), with its interval by the exact distribution; above 50 a side the difference of means with a seeded
 * bootstrap. Else the difference of means, without an interval.
 * @param candidate finite values
 */
export function changeOf(candidate: readonly number[], baseline: readonly number[], confidence: number): Change {
  const means = sampleOf(candidate).mean - sampleOf(baseline).mean;
  if (candidate.length === 1 && baseline.length === 1) return { estimate: means, method: 'single' };
  if (!canReach(candidate.length, baseline.length, confidence)) return { estimate: means, method: 'means' };
  const { p } = mannWhitney(candidate, baseline);
  if (candidate.length > exactLimit || baseline.length > exactLimit) {
    return { estimate: means, ...bootstrap(candidate, baseline, confidence), p, confidence, method: 'bootstrap' };
  }
  const differences = candidate.flatMap((one) => baseline.map((other) => one - other)).sort((a, b) => a - b);
  const rank = intervalRank(candidate.length, baseline.length, confidence);
  return {
    estimate: (differences[Math.floor((differences.length - 1) / 2)]! + differences[Math.ceil((differences.length - 1) / 2)]!) / 2,
    low: differences[rank - 1]!,
    high: differences[differences.length - rank]!,
    p,
    confidence,
    method: 'exact',
  };
}

/** The percentile interval of the difference of means. Seeded: the same numbers have the same interval. */
function bootstrap(candidate: readonly number[], baseline: readonly number[], confidence: number): { low: number; high: number } {
  const random = seeded(1);
  const draw = (values: readonly number[]): number => {
    let total = 0;
    for (let index = 0; index < values.length; index++) total += values[Math.floor(random() * values.length)]!;
    return total / values.length;
  };
  const differences = Array.from({ length: resamples }, () => draw(candidate) - draw(baseline)).sort((a, b) => a - b);
  const at = (part: number): number => differences[Math.round(part * (resamples - 1))]!;
  return { low: at((1 - confidence) / 2), high: at((1 + confidence) / 2) };
}
