import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatMetricsFile, parseMetricsFile } from './file.ts';
import type { MetricRun, MetricsFile } from './metrics.ts';

const sha = 'a'.repeat(40);
const run = (value: number): MetricRun => ({
  id: 'jobs.batch/ml/digits@0f0c',
  sha,
  pullRequest: 42,
  parameters: [{ name: 'value', value: 'NaN' }],
  source: 'mlflow',
  packages: [{ name: 'torch', version: '2.9.0' }],
  gpu: 'NVIDIA A100-SXM4-40GB',
  metrics: [{ name: '__proto__', last: value, min: value, max: value, step: 3, mean: value, history: [{ step: 3, value }] }],
  tables: [{ kind: 'confusion', name: '', columns: ['a'], rows: [{ label: 'a', values: [value] }] }],
});
const file = (value: number): MetricsFile => ({
  version: 1,
  sha,
  pullRequest: 42,
  pipeline: 'digits',
  candidates: [run(value)],
  baseline: { description: 'main at 1a2b3c4', sha, runs: [run(1)], record: 'digits-1a2b3c4' },
  comparisons: [
    { name: '', candidate: { n: 2, mean: value, deviation: value, values: [value, 1] }, baseline: { n: 1, mean: value, values: [value] } },
    { name: 'accuracy', change: { estimate: 0.1, low: 0, high: 0.2, p: 0.03, confidence: 0.95, method: 'exact' } },
  ],
  differences: [{ what: 'parameter', name: 'value', candidate: 'NaN' }],
  excluded: [{ id: 'x', source: 'mlflow', reason: 'it names no commit' }],
  gates: [
    {
      gate: { metric: 'accuracy', direction: 'higher', min: 0.9, 'max-regression': '1%', on: 'best', 'require-seeds': 3, level: 'warn' },
      pattern: 'acc*',
      place: { file: '.github/slashtrain.yml', line: 12 },
      outcome: 'fail',
      candidate: value,
      baseline: 1,
      change: { estimate: -0.1, method: 'means' },
      why: 'x',
    },
  ],
  noBaseline: 'pass',
  verdict: 'fail',
  notes: ['one sample a side'],
});

describe('the metrics file', () => {
  it('keeps every value, and texts that look like one', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        const plain = Object.is(value, -0) ? 0 : value;
        expect(parseMetricsFile(formatMetricsFile(file(plain)), 'x')).toEqual(file(plain));
      }),
    );
  });

  it.each<[string, unknown, string]>([
    ['no object', [], '#: Instance type "array" is invalid'],
    ['another version', { ...file(1), version: 2 }, '#/version'],
    ['a short SHA', { ...file(1), sha: 'abc' }, '#/sha'],
    ['an unknown verdict', { ...file(1), verdict: 'great' }, '#/verdict'],
    ['an unknown key', { ...file(1), html: '<b>' }, '#/html'],
    [
      'a value that is a text',
      { ...file(1), candidates: [{ ...run(1), metrics: [{ ...run(1).metrics[0], last: '0.9' }] }] },
      '#/candidates/0/metrics/0/last',
    ],
  ])('refuses %s and says where', (_, data, place) => {
    expect(() => parseMetricsFile(JSON.stringify(data), 'input "metrics-file"')).toThrow(
      `input "metrics-file" is no metrics file: ${place}`,
    );
  });

  it('refuses a file that was cut', () => {
    expect(() => parseMetricsFile(formatMetricsFile(file(1)).slice(0, -20), 'input "metrics-file"')).toThrow('is not JSON');
  });
});
