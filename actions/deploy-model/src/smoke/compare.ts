import { clip } from '@slashtrain/core/markdown/text';
import { formatPair } from '@slashtrain/core/metrics/format';
import type { JSONValue } from 'json-p3';
import type { ExpectedValue, Path, Tolerance } from './test.ts';

/** What a path finds in an answer. */
export function valuesAt({ query }: Path, answer: unknown): unknown[] {
  return query.query(answer as JSONValue).values();
}

/** What is wrong with the values at a path; undefined where they are as expected. */
export function valueProblem(expected: ExpectedValue, answer: unknown): string | undefined {
  const { path, equals, min, max } = expected;
  const found = valuesAt(path, answer);
  if (found.length === 0) return `nothing stands at ${path.text}`;
  for (const value of found) {
    const problem = equals ? difference(equals.value, value, equals.tolerance) : limitProblem(value, min, max);
    if (problem !== undefined) return `${path.text} ${problem}`;
  }
  return undefined;
}

function limitProblem(value: unknown, min: number | undefined, max: number | undefined): string | undefined {
  if (typeof value !== 'number') return `is ${short(value)}, which is no number`;
  if (min !== undefined && value < min) return `is ${formatPair(value, min)[0]}, below ${min}`;
  if (max !== undefined && value > max) return `is ${formatPair(value, max)[0]}, above ${max}`;
  return undefined;
}

/**
 * How a value differs from what is expected, as `is 3, expected 7`; undefined where it does not. Numbers may be off by the tolerance,
 * in lists and maps as well; what a map has besides what is expected does not matter.
 */
export function difference(expected: unknown, value: unknown, tolerance: Tolerance): string | undefined {
  const place = firstDifference(expected, value, tolerance, '');
  if (!place) return undefined;
  const [is, wanted] =
    typeof place.value === 'number' && typeof place.expected === 'number'
      ? formatPair(place.value, place.expected)
      : [place.value === undefined ? 'missing' : short(place.value), short(place.expected)];
  return `${place.at === '' ? '' : `at ${clip(place.at, 80)} `}is ${is}, expected ${wanted}${toleranceWords(tolerance, place)}`;
}

interface Difference {
  at: string;
  expected: unknown;
  value: unknown;
}

function firstDifference(expected: unknown, value: unknown, tolerance: Tolerance, at: string): Difference | undefined {
  const different: Difference = { at, expected, value };
  if (typeof expected === 'number' && typeof value === 'number') return isNear(expected, value, tolerance) ? undefined : different;
  if (Array.isArray(expected)) {
    if (!Array.isArray(value) || value.length !== expected.length) return different;
    for (const [index, item] of expected.entries()) {
      const found = firstDifference(item, value[index], tolerance, `${at}[${index}]`);
      if (found) return found;
    }
    return undefined;
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return different;
    for (const [key, item] of Object.entries(expected)) {
      const own: unknown = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
      const found = firstDifference(item, own, tolerance, `${at}.${key}`);
      if (found) return found;
    }
    return undefined;
  }
  return expected === value ? undefined : different;
}

function isNear(expected: number, value: number, { absolute, relative }: Tolerance): boolean {
  // 0.3 - 0.2 is a little less than 0.1 in binary fractions.
  const rounding = absolute + relative === 0 ? 0 : 1e-12 * Math.max(Math.abs(expected), Math.abs(value));
  return Math.abs(expected - value) <= absolute + relative * Math.abs(expected) + rounding;
}

function toleranceWords({ absolute, relative }: Tolerance, { expected, value }: Difference): string {
  if (typeof expected !== 'number' || typeof value !== 'number' || absolute + relative === 0) return '';
  return ` ± ${absolute > 0 ? absolute : `${Number((relative * 100).toPrecision(6))}%`}`;
}

/** A value for people, on one line: hostile text. */
export function short(value: unknown): string {
  return clip(JSON.stringify(value) ?? 'missing', 120);
}
