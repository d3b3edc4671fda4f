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
const runs = (...each: MetricSummary[][]): { source: string; metrics: MetricSummary[] }[] =>
  each.map((metrics) => ({ source: 'run', metrics }));
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
    const baseline = before === undefined ? undefined : runs([metric('m', before)]);
    const [result] = evaluateGates([gate], { candidate: runs([metric('m', value)]), baseline });
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
      candidate: runs(names.map((name) => metric(name, 1))),
      baseline: runs([metric('accuracy', 1)]),
    });
    expect(result?.outcome).toBe('missing');
    expect(result?.why).toContain(why);
  });

  it('has no baseline where the baseline lacks the metric', () => {
    const [result] = evaluateGates([higher({ 'max-regression': '0' })], {
      candidate: runs([metric('m', 1)]),
      baseline: runs([metric('n', 1)]),
    });
    expect(result).toMatchObject({ outcome: 'no-baseline', why: 'the baseline does not have this metric' });
  });

  it('is an error, whatever was measured, where the run did not succeed', () => {
    const [result] = evaluateGates([higher({ min: 0 })], {
      candidate: runs([metric('m', 1)]),
      baseline: undefined,
      unfit: 'the run failed',
    });
    expect(result).toEqual({ gate: higher({ min: 0 }), outcome: 'error', why: 'the run failed' });
  });
});

describe('a gate over several runs', () => {
  const better = [0.95, 0.951, 0.953, 0.954];
  const worse = [0.91, 0.92, 0.93, 0.935];
  const noisy = [0.95, 0.92, 0.91, 0.96];
  const other = [0.955, 0.965, 0.945, 0.925];
  it.each<[string, Gate, number[], number[] | undefined, GateOutcome, string]>([
    [
      'that lost for certain',
      higher({ 'max-regression': '0.01' }),
      worse,
      better,
      'fail',
      '0.9238 against 0.952 of the baseline, −0.0282 (−3 %) [−0.044 to −0.015 at 95 %, p = 0.0286], allowed: 0.01 worse (4 runs each)',
    ],
    ['that lost, perhaps by less', higher({ 'max-regression': '0.02' }), worse, better, 'inconclusive', 'it may be noise'],
    ['that lost within what is allowed', higher({ 'max-regression': '5%' }), worse, better, 'pass', 'allowed: 5% worse (4 runs each)'],
    ['that lost perhaps', higher({ 'max-regression': '0' }), noisy, other, 'inconclusive', 'the interval reaches into what is allowed'],
    ['that gained', higher({ 'max-regression': '0' }), better, worse, 'pass', 'p = 0.0286'],
    ['that gained enough', higher({ 'min-improvement': '0.02' }), better, worse, 'pass', 'required: 0.02 better'],
    ['that did not gain', higher({ 'min-improvement': '0.01' }), worse, better, 'fail', 'required: 0.01 better'],
    ['that gained, perhaps not enough', higher({ 'min-improvement': '0.03' }), better, worse, 'inconclusive', 'what is required'],
    ['of a loss that went up', lower({ 'max-regression': '1%' }), better, worse, 'fail', ''],
    ['of a loss that went down', lower({ 'min-improvement': '1%' }), worse, better, 'pass', ''],
    [
      'too few for a test',
      higher({ 'max-regression': '0' }),
      [0.9, 0.92],
      [0.93, 0.95, 0.94],
      'fail',
      'means of 2 against 3 runs, too few for a test',
    ],
    ['one against several', higher({ 'max-regression': '0' }), [0.99], better, 'pass', 'means of 1 against 4 runs'],
    [
      'too few for the seeds',
      higher({ min: 0, 'require-seeds': 3 }),
      [0.9, 0.9],
      undefined,
      'inconclusive',
      '2 runs, and the gate requires 3',
    ],
    [
      'with too few in the baseline',
      higher({ 'max-regression': '0', 'require-seeds': 2 }),
      [0.9, 0.9],
      [0.9],
      'inconclusive',
      'the baseline has a single run, and the gate requires 2',
    ],
    [
      'too few for the confidence',
      higher({ 'max-regression': '0', confidence: 0.99 }),
      better,
      worse,
      'error',
      'a confidence of 0.99 cannot be reached with 4 and 4 runs, whose least p is 0.0286; it takes 5 a side',
    ],
    ['single, for a confidence', higher({ 'max-regression': '0', confidence: 0.9 }), [1], [1], 'error', 'it takes 4 a side'],
    [
      'below the bound on the mean',
      higher({ min: 0.93 }),
      worse,
      undefined,
      'fail',
      '0.9238, the mean of 4 runs, is below the minimum of 0.93 (4 runs)',
    ],
    ['at the bound on the mean', higher({ min: 0.1 }), [0.1, 0.1, 0.1], undefined, 'pass', '0.1 is within its limits (3 runs)'],
    [
      'one of which is NaN',
      higher({ min: 0 }),
      [0.9, nan, 0.9],
      undefined,
      'fail',
      'NaN is no number that a gate can pass (single run of 3)',
    ],
    ['against one that is NaN', higher({ 'max-regression': '0' }), better, [...worse, nan], 'pass', "1 of the baseline's are no numbers"],
  ])('%s', (_, gate, values, before, outcome, why) => {
    const [result] = evaluateGates([gate], {
      candidate: runs(...values.map((value) => [metric('m', value)])),
      baseline: before && runs(...before.map((value) => [metric('m', value)])),
    });
    expect(result?.why).toContain(why);
    expect(result?.outcome).toBe(outcome);
  });

  it('takes a metric from the first source that has it: another measured the same runs again', () => {
    const candidate = [
      { source: 'run', metrics: [metric('m', 0.9)] },
      { source: 'mlflow', metrics: [metric('m', 0.1), metric('n', 0.5)] },
    ];
    const results = evaluateGates([higher({ min: 0.8 }), { ...higher({ min: 0.4 }), metric: 'n' }], { candidate, baseline: undefined });
    expect(results.map(({ candidate: value }) => value)).toEqual([0.9, 0.5]);
  });
});

describe('a gate on', () => {
  const curve = [0.5, 0.9, 0.7];
  const summary: MetricSummary = { name: 'm', last: 0.7, min: 0.5, max: 0.9, step: 2, mean: 0.7, history: [] };
  it.each([
    ['last', 'higher', curve[2]],
    ['best', 'higher', 0.9],
    ['best', 'lower', 0.5],
    ['min', 'higher', 0.5],
    ['max', 'lower', 0.9],
    ['mean', 'higher', 0.7],
  ] as const)('%s, where %s is better', (on, direction, value) => {
    const [result] = evaluateGates([{ metric: 'm', direction, min: 0, on }], { candidate: runs([summary]), baseline: undefined });
    expect(result?.candidate).toBe(value);
  });
});

describe('a gate with a pattern', () => {
  const slices = (...names: string[]): ReturnType<typeof runs> => runs(names.map((name) => metric(name, 1)));
  const gate: Gate = { metric: 'accuracy/*', direction: 'higher', 'max-regression': '0' };

  it('gives a result for each metric that it means, one that the candidate has lost among them', () => {
    const results = evaluateGates([gate], {
      candidate: slices('accuracy/a', 'accuracy/b', 'accuracy'),
      baseline: slices('accuracy/a', 'accuracy/b', 'accuracy/c'),
    });
    expect(results.map(({ gate: { metric: name }, pattern, outcome }) => [name, pattern, outcome])).toEqual([
      ['accuracy/a', 'accuracy/*', 'pass'],
      ['accuracy/b', 'accuracy/*', 'pass'],
      ['accuracy/c', 'accuracy/*', 'missing'],
    ]);
  });

  it('that means nothing is missing; one that is a name means that name', () => {
    expect(evaluateGates([gate], { candidate: slices('loss'), baseline: undefined })[0]).toMatchObject({ outcome: 'missing' });
    const exact = evaluateGates([{ metric: 'a*', direction: 'higher', min: 0 }], { candidate: slices('a*', 'ab'), baseline: undefined });
    expect(exact.map(({ gate: { metric: name } }) => name)).toEqual(['a*']);
  });
});

describe('readGates', () => {
  it('reads what the configuration would', () => {
    expect(
      readGates(
        '- { metric: accuracy, direction: higher, min: 0.9, max-regression: "1%" }\n- { metric: loss, direction: lower, max: 1 }\n- { metric: "f1/*", direction: higher, min-improvement: "0.01", on: best, require-seeds: 3, confidence: 0.9, level: warn }',
        'x',
      ),
    ).toEqual([
      { metric: 'accuracy', direction: 'higher', min: 0.9, 'max-regression': '1%' },
      { metric: 'loss', direction: 'lower', max: 1 },
      { metric: 'f1/*', direction: 'higher', 'min-improvement': '0.01', on: 'best', 'require-seeds': 3, confidence: 0.9, level: 'warn' },
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
    ['- metric: a\n  direction: higher\n  min: .nan', '3:3: min is NaN; allowed: a number'],
    ['- metric: a\n  direction: higher\n  min: 2\n  max: 1', '3:3: the gate of "a" has a min of 2 above its max of 1'],
    ['- metric: a\n  direction: higher\n  max-regression: 0.01', 'allowed: a text in quotes such as "0.01" or "2%"'],
    ['- metric: a\n  direction: higher\n  max-regression: "-1%"', 'allowed: a text in quotes'],
    ['- metric: a\n  direction: higher\n  min: 1\n  on: best-ever', '4:3: on is "best-ever"; allowed: last, best, min, max, mean'],
    ['- metric: a\n  direction: higher\n  min: 1\n  require-seeds: 2.5', 'require-seeds is 2.5; allowed: a whole number from 1 to 1000'],
    ['- metric: a\n  direction: higher\n  min: 1\n  confidence: 95', 'confidence is 95; allowed: a number from 0.5 to 0.9999'],
    ['- metric: a\n  direction: higher\n  min: 1\n  level: info', 'level is "info"; allowed: fail, warn'],
    ['- metric: a\n  direction: higher\n  max-regression: "0"\n  min-improvement: "1"', 'allowed: max-regression or min-improvement'],
    ['- metric: a\n  direction: higher\n  mim: 1', '3:3: unknown key "mim"; allowed: metric, direction, min, max, max-regression'],
    ['- metric: a\n  metric: b', '2:3'],
    ['- [', '1:'],
    ['- metric: __proto__\n  __proto__: { min: 1 }\n  direction: higher', 'unknown key "__proto__"'],
  ])('refuses %j with its place', (text, words) => {
    expect(() => readGates(text, 'input "gates"')).toThrow(words);
    expect(() => readGates(text, 'input "gates"')).toThrow(/^input "gates":\d+:\d+: /u);
  });
});
