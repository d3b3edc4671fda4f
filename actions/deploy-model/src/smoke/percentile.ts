import type { Latency } from '../types.ts';

/** The value that so many percent of the values are not above (nearest rank). NaN of none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** How long answers took; undefined of none. @param seconds one an answer */
export function latencyOf(seconds: readonly number[]): Latency | undefined {
  if (seconds.length === 0) return undefined;
  return { requests: seconds.length, p50: percentile(seconds, 50), p95: percentile(seconds, 95), p99: percentile(seconds, 99) };
}

/** Seconds of a request, for people: `12 ms`, `1.24 s`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds >= 1) return `${Number(seconds.toPrecision(3))} s`;
  const milliseconds = seconds * 1000;
  return `${milliseconds < 10 ? Number(milliseconds.toPrecision(2)) : Math.round(milliseconds)} ms`;
}
