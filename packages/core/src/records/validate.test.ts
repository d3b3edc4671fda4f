import { describe, expect, it } from '@jest/globals';
import { Validator, type Schema } from '@cfworker/json-schema';
import fc from 'fast-check';
import recordSchema from '../../schemas/record.schema.json' with { type: 'json' };
import resultSchema from '../../schemas/result.schema.json' with { type: 'json' };
import { quickCheck } from './quick-check.ts';
import { readRecord } from './validate.ts';

const time = '2026-11-21T12:00:00Z';
const sha = 'a'.repeat(40);
/** A record with every field that there is. */
const whole = {
  version: 1,
  repository: { id: 1, fullName: 'acme/digits' },
  pullRequest: 7,
  sha,
  tree: 'b'.repeat(40),
  pipeline: 'digits',
  request: 'c'.repeat(64),
  asked: [{ id: 'comment:1', runAttempt: 1 }],
  attempt: 1,
  actor: 'ada',
  createdAt: time,
  images: ['ghcr.io/acme/digits@sha256:d'],
  parameters: [{ name: 'epochs', value: '20' }],
  dataVersion: 'v1',
  artifacts: 's3://bucket/a',
  price: { perHour: 2.5, accelerator: 'a100', currency: 'EUR' },
  kind: {
    plural: 'pipelineruns',
    group: 'tekton.dev',
    rule: {
      kind: 'PipelineRun',
      version: 'v1',
      plural: 'pipelineruns',
      podTemplates: ['$.a'],
      containers: ['$.b'],
      placeholders: ['c'],
      states: [{ state: 'running', path: '$.status', equals: 'True' }],
    },
  },
  sweep: {
    method: 'random',
    seed: 3,
    metric: 'accuracy',
    direction: 'higher',
    on: 'last',
    parameters: ['lr'],
    log: ['lr'],
    trials: [['0.1'], ['0.2']],
    maxTrials: 2,
    parallel: 1,
    maxFailed: 0,
    budget: { unit: 'gpu-hours', amount: 8, seconds: 3600 },
  },
  lease: { holder: 'a', expiresAt: time },
  run: 'jobs.batch/ml/digits@u',
  checkRunId: 1,
  url: 'https://kubeflow.example.org/pipeline/#/runs/details/1',
  cancel: { at: time, by: 'ada', why: 'a push' },
  state: 'failed',
  refusal: 'no',
  result: {
    version: 1,
    run: 'jobs.batch/ml/digits@u',
    sha,
    pipeline: 'digits',
    attempt: 1,
    state: 'failed',
    reason: 'out-of-memory',
    message: 'm',
    remedy: 'r',
    retryable: false,
    createdAt: time,
    startedAt: time,
    endedAt: time,
    queueSeconds: 1.5,
    runSeconds: 2,
    pods: [
      {
        name: 'p',
        uid: 'u',
        phase: 'Failed',
        node: 'n',
        rank: 0,
        scheduledAt: time,
        startedAt: time,
        endedAt: time,
        gpus: 8,
        containers: [{ name: 'main', exitCode: 137, reason: 'OOMKilled', restarts: 0 }],
      },
    ],
    outputs: [{ name: 'a', value: 'b' }],
    gpuHours: 0.1,
    cost: 0.25,
    tables: [{ kind: 'confusion', name: 'digits', columns: ['0'], rows: [{ label: '0', values: [1] }] }],
    artifacts: [{ name: 'train.model', type: 'system.Model', uri: 's3://b/m', from: ['prepare.data'], cached: true }],
    logTail: ['line'],
  },
  verdict: 'fail',
  comparison: {
    baseline: { description: 'main', sha, record: 'digits-1' },
    gates: [
      {
        gate: { metric: 'accuracy', direction: 'higher', min: 0.1, max: 1, 'max-regression': '1 %' },
        place: { file: '.github/slashtrain.yml', line: 3 },
        outcome: 'fail',
        why: 'w',
      },
    ],
    noBaseline: 'pass',
    notes: ['n'],
  },
  reportedAt: time,
};

/** All places in a value, as the keys on the way to them. */
function placesOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [[]];
  return [[], ...Object.entries(value).flatMap(([key, part]) => placesOf(part).map((rest) => [key, ...rest]))];
}

/** `value` with `change` done to what stands at `place`; undefined takes it away. */
function changed(value: unknown, [key, ...rest]: readonly string[], change: (old: unknown) => unknown): unknown {
  if (key === undefined) return change(value);
  const copy = structuredClone(value) as Record<string, unknown>;
  const part = changed(copy[key], rest, change);
  if (part !== undefined) copy[key] = part;
  else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else delete copy[key];
  return copy;
}

const quick = quickCheck(recordSchema, [resultSchema]);
const library = new Validator(recordSchema as Schema, '2020-12');
library.addSchema(resultSchema as Schema);

describe('a record', () => {
  it('is read with every field that there is', () => {
    expect(Object.keys(whole)).toEqual(expect.arrayContaining(Object.keys(recordSchema.properties)));
    expect(Object.keys(whole.result)).toEqual(expect.arrayContaining(Object.keys(resultSchema.properties)));
    expect(readRecord(JSON.stringify(whole))).toEqual(whole);
    expect(quick(whole)).toBe(true);
  });

  it('is what the library says that it is, whatever somebody wrote into it', () => {
    const strange = fc.oneof(
      fc.constantFrom<unknown>(undefined, null, true, '', ' ', 0, -1, 1.5, 1e21, [], [[]], {}, '2026-13-01T00:00:00Z', `${sha}\n`, '🙂'),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const place = fc.constantFrom(...placesOf(whole).slice(1));
    fc.assert(
      fc.property(fc.array(fc.tuple(place, strange), { minLength: 1, maxLength: 2 }), (changes) => {
        let value: unknown = whole;
        for (const [at, by] of changes) {
          if (placesOf(value).some((one) => one.join('/') === at.join('/'))) value = changed(value, at, () => by);
        }
        const { valid } = library.validate(value);
        expect(quick(value)).toBe(valid);
        expect(readRecord(JSON.stringify(value)) !== undefined).toBe(valid);
      }),
      { numRuns: 500 },
    );
  });

  it.each(['', 'null', '[]', '"text"', '{', '{"version":1}'])('is not %j', (text) => {
    expect(readRecord(text)).toBeUndefined();
  });
});

describe('a quick check', () => {
  it.each([
    ['a keyword', { $id: 'https://a/b', not: {} }],
    ['a type', { $id: 'https://a/b', type: 'null' }],
    ['a format', { $id: 'https://a/b', format: 'colour' }],
    ['a reference', { $id: 'https://a/b', $ref: 'c' }],
  ])('is not made of a schema with %s that it does not know', (_, schema) => {
    expect(() => quickCheck(schema)).toThrow(/does not know|not found/u);
  });
});
