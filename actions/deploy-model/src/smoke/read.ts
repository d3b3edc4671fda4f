import { validateHeaderName, validateHeaderValue } from 'node:http';
import { compile } from 'json-p3';
import { expectation, expectKeys, parsed, pathOf, toleranceOf } from './expectation.ts';
import { readGolden } from './golden.ts';
import { Place, shown, type Fields } from './place.ts';
import { bodyFor, inferenceOf, outputPaths, pathFor, protocols, type Speech } from './protocols.ts';
import type { GoldenSet, SmokeRequest, SmokeTest } from './test.ts';

/** What reading a smoke test takes. */
export interface SmokeSource {
  /** The input, or its file. */
  where: string;
  /** A file that the test names, relative to the workspace. @throws ActionError */
  readFile(path: string): string;
  /** What OpenAI's paths are below where the test does not say: `/v1`, or `/openai/v1` on KServe. */
  openaiBase?: string;
}

const address = ['method', 'path', 'headers', 'v1', 'v2', 'openai', 'base', 'timeout'] as const;
const requestKeys = ['name', ...address, 'json', 'json-file', 'body', 'body-file', 'expect'] as const;
const goldenKeys = ['name', ...address, 'golden', 'value', 'tolerance', 'max-disagreement'] as const;
const bodies = ['json', 'json-file', 'body', 'body-file'] as const;
const mostRequests = 200;
const defaultTimeout = 30;

/**
 * Reads the input `smoke-test`: a YAML list of requests and golden sets (docs/smoke-tests.md).
 * @throws ActionError `config` with line and column, and what is allowed; a test that expects nothing is refused
 */
export function readSmokeTest(text: string, source: SmokeSource): SmokeTest {
  const whole = Place.read(text, source.where);
  const test: SmokeTest = { requests: [], goldens: [] };
  for (const item of whole.items('requests, such as "- path: /healthz"', mostRequests)) {
    const isGolden = typeof item.value === 'object' && item.value !== null && 'golden' in item.value;
    if (isGolden) test.goldens.push(goldenSet(item, source));
    else test.requests.push(request(item, source));
  }
  return test;
}

function request(item: Place, source: SmokeSource): SmokeRequest {
  const fields = item.fields('a request', requestKeys);
  const speech = speechOf(fields, item, source);
  const given = bodies.filter((key) => fields.has(key));
  if (given.length > 1) fields.get(given[1]!)?.fail(`${given.join(' and ')} are given; allowed: one of them`);
  const { json, text } = bodyOf(fields, source, speech);
  const own = fields.get('path')?.text('a path such as /v1/models/digits');
  const { method, path } = speech ? pathFor(speech, json) : { method: given.length > 0 ? 'POST' : 'GET', path: own ?? '' };
  if (speech && text !== undefined && json === undefined)
    fields.get(given[0]!)?.fail(`${speech.protocol} takes JSON; allowed: json, json-file`);
  const expect = fields.get('expect') ?? item.fail(`the request expects nothing; add "expect" with one of ${expectKeys.join(', ')}`);
  const to = target(fields, method, path);
  return {
    name: fields.get('name')?.text('a text of at most 100 characters', 100) ?? `${to.method} ${to.path}`,
    ...to,
    headers: { ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headersOf(fields) },
    ...(text === undefined ? {} : { body: text }),
    timeout: fields.get('timeout')?.seconds() ?? defaultTimeout,
    expect: expectation(expect, source.readFile),
  };
}

function goldenSet(item: Place, source: SmokeSource): GoldenSet {
  const fields = item.fields('a golden set', goldenKeys);
  const speech = speechOf(fields, item, source);
  const file = fields.get('golden');
  const name = file?.text('the path of a .json, .jsonl or .csv file') ?? '';
  const path =
    fields.get('value') ?? (speech ? outputPaths[speech.protocol] : item.fail('value is needed: the JSONPath of the output in the answer'));
  const to = target(fields, 'POST', speech ? pathFor(speech, {}).path : (fields.get('path')?.text() ?? ''));
  const headers = { 'content-type': 'application/json', ...headersOf(fields) };
  const rows = readGolden(source.readFile(name), name, (words) => (file ?? item).fail(words));
  return {
    name: fields.get('name')?.text('a text of at most 100 characters', 100) ?? name,
    rows: rows.map(({ input, expected, place }) => ({
      name: place,
      request: { ...to, headers, body: JSON.stringify(speech ? inferenceOf(speech, input) : input) },
      expected,
    })),
    timeout: fields.get('timeout')?.seconds() ?? defaultTimeout,
    value: typeof path === 'string' ? { text: path, query: compile(path) } : pathOf(path),
    tolerance: toleranceOf(fields.get('tolerance')),
    maxDisagreement: fields.get('max-disagreement')?.share() ?? 0,
  };
}

function speechOf(fields: Fields<(typeof address)[number]>, item: Place, { openaiBase = '/v1' }: SmokeSource): Speech | undefined {
  const given = [...protocols, 'path' as const].filter((key) => fields.has(key));
  if (given.length !== 1)
    item.fail(
      `${given.length === 0 ? 'nothing says' : `${given.join(' and ')} say`} where it goes; allowed: one of path, ${protocols.join(', ')}`,
    );
  const protocol = protocols.find((key) => fields.has(key));
  const base = fields.get('base');
  if (base && protocol !== 'openai') base.fail('base is of openai alone');
  if (protocol === undefined) return undefined;
  return { protocol, model: fields.get(protocol)?.text("the model's name", 250) ?? '', base: pathText(base) ?? openaiBase };
}

function target(fields: Fields<(typeof address)[number]>, method: string, path: string): { method: string; path: string } {
  const own = fields.get('path');
  return {
    method: fields.get('method')?.oneOf(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']) ?? method,
    path: pathText(own) ?? path,
  };
}

function pathText(place: Place | undefined): string | undefined {
  const path = place?.text();
  // What node:http takes for the target of a request.
  if (path !== undefined && !/^\/[\u0021-\u007e]{0,2000}$/u.test(path))
    place?.refuse('a path from /, without spaces, such as /v1/models/digits');
  return path;
}

function headersOf(fields: Fields<'headers'>): Record<string, string> {
  const headers = new Map<string, string>();
  for (const entry of fields.get('headers')?.entries('names and texts') ?? []) {
    const value = typeof entry.value === 'number' ? String(entry.value) : entry.text();
    try {
      validateHeaderName(entry.name);
      validateHeaderValue(entry.name, value);
    } catch (error) {
      // The value may be a secret.
      entry.fail(`${shown(entry.name)} is no header that HTTP allows`, error);
    }
    headers.set(entry.name.toLowerCase(), value);
  }
  return Object.fromEntries(headers);
}

function bodyOf(
  fields: Fields<(typeof bodies)[number]>,
  { readFile }: SmokeSource,
  speech: Speech | undefined,
): { json?: unknown; text?: string } {
  const sent = (value: unknown): { json: unknown; text: string } => {
    const json = speech ? bodyFor(speech, value) : value;
    return { json, text: JSON.stringify(json) };
  };
  const json = fields.get('json');
  if (json) return sent(json.value);
  const jsonFile = fields.get('json-file');
  if (jsonFile) return sent(parsed(jsonFile, readFile));
  const file = fields.get('body-file');
  if (file) return { text: readFile(file.text('a path')) };
  const body = fields.get('body');
  return body ? { text: body.text('a text', 262_144) } : {};
}
