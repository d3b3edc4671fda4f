import { gunzipSync, gzipSync } from 'node:zlib';
import { jsonNumber, numberOf } from '../metrics/lines.ts';
import type { MetricPoint, MetricSeries, RunMetrics } from '../metrics/metrics.ts';
import type { Trial } from '../sweep/sweep.ts';
import { fewestPoints, thin } from './thin.ts';
import { packMetric, readTrial } from './pack-trials.ts';

/** A ConfigMap holds 1 MiB (https://kubernetes.io/docs/concepts/configuration/configmap/); the rest is for its metadata. */
export const largestMetrics = 900 * 1024;
// More points than this cannot fit, however well they compress; spares the time to try.
const mostPoints = 1_000_000;
const largestUnpacked = 256 * 1024 * 1024;
const curveLengths = [10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, fewestPoints];
// How many points a curve keeps, without and with a gate: first the ungated ones get shorter.
const steps = [
  { free: Infinity, gated: Infinity },
  ...curveLengths.map((free) => ({ free, gated: Infinity })),
  ...curveLengths.map((gated) => ({ free: fewestPoints, gated })),
];
const shownNames = 10;
const mostGuesses = 8;

/**
 * Compresses metrics to at most `limit` bytes: first curves that no gate looks at are thinned, then the gated ones,
 * then whole series are left out, those with the longest names first and the gated ones last. `dropped` says what.
 */
export function packMetrics(metrics: RunMetrics, gated: ReadonlySet<string> = new Set(), limit = largestMetrics): Buffer {
  const at = (step: number): Buffer | undefined => {
    const packed = packThinned(metrics, gated, steps[step] ?? { free: 0, gated: 0 });
    return packed && packed.length <= limit ? packed : undefined;
  };
  const whole = at(0);
  if (whole) return whole;
  let best = at(steps.length - 1);
  if (!best) return packSome(metrics, gated, limit);
  // The sizes fall from step to step: find the first that fits.
  for (let low = 1, high = steps.length - 2; low <= high;) {
    const middle = Math.floor((low + high) / 2);
    const packed = at(middle);
    if (packed) {
      best = packed;
      high = middle - 1;
    } else {
      low = middle + 1;
    }
  }
  return best;
}

function packThinned(metrics: RunMetrics, gated: ReadonlySet<string>, most: { free: number; gated: number }): Buffer | undefined {
  const series = metrics.series.map((one) => thin(one, gated.has(one.name) ? most.gated : most.free));
  const points = series.reduce((sum, one) => sum + one.points.length, 0);
  return points > mostPoints ? undefined : compress(metrics, series);
}

/** Keeps as many series as fit, each as short as can be: the gated ones first, then those with the shortest names. */
function packSome(metrics: RunMetrics, gated: ReadonlySet<string>, limit: number): Buffer {
  const ordered = metrics.series
    .map((one) => thin(one, fewestPoints))
    .toSorted((a, b) => Number(gated.has(b.name)) - Number(gated.has(a.name)) || a.name.length - b.name.length);
  let best = compress(metrics, []);
  let count = Math.min(ordered.length, mostPoints / fewestPoints);
  for (let guess = 0; guess < mostGuesses && count > 0; guess += 1) {
    const packed = compress(metrics, ordered.slice(0, count));
    if (packed.length <= limit) return packed.length > best.length ? packed : best;
    best = best.length > limit ? packed : best;
    // The size grows with their number, a little less than in proportion.
    count = Math.floor((count * limit * 0.95) / packed.length);
  }
  return best;
}

function compress(whole: RunMetrics, kept: readonly MetricSeries[]): Buffer {
  const series = kept.map(({ name, points }) => ({ name, points: points.map(({ step, value }) => ({ step, value: jsonNumber(value) })) }));
  const trials = whole.trials && { trials: whole.trials.map((trial) => ({ ...trial, metrics: trial.metrics.map(packMetric) })) };
  return gzipSync(JSON.stringify({ version: 1, series, ...trials, dropped: [...whole.dropped, ...said(whole.series, kept)] }));
}

/** What was left out, in words. */
function said(before: readonly MetricSeries[], after: readonly MetricSeries[]): string[] {
  const kept = new Map(after.map((one) => [one.name, one.points.length]));
  const less = before.filter(({ name, points }) => kept.get(name) !== points.length);
  const words = less.slice(0, shownNames).map(({ name, points }) => {
    const shown = JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
    const length = kept.get(name);
    return length === undefined
      ? `${shown} was left out, with ${points.length} points`
      : `the curve of ${shown} has ${length} of ${points.length} points`;
  });
  return less.length > shownNames ? [...words, `${less.length - shownNames} more were thinned or left out`] : words;
}

/** @returns undefined for bytes that {@link packMetrics} did not make */
export function unpackMetrics(bytes: Buffer): RunMetrics | undefined {
  let value: unknown;
  try {
    value = JSON.parse(gunzipSync(bytes, { maxOutputLength: largestUnpacked }).toString('utf8'));
  } catch {
    // No gzip, a bomb, or no JSON: not ours.
    return undefined;
  }
  // By hand: for 100,000 points a schema takes seconds.
  if (!isObject(value) || value['version'] !== 1 || !Array.isArray(value['series']) || !isTexts(value['dropped'])) return undefined;
  const series = value['series'].map(readSeries);
  const trials = Array.isArray(value['trials']) ? value['trials'].map(readTrial) : undefined;
  if (!series.every((one) => one !== undefined) || !(trials?.every((one) => one !== undefined) ?? true)) return undefined;
  return { version: 1, series, ...(trials && { trials: trials as Trial[] }), dropped: value['dropped'] };
}

function readSeries(value: unknown): MetricSeries | undefined {
  if (!isObject(value) || typeof value['name'] !== 'string' || !Array.isArray(value['points'])) return undefined;
  const points: MetricPoint[] = [];
  for (const point of value['points'] as unknown[]) {
    const { step, value: reading } = isObject(point) ? point : {};
    const number = numberOf(reading);
    if (number === undefined || typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) return undefined;
    points.push({ step, value: number });
  }
  return { name: value['name'], points };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
