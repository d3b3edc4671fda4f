import { describe, expect, it } from '@jest/globals';
import { readSweep, type SweepRequest } from './read.ts';
import { settingsOf, tableOf } from './settings.ts';

const head = 'method: grid\nmetric: accuracy\ngoal: maximize\nmax-trials: 24\n';
const read = (text: string): SweepRequest => readSweep(text, 'sweep.yaml');

describe('a sweep', () => {
  it('is read, and what it does not say has a default', () => {
    expect(
      read(`${head}parameters:\n  lr: { min: 0.001, max: 0.1, log: true, count: 3 }\n  batch: [8, 1.10]\n  opt: { choice: [sgd, adam] }`),
    ).toEqual({
      method: 'grid',
      seed: 0,
      metric: 'accuracy',
      direction: 'higher',
      on: 'last',
      parameters: new Map<string, unknown>([
        ['lr', { min: 0.001, max: 0.1, log: true, int: false, count: 3 }],
        ['batch', { values: ['8', '1.10'] }],
        ['opt', { values: ['sgd', 'adam'] }],
      ]),
      seeds: [],
      maxTrials: 24,
      parallel: 1,
      maxFailed: undefined,
      budget: undefined,
      launcher: 'auto',
      resource: undefined,
      eta: 3,
    });
  });

  const some = 'parameters: { a: [1, 2] }';
  it.each([
    ['- a', 'sweep.yaml is no map'],
    ['method: grid\nmethod: grid', 'sweep.yaml is not YAML: Map keys must be unique'],
    [some, 'sweep.yaml has no "method"'],
    [`method: best\n${some}`, 'sweep.yaml: "method" is "best"; allowed: one of grid, random, bayes, hyperband'],
    [`metod: grid\n${some}`, 'sweep.yaml has "metod", which is not known'],
    ['method: grid\nmetric: a\ngoal: maximize\nparameters: { a: [1] }', 'sweep.yaml has no "max-trials"'],
    [`method: grid\nmax-trials: 1001\n${some}`, 'sweep.yaml: "max-trials" is "1001"; allowed: a whole number from 1 to 1000'],
    [head.replace('maximize', 'up') + some, 'sweep.yaml: "goal" is "up"; allowed: one of maximize, minimize'],
    [head, 'sweep.yaml has no "parameters": there is nothing to try'],
    [`${head}parameters: {}`, 'sweep.yaml has no "parameters": there is nothing to try'],
    [`${head}parameters: { a: [] }`, 'sweep.yaml: parameters.a is empty: there is nothing to try'],
    [`${head}parameters: { a: { values: [] } }`, 'sweep.yaml: parameters.a is empty: there is nothing to try'],
    [`${head}parameters: { a: [1, 1] }`, 'sweep.yaml: parameters.a has "1" twice'],
    [`${head}parameters: { a: 3 }`, 'sweep.yaml: parameters.a is "3"; allowed: a list of values, or a map with min and max'],
    [`${head}parameters: { 'a b': [1] }`, 'sweep.yaml: "parameters" is "a b"; allowed: a name as $(params.NAME) has it'],
    [`${head}parameters: { a: ["x\\ty"] }`, 'sweep.yaml: parameters.a has "x\\ty"; allowed: texts and numbers of one line'],
    [`${head}parameters: { a: { min: 2, max: 1 } }`, 'sweep.yaml: parameters.a is empty: min 2 is above max 1'],
    [`${head}parameters: { a: { min: 0, max: 1, log: true } }`, 'sweep.yaml: parameters.a has "log" and min 0'],
    [`${head}parameters: { a: { min: 0.5, max: 2, int: true } }`, 'sweep.yaml: parameters.a has "int", from 0.5 to 2'],
    [`${head}parameters: { a: { min: 0, max: x } }`, 'sweep.yaml: parameters.a: "max" is "x"; allowed: a number'],
    [`${head}parameters: { a: { min: 0, max: 2, values: [1] } }`, 'sweep.yaml: parameters.a has "min", which is not known'],
    [`${head}parameters: { a: { min: 0, max: 1, step: 0 } }`, 'sweep.yaml: parameters.a has step 0'],
    [`${head}budget: { gpus: 1 }\n${some}`, 'sweep.yaml: budget has "gpus", which is not known'],
    [`${head}budget: { cost: 0 }\n${some}`, 'sweep.yaml: budget: "cost" is "0"; allowed: a number above 0'],
    [`${head}budget: { cost: 1, gpu-hours: 1 }\n${some}`, 'sweep.yaml: "budget" is "cost, gpu-hours"; allowed: one of'],
    [`${head}seeds: [1]\nparameters: { seed: [1] }`, 'sweep.yaml: "seeds" is "seed"; allowed: given once'],
    [head.replace('grid', 'hyperband') + some, 'sweep.yaml: "resource" is ""; allowed: the name of a parameter with min, max and int'],
    [`${head}resource: a\n${some}`, 'sweep.yaml: "resource" is "a"; allowed: given with method: hyperband alone'],
  ])('%j is refused', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

describe('the settings', () => {
  const of = (parameters: string, more = ''): ReturnType<typeof settingsOf> =>
    settingsOf(read(`${head}${more}\nparameters: ${parameters}`));

  it('of a grid are all points, in the order of the parameters', () => {
    expect(of('{ a: [1, 2], b: [x, y] }')).toEqual({
      names: ['a', 'b'],
      trials: [
        ['1', 'x'],
        ['1', 'y'],
        ['2', 'x'],
        ['2', 'y'],
      ],
      notes: [],
    });
  });

  it.each([
    ['{ min: 1, max: 4, int: true }', ['1', '2', '3', '4']],
    ['{ min: 1, max: 9, int: true, count: 3 }', ['1', '5', '9']],
    ['{ min: 1, max: 3, int: true, count: 9 }', ['1', '2', '3']],
    ['{ min: 0.001, max: 0.1, log: true, count: 3 }', ['0.001', '0.01', '0.1']],
    ['{ min: 0, max: 1, step: 0.25 }', ['0', '0.25', '0.5', '0.75', '1']],
    ['{ min: 0.1, max: 0.3, step: 0.1 }', ['0.1', '0.2', '0.3']],
    ['{ min: 5, max: 5 }', ['5']],
  ])('of the range %s are %j', (range, values) => {
    expect(of(`{ a: ${range} }`).trials).toEqual(values.map((value) => [value]));
  });

  it('are run with each seed', () => {
    const { names, trials } = of('{ a: [1, 2] }', 'seeds: [7, 8]');
    expect([names, ...trials]).toEqual([
      ['a', 'seed'],
      ['1', '7'],
      ['1', '8'],
      ['2', '7'],
      ['2', '8'],
    ]);
  });

  it.each([
    [
      `{ ${['a', 'b', 'c'].map((name) => `${name}: { min: 1, max: 1000, int: true }`).join(', ')} }`,
      '',
      'the grid has 1,000,000,000 points, which are 1,000,000,000 trials, and max-trials is 24',
    ],
    ['{ a: [1, 2, 3, 4, 5, 6, 7, 8, 9] }', 'seeds: [1, 2, 3]', 'the grid has 9 points, which are 27 trials, and max-trials is 24'],
    ['{ a: { min: 0, max: 1 } }', '', 'parameters.a is a range of any numbers, and a grid of it has no end'],
    ['{ a: [1] }', `seeds: [${Array.from({ length: 25 }, (_, seed) => seed).join(', ')}]`, '"seeds" has 25, and max-trials is 24'],
  ])('of %s with %j are refused', (parameters, more, message) => {
    expect(() => of(parameters, more)).toThrow(message);
  });

  const random = (parameters: string, seed = 1, most = 24): ReturnType<typeof settingsOf> =>
    settingsOf(read(`method: random\nseed: ${seed}\nmetric: a\ngoal: minimize\nmax-trials: ${most}\nparameters: ${parameters}`));
  const space = '{ lr: { min: 0.001, max: 0.1, log: true }, n: { min: 1, max: 4, int: true }, opt: [sgd, adam] }';

  it('by chance are the same for a seed, others for another, within the ranges, and each once', () => {
    const { trials } = random(space);
    expect(random(space).trials).toEqual(trials);
    expect(random(space, 2).trials).not.toEqual(trials);
    expect(new Set(trials.map((row) => row.join())).size).toBe(24);
    for (const [lr, n, opt] of trials) {
      expect(Number(lr)).toBeGreaterThanOrEqual(0.001);
      expect(Number(lr)).toBeLessThanOrEqual(0.1);
      expect(['1', '2', '3', '4']).toContain(n);
      expect(['sgd', 'adam']).toContain(opt);
    }
  });

  it('by chance are spread evenly, whole numbers and logarithms as well', () => {
    const { trials } = random(space, 3, 1000);
    const count = (index: number, value: string): number => trials.filter((row) => row[index] === value).length;
    for (const n of ['1', '2', '3', '4']) expect(Math.abs(count(1, n) - 250)).toBeLessThan(50);
    expect(Math.abs(trials.filter(([lr]) => Number(lr) < 0.01).length - 500)).toBeLessThan(60);
  });

  it('by chance of a small space are all of it', () => {
    const { trials, notes } = random('{ a: [1, 2, 3], b: [x, y] }');
    expect(trials.map((row) => row.join('')).toSorted()).toEqual(['1x', '1y', '2x', '2y', '3x', '3y']);
    expect(notes).toEqual(['there are 6 settings in all, and each is tried']);
  });

  it('by chance end where there are no more', () => {
    const { trials, notes } = random('{ a: { min: 1, max: 30, int: true, log: true }, b: [x] }', 1, 29);
    expect(trials.length).toBeGreaterThan(20);
    expect(trials.length).toBeLessThanOrEqual(29);
    if (trials.length < 29) expect(notes).toEqual([`only ${trials.length} different settings were found`]);
  });

  it('that do not fit into a variable are refused', () => {
    expect(() =>
      random(`{ a: [${Array.from({ length: 1000 }, (_, index) => `${'x'.repeat(200)}${index}`).join(', ')}] }`, 1, 1000),
    ).toThrow(/the settings of 1000 trials take \d+ bytes; allowed: 100000/u);
  });

  it('are a table by tabs', () => {
    expect(tableOf({ names: ['a', 'b'], trials: [['1', 'x y']] })).toBe('a\tb\n1\tx y');
  });
});
