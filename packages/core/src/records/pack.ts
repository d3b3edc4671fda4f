import { gunzipSync, gzipSync } from 'node:zlib';
import { jsonNumber, numberOf } from '../metrics/lines.ts';
import type { MetricSeries, RunMetrics } from '../metrics/metrics.ts';
import { thin } from './thin.ts';
import { readMetricsJson, type StoredMetrics } from './validate.ts';

/** A ConfigMap holds 1 MiB (https://kubernetes.io/docs/concepts/configuration/configmap/); the rest is for its metadata. */
export const largestMetrics = 900 * 1024;
// More points than this cannot fit, however well they compress; spares the time to try.
const mostPoints = 2_000_000;
const largestUnpacked = 256 * 1024 * 1024;
// First, last, smallest, largest, and the first that is no number.
const fewest = 5;
const curveLengths = [10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, fewest];
const shownNames = 10;

/**
 * Compresses metrics to at most `limit` bytes: first curves that no gate looks at are thinned, then the gated ones,
 * then whole series are dropped, the longest names and curves first and gated ones last. What was left out is said in `dropped`.
 */
export function packMetrics(metrics: RunMetrics, gated: ReadonlySet<string> = new Set(), limit = largestMetrics): Buffer {
  const points = metrics.series.reduce((sum, { points: { length } }) => sum + length, 0);
  if (points <= mostPoints) {
    const whole = compress(metrics, []);
    if (whole.length <= limit) return whole;
  }
  for (const [free, held] of [
    ...curveLengths.map((length) => [length, Infinity] as const),
    ...curveLengths.map((length) => [fewest, length] as const),
  ]) {
    const series = metrics.series.map((one) => thin(one, gated.has(one.name) ? held : free));
    if (series.reduce((sum, { points: { length } }) => sum + length, 0) > mostPoints) continue;
    const packed = compress({ ...metrics, series }, said(metrics.series, series));
    if (packed.length <= limit) return packed;
  }
  return packSome(metrics, gated, limit);
}

/** Keeps as many of the shortest series as fit, the gated ones first. */
function packSome(metrics: RunMetrics, gated: ReadonlySet<string>, limit: number): Buffer {
  const ordered = metrics.series
    .map((one) => thin(one, fewest))
    .toSorted((a, b) => Number(gated.has(b.name)) - Number(gated.has(a.name)) || a.name.length - b.name.length);
  // The size grows with the number of series: find the largest number that fits.
  let fits = 0;
  let best = compress({ ...metrics, series: [] }, said(metrics.series, []));
  for (let low = 1, high = ordered.length; low <= high;) {
    const middle = Math.floor((low + high) / 2);
    const series = ordered.slice(0, middle);
    const packed = compress({ ...metrics, series }, said(metrics.series, series));
    if (packed.length <= limit) {
      best = packed;
      fits = middle;
      low = fits + 1;
    } else {
      high = middle - 1;
    }
  }
  return best;
}

/** What was left out, in words. */
function said(before: readonly MetricSeries[], after: readonly MetricSeries[]): string[] {
  const kept = new Map(after.map((one) => [one.name, one.points.length]));
  const words = before.flatMap(({ name, points }) => {
    const shown = JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
    const length = kept.get(name);
    if (length === undefined) return [`${shown} was left out, with ${points.length} points`];
    return length < points.length ? [`the curve of ${shown} has ${length} of ${points.length} points`] : [];
  });
  const more = words.length - shownNames;
  return more > 0 ? [...words.slice(0, shownNames), `${more} more were thinned or left out`] : words;
}

function compress(metrics: RunMetrics, dropped: string[]): Buffer {
  const stored: StoredMetrics = {
    version: 1,
    series: metrics.series.map(({ name, points }) => ({
      name,
      points: points.map(({ step, value }) => ({ step, value: jsonNumber(value) })),
    })),
    dropped: [...metrics.dropped, ...dropped],
  };
  return gzipSync(JSON.stringify(stored));
}

/** @returns undefined for bytes that {@link packMetrics} did not make */
export function unpackMetrics(bytes: Buffer): RunMetrics | undefined {
  let text: string;
  try {
    text = gunzipSync(bytes, { maxOutputLength: largestUnpacked }).toString('utf8');
  } catch {
    // No gzip, or a bomb: not ours.
    return undefined;
  }
  const stored = readMetricsJson(text);
  return (
    stored && {
      ...stored,
      series: stored.series.map(({ name, points }) => ({
        name,
        points: points.map(({ step, value }) => ({ step, value: numberOf(value) ?? Number.NaN })),
      })),
    }
  );
}
