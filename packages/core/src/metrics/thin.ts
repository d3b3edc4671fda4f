import type { MetricPoint } from './metrics.ts';

/** The first, the last, the smallest, the largest, and the first that is no number. */
export const fewestPoints = 5;

/**
 * At most `most` points of a curve (from {@link fewestPoints} on): the first, the last, the smallest, the largest and the first that is no number,
 * so that no extreme and no divergence is lost; the others evenly over the curve. In the curve's order.
 */
export function thinPoints(points: readonly MetricPoint[], most: number): MetricPoint[] {
  const room = Math.max(most, fewestPoints);
  if (points.length <= room) return [...points];
  const kept = new Set([0, points.length - 1, ...extremes(points)]);
  for (let slot = 1, free = room - kept.size; slot <= free; slot++) kept.add(Math.round((slot * (points.length - 1)) / (free + 1)));
  return points.filter((_, index) => kept.has(index));
}

/** The indexes of the smallest and the largest finite value and of the first that is not finite, where there are such. */
function extremes(points: readonly MetricPoint[]): number[] {
  let least: { index: number; value: number } | undefined;
  let most: { index: number; value: number } | undefined;
  for (const [index, { value }] of points.entries()) {
    if (!Number.isFinite(value)) continue;
    if (!least || value < least.value) least = { index, value };
    if (!most || value > most.value) most = { index, value };
  }
  const odd = points.findIndex(({ value }) => !Number.isFinite(value));
  return [least?.index ?? -1, most?.index ?? -1, odd].filter((index) => index >= 0);
}
