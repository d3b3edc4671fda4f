import type { MetricSeries } from '../metrics/metrics.ts';
import { thinPoints } from '../metrics/thin.ts';

export { fewestPoints } from '../metrics/thin.ts';

/** A series with at most `most` points (from {@link fewestPoints} on), see {@link thinPoints}. */
export function thin(series: MetricSeries, most: number): MetricSeries {
  return series.points.length <= most ? series : { name: series.name, points: thinPoints(series.points, most) };
}
