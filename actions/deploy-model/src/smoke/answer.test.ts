import { describe, expect, it } from '@jest/globals';
import { compile } from 'json-p3';
import { answerProblems, outputOf } from './answer.ts';
import { difference } from './compare.ts';
import { formatSeconds, latencyOf, percentile } from './percentile.ts';
import type { Expectation, ExpectedValue, Path } from './test.ts';

const at = (text: string): Path => ({ text, query: compile(text) });
const exact = { absolute: 0, relative: 0 };
const equals = (path: string, value: unknown, tolerance = exact): Partial<Expectation> => ({
  values: [{ path: at(path), equals: { value, tolerance } }],
});
const within = (path: string, limits: Omit<ExpectedValue, 'path'>): Partial<Expectation> => ({ values: [{ path: at(path), ...limits }] });
const answer = (body: string, status = 200): { status: number; body: Buffer } => ({ status, body: Buffer.from(body) });

describe('an answer', () => {
  it.each<[string, Partial<Expectation>, string, number, string[]]>([
    ['a success', {}, 'ok', 204, []],
    ['a failure', {}, 'out of\nmemory', 500, ['status is 500, expected a success: out of memory']],
    ['a redirect', {}, '', 302, ['status is 302, expected a success: an empty answer']],
    ['the status that is expected', { status: [404, 410] }, '', 410, []],
    ['another status', { status: [404, 410] }, '{}', 200, ['status is 200, expected 404 or 410: {}']],
    ['a text', { contains: ['seven', 'no'] }, 'seven', 200, ['the answer does not contain "no": seven']],
    ['the value', equals('$.predictions[0]', 7), '{"predictions":[7]}', 200, []],
    ['another value', equals('$.predictions[0]', 7), '{"predictions":[3]}', 200, ['$.predictions[0] is 3, expected 7']],
    ['no value', equals('$.predictions[0]', 7), '{"error":"x"}', 200, ['nothing stands at $.predictions[0]']],
    ['NaN, as Python writes it', equals('$[0]', 7), '[NaN]', 200, ['$[0] is "NaN", expected 7']],
    ['NaN within limits', within('$[0]', { min: 0 }), '[NaN]', 200, ['$[0] is "NaN", which is no number']],
    ['a value below', within('$[0]', { min: 0.5, max: 1 }), '[0.4999999]', 200, ['$[0] is 0.4999999, below 0.5']],
    ['a value above', within('$[0]', { min: 0.5, max: 1 }), '[1.5]', 200, ['$[0] is 1.5, above 1']],
    ['one of several values', within('$[*]', { max: 1 }), '[0, 1, 2]', 200, ['$[*] is 2, above 1']],
    ['no JSON', equals('$', 7), '<html>', 200, ['the answer is no JSON: <html>']],
    ['half of it', equals('$', 7), '{"a":', 200, ['the answer is no JSON: {"a":']],
    ['what does not fit', { schema: () => '/a: no' }, '{}', 200, ['the answer does not fit the schema: /a: no']],
  ])('%s', (_, expected, body, status, problems) => {
    expect(answerProblems({ values: [], contains: [], ...expected }, answer(body, status))).toEqual(problems);
  });

  it('is quoted in bounds and on one line', () => {
    const [problem] = answerProblems({ values: [], contains: [] }, answer(`\u001b[31m::error::\r\n${'x'.repeat(10_000)}`, 500));
    expect(problem).toMatch(/^status is 500, expected a success: ::error:: x{1,200}…$/u);
  });

  it.each([
    ['{"predictions":[7]}', 200, { value: 7 }],
    ['{"predictions":[]}', 200, { problem: 'nothing stands at $.predictions[*]: {"predictions":[]}' }],
    ['{"predictions":[7,8]}', 200, { problem: '$.predictions[*] finds 2 values; allowed: one' }],
    ['boom', 500, { problem: 'status is 500, expected a success: boom' }],
    ['boom', 200, { problem: 'the answer is no JSON: boom' }],
  ])('has an output: %s', (body, status, output) => {
    expect(outputOf(at('$.predictions[*]'), answer(body, status))).toEqual(output);
  });
});

describe('difference', () => {
  const cent = { absolute: 0.01, relative: 0 };
  const percentOff = { absolute: 0, relative: 0.01 };
  it.each<[unknown, unknown, typeof exact, string | undefined]>([
    [7, 7, exact, undefined],
    [7, '7', exact, 'is "7", expected 7'],
    [0.1, 0.1 + 1e-9, exact, 'is 0.100000001, expected 0.1'],
    [0.3, 0.31, cent, undefined],
    [0.3, 0.32, cent, 'is 0.32, expected 0.3 ± 0.01'],
    [200, 202, percentOff, undefined],
    [-200, -202.1, percentOff, 'is −202.1, expected −200 ± 1%'],
    ['yes', 'no', exact, 'is "no", expected "yes"'],
    [null, null, exact, undefined],
    [true, 1, exact, 'is 1, expected true'],
    [[1, 2], [1, 2.005], cent, undefined],
    [[1, 2], [1, 3], exact, 'at [1] is 3, expected 2'],
    [[1, 2], [1], exact, 'is [1], expected [1,2]'],
    [{ a: { b: [1] } }, { a: { b: [2] }, more: 1 }, exact, 'at .a.b[0] is 2, expected 1'],
    [{ a: 1 }, { more: 1 }, exact, 'at .a is missing, expected 1'],
    [{ a: 1 }, [1], exact, 'is [1], expected {"a":1}'],
    [{ constructor: 1 }, {}, exact, 'at .constructor is missing, expected 1'],
    [[], [], exact, undefined],
    [Number.NaN, Number.NaN, cent, 'is NaN, expected NaN ± 0.01'],
  ])('%j and %j', (expected, value, tolerance, words) => {
    expect(difference(expected, value, tolerance)).toBe(words);
  });
});

describe('latencies', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => (100 - index) / 1000);
  it.each([
    [hundred, 50, 0.05],
    [hundred, 95, 0.095],
    [hundred, 99, 0.099],
    [[3, 1, 2], 95, 3],
    [[3, 1, 2], 50, 2],
    [[7], 50, 7],
    [[], 95, Number.NaN],
  ])('%#: the percentile %d', (values, percent, value) => {
    expect(percentile(values, percent)).toBe(value);
  });

  it('are none of no answers', () => {
    expect(latencyOf([])).toBeUndefined();
    expect(latencyOf(hundred)).toEqual({ requests: 100, p50: 0.05, p95: 0.095, p99: 0.099 });
  });

  it.each([
    [0.000_55, '0.55 ms'],
    [0.0123, '12 ms'],
    [0.9994, '999 ms'],
    [1.2345, '1.23 s'],
    [Number.NaN, '–'],
  ])('%d s is %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });
});
