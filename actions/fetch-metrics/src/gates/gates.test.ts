import { describe, expect, it } from '@jest/globals';
import type { Gate, GateOutcome, MetricSummary } from '@slashtrain/core/metrics/metrics';
import { evaluateGates } from './evaluate.ts';
import { readGates } from './read.ts';

const metric = (name: string, last: number): MetricSummary => ({
  name,
  last,
  min: last,
  max: last,
  step: 1,
  history: [{ step: 1, value: last }],
});
const higher = (more: Partial<Gate>): Gate => ({ metric: 'm', direction: 'higher', ...more });
const lower = (more: Partial<Gate>): Gate => ({ metric: 'm', direction: 'lower', ...more });
const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

describe('a gate', () => {
  it.each<[string, Gate, number, number | undefined, GateOutcome, string]>([
    ['at its min', higher({ min: 0.9 }), 0.9, undefined, 'pass', '0.9 is within its limits (single run)'],
    ['below its min', higher({ min: 0.9 }), 0.81, undefined, 'fail', '0.81 is below the minimum of 0.9 (single run)'],
    ['a little below its min', higher({ min: 0.9 }), 0.899_999, undefined, 'fail', '0.899999 is below the minimum of 0.9'],
    ['at its max', lower({ max: 0.1 }), 0.1, undefined, 'pass', ''],
    ['above its max', lower({ max: 0.1 }), 0.2, undefined, 'fail', '0.2 is above the maximum of 0.1'],
    ['better', higher({ 'max-regression': '0' }), 0.96, 0.95, 'pass', '0.96 against 0.95 of the baseline, +0.01 (+1.1 %) (single run)'],
    ['equal', higher({ 'max-regression': '0' }), 0.95, 0.95, 'pass', '±0'],
    ['worse by what is allowed', higher({ 'max-regression': '0.01' }), 0.94, 0.95, 'pass', 'allowed: 0.01 worse'],
    [
      'worse by more',
      higher({ 'max-regression': '0.01' }),
      0.939,
      0.95,
      'fail',
      '0.939 against 0.95 of the baseline, −0.011 (−1.2 %), allowed: 0.01 worse',
    ],
    ['worse by a share that is allowed', higher({ 'max-regression': '10%' }), 90, 100, 'pass', ''],
    ['worse by a larger share', higher({ 'max-regression': '10%' }), 89, 100, 'fail', ''],
    ['worse where lower is better', lower({ 'max-regression': '0.1' }), 1.2, 1, 'fail', '+0.2 (+20 %), allowed: 0.1 worse'],
    ['better where lower is better', lower({ 'max-regression': '0' }), 0.5, 1, 'pass', ''],
    ['a share of a negative baseline', higher({ 'max-regression': '10%' }), -1.05, -1, 'pass', ''],
    ['too much of a negative baseline', higher({ 'max-regression': '10%' }), -1.2, -1, 'fail', ''],
    ['any share of 0', higher({ 'max-regression': '10%' }), -0.1, 0, 'fail', 'a share of 0 is 0'],
    ['without a baseline', higher({ 'max-regression': '1%' }), 0.9, undefined, 'no-baseline', 'there is no baseline'],
    ['below its min without a baseline', higher({ min: 0.9, 'max-regression': '1%' }), 0.8, undefined, 'fail', 'below the minimum'],
    ['against NaN', higher({ 'max-regression': '1%' }), 0.9, nan, 'no-baseline', "the baseline's value is NaN"],
    ['NaN', higher({ min: 0 }), nan, 1, 'fail', 'NaN is no number that a gate can pass'],
    ['infinite in the better direction', higher({ min: 0, 'max-regression': '0' }), infinity, 1, 'fail', '∞ is no number'],
    ['infinite in the worse direction', lower({ max: 1 }), infinity, 1, 'fail', '∞ is no number'],
    [
      'two things wrong',
      higher({ min: 0.9, 'max-regression': '0' }),
      0.8,
      0.95,
      'fail',
      '0.8 is below the minimum of 0.9; 0.8 against 0.95',
    ],
  ])('%s', (_, gate, value, before, outcome, why) => {
    const baseline = before === undefined ? undefined : [metric('m', before)];
    const [result] = evaluateGates([gate], { candidate: [metric('m', value)], baseline });
    expect(result).toMatchObject({ outcome, candidate: value });
    expect(result?.why).toContain(why);
  });

  it.each<[string, string[], string]>([
    ['nothing like it', ['loss', 'f1'], 'no such metric; it has "loss", "f1"'],
    ['a near name', ['accurracy', 'f1'], 'did you mean "accurracy"?'],
    ['many names', ['a1', 'b2', 'c3', 'd4', 'e5', 'f6', 'g7'], 'it has "a1", "b2", "c3", "d4", "e5" and 2 more'],
    ['no metrics', [], 'the run has no metrics'],
    ['names of an object', ['__proto__', 'constructor'], 'no such metric'],
  ])('is missing where the run has %s', (_, names, why) => {
    const [result] = evaluateGates([{ metric: 'accuracy', direction: 'higher', min: 0 }], {
      candidate: names.map((name) => metric(name, 1)),
      baseline: [metric('accuracy', 1)],
    });
    expect(result?.outcome).toBe('missing');
    expect(result?.why).toContain(why);
  });

  it('has no baseline where the baseline lacks the metric', () => {
    const [result] = evaluateGates([higher({ 'max-regression': '0' })], { candidate: [metric('m', 1)], baseline: [metric('n', 1)] });
    expect(result).toMatchObject({ outcome: 'no-baseline', why: 'the baseline does not have this metric' });
  });

  it('is an error, whatever was measured, where the run did not succeed', () => {
    const [result] = evaluateGates([higher({ min: 0 })], { candidate: [metric('m', 1)], baseline: undefined, unfit: 'the run failed' });
    expect(result).toEqual({ gate: higher({ min: 0 }), outcome: 'error', why: 'the run failed' });
  });
});

describe('readGates', () => {
  it('reads what the configuration would', () => {
    expect(
      readGates(
        '- { metric: accuracy, direction: higher, min: 0.9, max-regression: "1%" }\n- { metric: loss, direction: lower, max: 1 }',
        'x',
      ),
    ).toEqual([
      { metric: 'accuracy', direction: 'higher', min: 0.9, 'max-regression': '1%' },
      { metric: 'loss', direction: 'lower', max: 1 },
    ]);
    expect(readGates('# none', 'x')).toEqual([]);
  });

  it.each([
    ['metric: accuracy', '1:1: not a list'],
    ['- accuracy', '1:3: a gate is a map; allowed: metric, direction, min'],
    ['- direction: higher\n  min: 1', '1:3: metric is needed'],
    ['- metric: a\n  min: 1', '1:3: direction is needed: higher or lower'],
    ['- metric: a\n  direction: up\n  min: 1', '2:3: direction is needed: higher or lower'],
    ['- metric: a\n  direction: higher', '1:3: the gate of "a" asks for nothing'],
    ['- metric: a\n  direction: higher\n  min: high', '3:3: min is "high"; allowed: a number'],
    ['- metric: a\n  direction: higher\n  min: .nan', '3:3: min is null; allowed: a number'],
    ['- metric: a\n  direction: higher\n  min: 2\n  max: 1', '3:3: the gate of "a" has a min of 2 above its max of 1'],
    ['- metric: a\n  direction: higher\n  max-regression: 0.01', 'allowed: a text in quotes such as "0.01" or "2%"'],
    ['- metric: a\n  direction: higher\n  max-regression: "-1%"', 'allowed: a text in quotes'],
    ['- metric: a\n  direction: higher\n  mim: 1', '3:3: unknown key "mim"; allowed: metric, direction, min, max, max-regression'],
    ['- metric: a\n  metric: b', '2:3'],
    ['- [', '1:'],
    ['- metric: __proto__\n  __proto__: { min: 1 }\n  direction: higher', 'unknown key "__proto__"'],
  ])('refuses %j with its place', (text, words) => {
    expect(() => readGates(text, 'input "gates"')).toThrow(words);
    expect(() => readGates(text, 'input "gates"')).toThrow(/^input "gates":\d+:\d+: /u);
  });
});
