import type { MetricSeries, MetricSummary } from './metrics.ts';
import { thinPoints } from './thin.ts';

/** The most points of a curve in a summary. */
export const longestHistory = 500;

/**
 * A series for a table: the last value, the extremes and the curve. The last value is what counts, NaN or not; extremes are
 * those of the values that can be compared, and NaN where there is none.
 * @returns undefined for a series without points: nothing was measured
 */
export function summarise({ name, points }: MetricSeries): MetricSummary | undefined {
  const last = points.at(-1);
  if (last === undefined) return undefined;
  let min = Number.NaN;
  let max = Number.NaN;
  let sum = 0;
  for (const { value } of points) {
    sum += value;
    if (Number.isNaN(value)) continue;
    if (!(value >= min)) min = value;
    if (!(value <= max)) max = value;
  }
  return { name, last: last.value, min, max, step: last.step, mean: sum / points.length, history: thinPoints(points, longestHistory) };
}

/** The summaries of all series that have points, in their order. */
export function summariseAll(series: readonly MetricSeries[]): MetricSummary[] {
  return series.map(summarise).filter((summary) => summary !== undefined);
}
