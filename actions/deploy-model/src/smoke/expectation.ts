import { Validator } from '@cfworker/json-schema';
import { messageOf } from '@slashtrain/core/action/errors';
import { compile } from 'json-p3';
import { shown, type Place } from './place.ts';
import type { ExpectedLatency, ExpectedValue, Expectation, Path, Tolerance } from './test.ts';

/** The keys of `expect`. */
export const expectKeys = ['status', 'schema', 'schema-file', 'value', 'contains', 'latency'] as const;

/** What a request expects: at least one thing. */
export function expectation(place: Place, readFile: (path: string) => string): Expectation {
  const fields = place.fields('expect', expectKeys);
  if (Object.keys(place.value as object).length === 0) place.fail(`it expects nothing; allowed: ${expectKeys.join(', ')}`);
  const status = fields.get('status');
  const schemaFile = fields.get('schema-file');
  const schema = fields.get('schema') ?? schemaFile;
  const latency = fields.get('latency');
  return {
    ...(status
      ? { status: listOf(status, 'codes').map((one) => one.number('a code from 100 to 599', { min: 100, max: 599, whole: true })) }
      : {}),
    ...(schema ? { schema: schemaCheck(schema, schema === schemaFile ? parsed(schemaFile, readFile) : schema.value) } : {}),
    values: listOf(fields.get('value'), 'values').map(expectedValue),
    contains: listOf(fields.get('contains'), 'texts').map((one) => one.text()),
    ...(latency ? { latency: expectedLatency(latency) } : {}),
  };
}

/** One, or a list of them. */
function listOf(place: Place | undefined, what: string): Place[] {
  if (!place) return [];
  return Array.isArray(place.value) ? place.items(what, 100) : [place];
}

function schemaCheck(place: Place, schema: unknown): (answer: unknown) => string | undefined {
  if (typeof schema !== 'boolean' && (typeof schema !== 'object' || schema === null || Array.isArray(schema)))
    place.refuse('a JSON schema');
  let validator: Validator;
  try {
    validator = new Validator(schema, '2020-12');
    // What refers to nothing, and patterns that are none, are found by using it.
    validator.validate({});
  } catch (error) {
    return place.fail(`it is no JSON schema that can be used: ${messageOf(error)}`, error);
  }
  return (answer) => {
    const { valid, errors } = validator.validate(answer);
    if (valid) return undefined;
    // The last names the innermost place.
    const last = errors.at(-1);
    return last ? `${last.instanceLocation.replace(/^#/u, '') || 'the whole'}: ${last.error}` : 'it does not fit';
  };
}

const valueKeys = ['path', 'equals', 'tolerance', 'min', 'max'] as const;

function expectedValue(place: Place): ExpectedValue {
  const fields = place.fields('a value', valueKeys);
  const path = fields.get('path') ?? place.fail('path is needed: a JSONPath such as $.predictions[0]');
  const [equals, min, max, tolerance] = (['equals', 'min', 'max', 'tolerance'] as const).map((key) => fields.get(key));
  if (!equals && !min && !max) place.fail('the value is not compared; allowed: equals, min, max');
  if (equals && (min ?? max)) place.fail('equals and a limit are given; allowed: equals, or min and max');
  if (tolerance && !equals) tolerance.fail('tolerance is of equals');
  const limits = { ...(min ? { min: min.number() } : {}), ...(max ? { max: max.number() } : {}) };
  if (limits.min !== undefined && limits.max !== undefined && limits.min > limits.max) {
    place.fail(`min ${limits.min} is above max ${limits.max}, which nothing can be`);
  }
  return {
    path: pathOf(path),
    ...(equals ? { equals: { value: equals.value, tolerance: toleranceOf(tolerance) } } : {}),
    ...limits,
  };
}

/** A JSONPath. */
export function pathOf(place: Place): Path {
  const text = place.text('a JSONPath such as $.predictions[0]', 1000);
  try {
    return { text, query: compile(text) };
  } catch (error) {
    return place.fail(`${shown(text)} is no JSONPath: ${messageOf(error)}`, error);
  }
}

/** A tolerance; none where it is not given. */
export function toleranceOf(place: Place | undefined): Tolerance {
  if (!place) return { absolute: 0, relative: 0 };
  if (typeof place.value === 'number') return { absolute: place.number('a number from 0', { min: 0 }), relative: 0 };
  const match = /^(\d+(?:\.\d+)?)%$/u.exec(typeof place.value === 'string' ? place.value : '');
  return match ? { absolute: 0, relative: Number(match[1]) / 100 } : place.refuse('a number from 0, or a share such as 1%');
}

const latencyKeys = ['p50', 'p95', 'p99', 'requests'] as const;

function expectedLatency(place: Place): ExpectedLatency {
  const fields = place.fields('latency', latencyKeys);
  const limits = ([50, 95, 99] as const).flatMap((percentile) => {
    const limit = fields.get(`p${percentile}`);
    return limit ? [{ percentile, seconds: limit.seconds() }] : [];
  });
  if (limits.length === 0) place.fail('latency has no limit; allowed: p50, p95, p99');
  return { limits, requests: fields.get('requests')?.number('a whole number from 2 to 10000', { min: 2, max: 10_000, whole: true }) ?? 20 };
}

/** The JSON of a file that a place names. */
export function parsed(place: Place, readFile: (path: string) => string): unknown {
  const path = place.text('a path');
  try {
    return JSON.parse(readFile(path)) as unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return place.fail(`${path} is no JSON: ${error.message}`, error);
  }
}
