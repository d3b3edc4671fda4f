import { describe, expect, it } from '@jest/globals';
import type { Gate, MetricSummary } from './metrics.ts';
import { compareMetrics } from './rows.ts';
import { betterOrWorse, metricsTable, ruleOf } from './table.ts';

const metric = (name: string, ...values: number[]): MetricSummary => ({
  name,
  last: values.at(-1) ?? Number.NaN,
  min: Math.min(...values),
  max: Math.max(...values),
  step: values.length - 1,
  history: values.map((value, step) => ({ step, value })),
});
const gate = (name: string, more: Partial<Gate> = {}): Gate => ({ metric: name, direction: 'higher', ...more });

describe('compareMetrics', () => {
  it('puts gated metrics first, then what changed most', () => {
    const rows = compareMetrics(
      [
        metric('same', 1),
        metric('little', 1.01),
        metric('much', 2),
        metric('new 10', 1),
        metric('new 2', 1),
        metric('broken', Number.NaN),
        metric('f1', 0.5),
      ],
      [metric('same', 1), metric('little', 1), metric('much', 1), metric('gone', 1), metric('broken', 1), metric('f1', 0.4)],
      [
        { gate: gate('absent'), outcome: 'missing', why: '' },
        { gate: gate('f1'), outcome: 'pass', why: '' },
      ],
    );
    expect(rows.map(({ name }) => name)).toEqual(['absent', 'f1', 'broken', 'gone', 'much', 'little', 'new 2', 'new 10', 'same']);
  });

  it('takes any name', () => {
    const rows = compareMetrics([metric('__proto__', 1), metric('', 1)], [metric('__proto__', 2), metric('constructor', 1)], []);
    expect(rows.map(({ name, candidate, baseline }) => [name, candidate?.last, baseline?.last])).toEqual([
      ['constructor', undefined, 1],
      ['__proto__', 1, 2],
      ['', 1, undefined],
    ]);
  });
});

describe('metricsTable', () => {
  it('shows both sides, the change and the gate', () => {
    const rows = compareMetrics(
      [metric('accuracy', 0.5, 0.8, 0.961), metric('loss', 0.2)],
      [metric('accuracy', 0.953), metric('loss', 0.25)],
      [{ gate: gate('accuracy', { min: 0.9, 'max-regression': '1%' }), outcome: 'pass', why: '' }],
    );
    expect(metricsTable(rows)).toBe(
      [
        '| Metric | This commit | Baseline | Change | Curve | Gate |',
        '| --- | --: | --: | --- | --- | --- |',
        '| `accuracy` | **0.961** | 0.953 | +0.008_(+0.84_%)_better | ▁▆█ | ✅_pass<br><sub>≥_0.9,_≤_1%_worse</sub> |',
        '| `loss` | 0.2 | 0.25 | −0.05_(−20_%) |  |  |',
      ]
        .join('\n')
        .replaceAll('_', '\u00a0'),
    );
  });

  it('leaves out what nothing is known of', () => {
    expect(metricsTable(compareMetrics([metric('a|b', 1)], [], []))).toBe(
      ['| Metric | This commit |', '| --- | --: |', '| <code>a&#124;b</code> | 1 |'].join('\n'),
    );
  });
});

describe('betterOrWorse', () => {
  it.each([
    [1, 2, 'higher', 'better'],
    [1, 2, 'lower', 'worse'],
    [2, 2, 'lower', 'equal'],
    [1, Number.NaN, 'higher', undefined],
    [1, Number.POSITIVE_INFINITY, 'lower', 'worse'],
  ] as const)('from %p to %p where %s is better: %s', (from, to, direction, way) => {
    expect(betterOrWorse(from, to, direction)).toBe(way);
  });
});

describe('ruleOf', () => {
  it.each<[Partial<Gate>, string]>([
    [{ min: 0, max: 1, 'max-regression': '0.01' }, '≥ 0, ≤ 1, ≤ 0.01 worse'],
    [
      { 'min-improvement': '2%', on: 'best', 'require-seeds': 5, confidence: 0.9, level: 'warn' },
      '≥ 2% better, on best, 5 seeds, confidence 0.9, warns only',
    ],
  ])('of %j is %s', (more, words) => {
    expect(ruleOf(gate('x', more))).toBe(words);
  });
});
