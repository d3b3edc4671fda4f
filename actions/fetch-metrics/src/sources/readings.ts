import { MetricCollector, numberOf } from '@slashtrain/core/metrics/lines';
import type { ClassTable, MetricSeries } from '@slashtrain/core/metrics/metrics';

/** What was read from a file. */
export interface Readings {
  collector: Pick<MetricCollector, 'add' | 'series'>;
  /** What was left out and why. Hostile text. */
  notes: string[];
  /** What it was trained with. Hostile text. */
  parameters: { name: string; value: string }[];
  tables: ClassTable[];
}

/** Metrics of one file. */
export interface FileMetrics extends Omit<Readings, 'collector'> {
  series: MetricSeries[];
}

export function noReadings(): Readings {
  return { collector: new MetricCollector(), notes: [], parameters: [], tables: [] };
}

/** Columns that count, the best counter first: they are no metrics of a row. */
export const stepKeys: readonly string[] = ['step', '_step', 'global_step', 'iteration', 'epoch'];
const deepest = 50;

/**
 * A value as metric files have it: a number, or the word that a program writes for NaN and infinities
 * (Python and DVCLive `nan`, `inf`; JavaScript `NaN`, `Infinity`).
 */
export function valueIn(value: unknown): number | undefined {
  if (typeof value !== 'string') return numberOf(value);
  switch (value.trim().toLowerCase()) {
    case 'nan':
      return Number.NaN;
    case 'inf':
    case '+inf':
    case 'infinity':
      return Number.POSITIVE_INFINITY;
    case '-inf':
    case '-infinity':
      return Number.NEGATIVE_INFINITY;
    default:
      return undefined;
  }
}

/** The step of a row, where one of its columns counts. */
export function stepIn(valueOf: (key: string) => unknown): number | undefined {
  for (const key of stepKeys) {
    const step = valueOf(key);
    if (typeof step === 'number' && Number.isFinite(step) && step >= 0) return step;
  }
  return undefined;
}

/** All numbers of a JSON value by the path of their keys, joined by dots: `{"val": {"accuracy": 0.9}}` is `val.accuracy`. */
export function* flatten(
  value: unknown,
  path: readonly string[] = [],
): Generator<{ name: string; value: number } | { name: string; list: unknown[] }> {
  if (path.length > deepest) return;
  const number = valueIn(value);
  if (number !== undefined) yield { name: path.join('.'), value: number };
  else if (Array.isArray(value)) yield { name: path.join('.'), list: value };
  else if (typeof value === 'object' && value !== null) {
    for (const [key, child] of Object.entries(value)) yield* flatten(child, [...path, key]);
  }
}

/** All leaves of a file of parameters as texts: `{"model": {"depth": 3}}` is `model.depth`; lists stay JSON. */
export function* flattenParameters(value: unknown, path: readonly string[] = []): Generator<{ name: string; value: string }> {
  if (path.length > deepest) return;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, child] of Object.entries(value)) yield* flattenParameters(child, [...path, key]);
  } else if (path.length > 0) {
    yield { name: path.join('.'), value: typeof value === 'string' ? value : (JSON.stringify(value) ?? '') };
  }
}

/** Adds one row of a log, an object: each number is a reading at the row's step. */
export function addRow(readings: Readings, row: object, fallbackStep: number, prefix: readonly string[] = []): void {
  const { name, value } = row as { name?: unknown; value?: unknown };
  const step = stepIn((key) => (Object.hasOwn(row, key) ? (row as Record<string, unknown>)[key] : undefined)) ?? fallbackStep;
  const reading = typeof name === 'string' ? valueIn(value) : undefined;
  if (typeof name === 'string' && reading !== undefined) {
    readings.collector.add({ name: [...prefix, name].join('.'), value: reading, step });
    return;
  }
  for (const [key, child] of Object.entries(row)) {
    if (stepKeys.includes(key)) continue;
    for (const leaf of flatten(child, [...prefix, key])) {
      if ('value' in leaf) readings.collector.add({ name: leaf.name, value: leaf.value, step });
    }
  }
}
