import { messageOf } from '../action/errors.ts';
import type { MetricPoint, MetricSeries } from './metrics.ts';

// With nothing but white space between it and what follows: `slashtrain-metrics` is another word.
const prefix = /^\s*slashtrain-metric(?=[\s{])/u;
const longestLine = 65_536;

/** One reading from a log line. */
export interface MetricLine {
  name: string;
  value: number;
  /** A whole number from 0, where the program gave one. */
  step?: number;
}

/**
 * Reads `slashtrain-metric {"name":"accuracy","value":0.93,"step":5}`: the way in which metrics leave a pod.
 * `value` is a number, or the text `NaN`, `Infinity` or `-Infinity`, or one of these bare, as Python's json.dumps writes them.
 * @returns undefined for a line that is none; a text that says why for one that is meant to be and is not valid
 */
export function parseMetricLine(line: string): MetricLine | string | undefined {
  const start = prefix.exec(line);
  if (!start) return undefined;
  if (line.length > longestLine) return `a metric line of ${line.length} characters is longer than ${longestLine}`;
  let data: unknown;
  try {
    data = parsePythonJson(line.slice(start[0].length));
  } catch (error) {
    return `a metric line does not hold a JSON object: ${messageOf(error)}`;
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return 'a metric line does not hold a JSON object';
  const { name, value, step } = data as Record<string, unknown>;
  if (typeof name !== 'string') return 'a metric line has no text "name"';
  const number = numberOf(value);
  if (number === undefined) return `the metric line of ${JSON.stringify(name.slice(0, 100))} has no number "value"`;
  if (step === undefined || step === null) return { name, value: number };
  if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0)
    return `the metric line of ${JSON.stringify(name.slice(0, 100))} has a "step" that is no whole number from 0`;
  return { name, value: number, step };
}

/**
 * JSON, and what Python's `json.dumps` makes of NaN and infinities, which is no JSON: these become texts
 * (https://docs.python.org/3/library/json.html#infinite-and-nan-number-values).
 * @throws SyntaxError
 */
export function parsePythonJson(text: string): unknown {
  // Nearly every text is JSON as it stands, and pages of a tracker have megabytes.
  if (!/NaN|Infinity/u.test(text)) return JSON.parse(text);
  // A text that is never closed runs to the end, so that each character is looked at once.
  return JSON.parse(
    text.replace(/"(?:[^"\\]|\\.)*"?|-?\b(?:NaN|Infinity)\b/gsu, (token) => (token.startsWith('"') ? token : `"${token}"`)),
  );
}

/** A metric's value from JSON: a number, or the texts `NaN`, `Infinity`, `-Infinity`. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (value === 'NaN') return Number.NaN;
  if (value === 'Infinity') return Number.POSITIVE_INFINITY;
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
  return undefined;
}

/** A metric's value for JSON. {@link numberOf} reads it back. */
export function jsonNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** Gathers readings into curves, by ascending step; of two readings of one step the later counts. */
export class MetricCollector {
  readonly #series = new Map<string, Map<number, number>>();

  add(line: MetricLine): void {
    const points = this.#series.get(line.name) ?? new Map<number, number>();
    this.#series.set(line.name, points);
    points.set(line.step ?? points.size, line.value);
  }

  series(): MetricSeries[] {
    return [...this.#series].map(([name, points]) => ({
      name,
      points: [...points].map(([step, value]): MetricPoint => ({ step, value })).sort((a, b) => a.step - b.step),
    }));
  }
}
