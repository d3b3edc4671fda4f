import { describe, expect, it } from '@jest/globals';
import { readSmokeTest } from './read.ts';
import type { SmokeTest } from './test.ts';

const files = new Map([
  ['golden.jsonl', '{"input": [0, 1], "expected": 7}\n\n{"input": [2, 3], "expected": 9}\n'],
  ['golden.json', '[{"input": "hello", "expected": "HELLO"}]'],
  ['golden.csv', 'a,expected,b\n1,7,0.5\n"x, y",9,-2e3\n'],
  ['broken.jsonl', '{"input": 1, "expected": 1}\n{"input": 1}\n'],
  ['half.jsonl', '{"input": 1, "expected": 1}\n{"input": 1, "expe'],
  ['list.csv', 'a,b\n1,2\n'],
  ['short.csv', 'a,expected\n1\n'],
  ['empty.jsonl', '\n'],
  ['map.json', '{}'],
  ['rows.txt', 'x'],
  ['body.json', '{"instances":[[1]]}'],
  ['schema.json', '{"type":"object","required":["predictions"]}'],
]);
const readFile = (path: string): string => {
  const text = files.get(path);
  if (text === undefined) throw new Error(`no file ${path}`);
  return text;
};
const read = (text: string, openaiBase?: string): SmokeTest =>
  readSmokeTest(text, { where: 'input "smoke-test"', readFile, ...(openaiBase ? { openaiBase } : {}) });
const only = (text: string): SmokeTest['requests'][number] => read(text).requests[0]!;

describe('a request', () => {
  it.each<[string, string, string, string, string | undefined]>([
    ['with a path', 'path: /healthz', 'GET', '/healthz', undefined],
    ['with a query', 'path: "/x?a=%20b"', 'GET', '/x?a=%20b', undefined],
    ['with a path and a body', 'path: /x\n  json: [1]', 'POST', '/x', '[1]'],
    ['with a method', 'path: /x\n  method: PUT\n  body: a', 'PUT', '/x', 'a'],
    ['of v1', 'v1: digits\n  json: { instances: [[0, 1]] }', 'POST', '/v1/models/digits:predict', '{"instances":[[0,1]]}'],
    ['of v1 without a body', 'v1: digits', 'GET', '/v1/models/digits', undefined],
    ['of v1 with a name to encode', 'v1: a/b c', 'GET', '/v1/models/a%2Fb%20c', undefined],
    ['of v2', 'v2: digits\n  json: { inputs: [] }', 'POST', '/v2/models/digits/infer', '{"inputs":[]}'],
    ['of v2 without a body', 'v2: digits', 'GET', '/v2/models/digits/ready', undefined],
    ['of a file', 'v1: digits\n  json-file: body.json', 'POST', '/v1/models/digits:predict', '{"instances":[[1]]}'],
    ['of OpenAI', 'openai: llama\n  json: { messages: [] }', 'POST', '/v1/chat/completions', '{"model":"llama","messages":[]}'],
    [
      'of OpenAI with its own model',
      'openai: llama\n  json: { prompt: a, model: b }',
      'POST',
      '/v1/completions',
      '{"prompt":"a","model":"b"}',
    ],
    ['of OpenAI for vectors', 'openai: bge\n  base: /api\n  json: { input: a }', 'POST', '/api/embeddings', '{"model":"bge","input":"a"}'],
    ['of OpenAI without a body', 'openai: llama', 'GET', '/v1/models', undefined],
  ])('%s', (_, text, method, path, body) => {
    const request = only(`- ${text}\n  expect: { status: 200 }`);
    expect([request.method, request.path, request.body]).toEqual([method, path, body]);
  });

  it('reads all that it can say', () => {
    const request = only(
      [
        '- name: knows a seven',
        '  v1: digits',
        '  headers: { X-Team: ml, x-count: 3 }',
        '  json: { instances: [] }',
        '  timeout: 1500ms',
        '  expect:',
        '    status: [200, 202]',
        '    schema-file: schema.json',
        '    value: [{ path: "$.predictions[0]", equals: 7, tolerance: 1% }, { path: $.a, min: 1, max: 2 }]',
        '    contains: seven',
        '    latency: { p50: 50ms, p95: 0.2s, requests: 50 }',
      ].join('\n'),
    );
    expect(request).toMatchObject({
      name: 'knows a seven',
      headers: { 'content-type': 'application/json', 'x-team': 'ml', 'x-count': '3' },
      timeout: 1.5,
      expect: {
        status: [200, 202],
        values: [
          { path: { text: '$.predictions[0]' }, equals: { value: 7, tolerance: { absolute: 0, relative: 0.01 } } },
          { path: { text: '$.a' }, min: 1, max: 2 },
        ],
        contains: ['seven'],
        latency: {
          limits: [
            { percentile: 50, seconds: 0.05 },
            { percentile: 95, seconds: 0.2 },
          ],
          requests: 50,
        },
      },
    });
    expect(request.expect.schema?.({ predictions: 1 })).toBeUndefined();
    expect(request.expect.schema?.({})).toContain('required');
  });

  it('of OpenAI goes where the target has it', () => {
    expect(read('- openai: llama\n  expect: { status: 200 }', '/openai/v1').requests[0]?.path).toBe('/openai/v1/models');
  });
});

describe('a golden set', () => {
  it.each<[string, string, [string, string, string, unknown][]]>([
    [
      'of v1',
      'golden: golden.jsonl\n  v1: digits',
      [
        ['golden.jsonl:1', '/v1/models/digits:predict', '{"instances":[[0,1]]}', 7],
        ['golden.jsonl:3', '/v1/models/digits:predict', '{"instances":[[2,3]]}', 9],
      ],
    ],
    [
      'of v2',
      'golden: golden.csv\n  v2: digits',
      [
        ['golden.csv:2', '/v2/models/digits/infer', '{"inputs":[{"name":"input-0","shape":[1,2],"datatype":"FP32","data":[[1,0.5]]}]}', 7],
        [
          'golden.csv:3',
          '/v2/models/digits/infer',
          '{"inputs":[{"name":"input-0","shape":[1,2],"datatype":"BYTES","data":[["x, y",-2000]]}]}',
          9,
        ],
      ],
    ],
    [
      'of OpenAI',
      'golden: golden.json\n  openai: llama',
      [['golden.json[0]', '/v1/chat/completions', '{"model":"llama","messages":[{"role":"user","content":"hello"}]}', 'HELLO']],
    ],
    ['of any path', 'golden: golden.json\n  path: /x\n  value: $', [['golden.json[0]', '/x', '"hello"', 'HELLO']]],
  ])('%s', (_, text, rows) => {
    const [golden] = read(`- ${text}\n  max-disagreement: 2.5%`).goldens;
    expect(golden?.maxDisagreement).toBe(0.025);
    expect(golden?.rows.map(({ name, request, expected }) => [name, request.path, request.body, expected])).toEqual(rows);
  });
});

describe('what is refused', () => {
  it.each([
    ['', '1:1: it is empty; allowed: a list of requests, such as "- path: /healthz"'],
    ['[]', '1:1: it is a list; allowed: a list of requests'],
    ['path: /x', '1:1: it is a map; allowed: a list of requests'],
    ['- /x', '1:3: a request is a map; allowed: name, method, path'],
    ['- path: /x', '1:3: the request expects nothing; add "expect" with one of status, schema'],
    ['- path: /x\n  expect: {}', '2:3: it expects nothing; allowed: status, schema'],
    ['- path: /x\n  expect: none', '2:3: expect is a map; allowed: status'],
    ['- path: /x\n  expcet: { status: 200 }', '2:3: unknown key "expcet" in a request; did you mean expect?'],
    ['- expect: { status: 200 }', '1:3: nothing says where it goes; allowed: one of path, v1, v2, openai'],
    ['- v1: a\n  v2: b\n  expect: { status: 200 }', 'v1 and v2 say where it goes'],
    ['- path: x\n  expect: { status: 200 }', '1:3: path is "x"; allowed: a path from /'],
    ['- path: "/x y"\n  expect: { status: 200 }', 'path is "/x y"; allowed: a path from /'],
    ['- path: /x\n  base: /v1\n  expect: { status: 200 }', 'base is of openai alone'],
    ['- path: /x\n  json: 1\n  body: a\n  expect: { status: 200 }', '3:3: json and body are given; allowed: one of them'],
    ['- v1: a\n  body: a\n  expect: { status: 200 }', '2:3: v1 takes JSON; allowed: json, json-file'],
    ['- path: /x\n  method: get\n  expect: { status: 200 }', '2:3: method is "get"; allowed: GET, POST'],
    ['- path: /x\n  headers: { "a b": c }\n  expect: { status: 200 }', '"a b" is no header that HTTP allows'],
    ['- path: /x\n  headers: { a: "b\\r\\nc: d" }\n  expect: { status: 200 }', '"a" is no header that HTTP allows'],
    ['- path: /x\n  timeout: 30\n  expect: { status: 200 }', '2:3: timeout is 30; allowed: a time with its unit'],
    ['- path: /x\n  expect: { status: ok }', '2:13: status is "ok"; allowed: a code from 100 to 599'],
    ['- path: /x\n  expect: { value: { path: $.a } }', 'the value is not compared; allowed: equals, min, max'],
    ['- path: /x\n  expect: { value: { equals: 1 } }', 'path is needed: a JSONPath'],
    ['- path: /x\n  expect: { value: { path: "$.[", equals: 1 } }', '"$.[" is no JSONPath: '],
    ['- path: /x\n  expect: { value: { path: $.a, equals: 1, min: 0 } }', 'equals and a limit are given'],
    ['- path: /x\n  expect: { value: { path: $.a, min: 2, max: 1 } }', 'min 2 is above max 1'],
    ['- path: /x\n  expect: { value: { path: $.a, equals: 1, tolerance: -1 } }', 'tolerance is -1; allowed: a number from 0'],
    ['- path: /x\n  expect: { value: { path: $.a, min: .nan } }', 'min is NaN; allowed: a number'],
    ['- path: /x\n  expect: { schema: { $ref: "#/nowhere" } }', 'it is no JSON schema that can be used: '],
    ['- path: /x\n  expect: { schema: text }', 'schema is "text"; allowed: a JSON schema'],
    ['- path: /x\n  expect: { latency: { requests: 5 } }', 'latency has no limit; allowed: p50, p95, p99'],
    ['- path: /x\n  expect: { latency: { p95: 200 } }', 'p95 is 200; allowed: a time with its unit, such as 200ms'],
    ['- golden: golden.json\n  path: /x', '1:3: value is needed: the JSONPath of the output in the answer'],
    ['- golden: broken.jsonl\n  v1: a', '1:3: broken.jsonl:2 has no "input" and "expected"'],
    ['- golden: half.jsonl\n  v1: a', 'half.jsonl:2 is no JSON: '],
    ['- golden: list.csv\n  v1: a', 'list.csv has no column "expected"; it has "a", "b"'],
    ['- golden: short.csv\n  v1: a', 'short.csv: Invalid Record Length'],
    ['- golden: empty.jsonl\n  v1: a', 'empty.jsonl has no rows: a golden set without any expects nothing'],
    ['- golden: map.json\n  v1: a', 'map.json holds no list'],
    ['- golden: rows.txt\n  v1: a', 'rows.txt is no golden set; allowed: .json, .jsonl, .ndjson, .csv'],
    ['- golden: golden.json\n  v1: a\n  max-disagreement: 0.02', '3:3: max-disagreement is 0.02; allowed: a share such as 2%, or 0'],
    ['- golden: golden.json\n  v1: a\n  max-disagreement: 101%', 'max-disagreement is "101%"; allowed: a share'],
    ['- golden: golden.json\n  v1: a\n  json: 1', 'unknown key "json" in a golden set'],
    ['- path: /x\n  __proto__: { expect: 1 }', 'unknown key "__proto__" in a request'],
  ])('%j', (text, words) => {
    expect(() => read(text)).toThrow(words);
    expect(() => read(text)).toThrow(/^input "smoke-test":\d+:\d+: /u);
  });
});
