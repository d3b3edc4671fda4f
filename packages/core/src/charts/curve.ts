import type { MetricPoint } from '../metrics/metrics.ts';

/** Positions at equal distances: all that Mermaid's charts know. */
export interface Grid {
  from: number;
  to: number;
  /** At least 2. */
  count: number;
}

/** The grid on which `curves` are drawn together: from the first step of any to the last of any, at most `most` positions. */
export function gridFor(curves: readonly (readonly MetricPoint[])[], most: number): Grid | undefined {
  const steps = [...new Set(curves.flatMap((points) => points.map(({ step }) => step)))].sort((a, b) => a - b);
  const [from, to] = [steps[0], steps.at(-1)];
  if (from === undefined || to === undefined || from === to) return undefined;
  // As fine as the closest two steps, so that a curve with equal steps is drawn through its own points.
  const closest = Math.min(...steps.slice(1).map((step, index) => step - (steps[index] ?? from)));
  return { from, to, count: Math.max(2, Math.min(most, Math.round((to - from) / closest) + 1)) };
}

/**
 * A curve's values on a grid: straight between its points, level before its first and after its last. Where the grid is too
 * coarse, the extremes still stand at their nearest positions, so that no peak disappears.
 * @param points finite, by ascending step, at least one
 */
export function onGrid(points: readonly MetricPoint[], { from, to, count }: Grid): number[] {
  const distance = (to - from) / (count - 1);
  let next = 0;
  const values = Array.from({ length: count }, (_, position) => {
    const step = position === count - 1 ? to : from + position * distance;
    while ((points[next]?.step ?? Number.POSITIVE_INFINITY) < step) next++;
    return valueAt(step, points[next - 1], points[next]);
  });
  // The ends keep their own values, and what lies beside them moves in by one: where a run began and ended matters most.
  const taken = new Set([0, count - 1]);
  for (const { step, value } of extremesOf(points)) {
    const near = Math.round((step - from) / distance);
    if (values[near] === value) {
      taken.add(near);
      continue;
    }
    const inside = Math.min(Math.max(near, 1), count - 2);
    const position = [inside, inside + 1, inside - 1].find((one) => one > 0 && one < count - 1 && !taken.has(one));
    if (position === undefined) continue;
    values[position] = value;
    taken.add(position);
  }
  return values;
}

/** Straight between two points, level beyond them. */
function valueAt(step: number, before: MetricPoint | undefined, after: MetricPoint | undefined): number {
  if (!before || !after) return (before ?? after)?.value ?? Number.NaN;
  const share = (step - before.step) / (after.step - before.step);
  return before.value * (1 - share) + after.value * share;
}

function extremesOf(points: readonly MetricPoint[]): MetricPoint[] {
  const extreme = (isBetter: (a: number, b: number) => boolean): MetricPoint =>
    points.reduce((best, point) => (isBetter(point.value, best.value) ? point : best));
  return [extreme((a, b) => a < b), extreme((a, b) => a > b)];
}
