import type { MetricSeries } from '../metrics/metrics.ts';

/** The first, the last, the smallest, the largest, and the first that is no number. */
export const fewestPoints = 5;

/**
 * A curve with at most `most` points (from {@link fewestPoints} on): the first, the last, the smallest, the largest
 * and the first that is no number, so that no extreme and no divergence is lost; the others evenly over the curve.
 */
export function thin(series: MetricSeries, most: number): MetricSeries {
  const { points } = series;
  if (points.length <= most) return series;
  const kept = new Set([0, points.length - 1]);
  let min: number | undefined;
  let max: number | undefined;
  let odd: number | undefined;
  for (const [index, { value }] of points.entries()) {
    if (!Number.isFinite(value)) odd ??= index;
    else {
      if (min === undefined || value < (points[min]?.value ?? Infinity)) min = index;
      if (max === undefined || value > (points[max]?.value ?? -Infinity)) max = index;
    }
  }
  for (const index of [min, max, odd]) if (index !== undefined) kept.add(index);
  const room = most - kept.size;
  for (let slot = 1; slot <= room; slot += 1) kept.add(Math.round((slot * (points.length - 1)) / (room + 1)));
  return { name: series.name, points: points.filter((_, index) => kept.has(index)) };
}
