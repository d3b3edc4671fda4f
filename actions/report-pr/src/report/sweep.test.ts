import { describe, expect, it } from '@jest/globals';
import { rankSettings, type RankedSetting } from '@slashtrain/core/sweep/rank';
import type { RunSweep, Trial } from '@slashtrain/core/sweep/sweep';
import { stories } from './examples.ts';
import { importanceOf } from './importance.ts';
import { scatter } from './scatter.ts';
import { bestWords, sweepSections } from './sweep.ts';

const sweep: RunSweep = {
  method: 'grid',
  metric: 'accuracy',
  direction: 'higher',
  on: 'last',
  parameters: ['lr', 'batch', 'seed'],
  trials: [],
  maxTrials: 24,
  parallel: 4,
  maxFailed: 6,
};

const trial = (index: number, values: string[], last: number): Trial => ({
  index,
  values,
  state: 'succeeded',
  metrics: [{ name: 'accuracy', last, min: last, max: last, mean: last, step: 1 }],
});

describe('bestWords', () => {
  const setting = (lr: string, values: number[]): RankedSetting =>
    rankSettings(
      values.map((value, index) => trial(index, [lr, '8', String(index)], value)),
      sweep,
    )[0]!;
  const plain = (...settings: RankedSetting[]): string => bestWords(settings, sweep).replaceAll('\u00a0', ' ');
  it.each<[string, RankedSetting[], string]>([
    ['nothing', [], 'No trial ended well with a number for `accuracy`.'],
    ['one', [setting('0.1', [0.9])], 'There is no other to compare it with.'],
    [
      'one run each',
      [setting('0.1', [0.9]), setting('0.2', [0.8])],
      '0.1 ahead of the next (0.8): one run each, so that their order may be chance.',
    ],
    [
      'seeds that overlap',
      [setting('0.1', [0.9, 0.8, 0.85]), setting('0.2', [0.88, 0.79, 0.85])],
      '0.26 standard errors of their difference (3 seeds each), that may well be chance.',
    ],
    ['seeds far apart', [setting('0.1', [0.9, 0.91]), setting('0.2', [0.5, 0.52, 0.51])], '(2 and 3 seeds), hardly chance.'],
    ['seeds without effect', [setting('0.1', [0.9, 0.9]), setting('0.2', [0.8, 0.8])], 'the seeds of both change nothing (2 seeds each).'],
  ])('of %s says how sure it is', (_, settings, words) => {
    expect(plain(...settings)).toContain(words);
  });
});

describe('importanceOf', () => {
  it('is high for what makes the difference, and about nothing for what makes none', () => {
    const trials = Array.from({ length: 32 }, (_, index) =>
      trial(index, [String(index % 8), String((index >> 3) % 2), '1'], (index % 8) / 10),
    );
    const [first, second, ...more] = importanceOf(trials, sweep);
    expect([first?.name, second?.name, more]).toEqual(['lr', 'batch', []]);
    expect(first?.share).toBeGreaterThan(0.9);
    expect(second?.share).toBe(0);
  });

  it.each([
    ['too few trials', [1, 2, 3, 4, 5, 6, 7].map((index) => trial(index, [String(index), '8', '1'], index))],
    ['no spread', Array.from({ length: 9 }, (_, index) => trial(index, [String(index), '8', '1'], 0.5))],
  ])('says nothing of %s', (_, trials) => {
    expect(importanceOf(trials, sweep)).toEqual([]);
  });
});

describe('scatter', () => {
  it('has a dot for a trial, a digit for several, and a logarithm where there are hundredfolds', () => {
    const plot = scatter([
      { x: '0.001', y: 0 },
      { x: '0.03162', y: 0.5 },
      { x: '1', y: 1 },
      { x: '1', y: 1 },
      { x: '1', y: Number.NaN },
    ]);
    const lines = (plot ?? '').split('\n');
    expect(lines).toHaveLength(11);
    expect(lines[0]).toBe(`1 │${' '.repeat(47)}2`);
    expect(lines[4]).toMatch(/^ {2}│ {23,24}●$/u);
    expect(lines[7]).toBe('0 │●');
    expect(lines[9]).toMatch(/^ {3}0\.001 +0\.03162 +1$/u);
    expect(lines[10]).toMatch(/^ +\(logarithmic\)$/u);
  });

  it.each([
    ['one value', [0, 1].map((y) => ({ x: '1', y }))],
    ['one result', ['1', '2'].map((x) => ({ x, y: 1 }))],
  ])('draws nothing of %s', (_, dots) => {
    expect(scatter(dots)).toBeUndefined();
  });

  const labels = (values: string[], options = {}): string[] =>
    (
      scatter(
        values.map((x, y) => ({ x, y })),
        options,
      ) ?? ''
    )
      .split('\n')
      .slice(9)
      .map((line) => line.trim().replace(/ +/gu, ' '));
  it.each<[string, string[], object, string[]]>([
    ['a choice of words: a place each, as they were tried', ['sgd', 'adam', '0.5'], {}, ['sgd adam 0.5']],
    [
      'words that do not fit: a letter each',
      ['cosine-with-warmup-500', 'cosine-with-warmup-1000', 'none'],
      {},
      ['a b c', 'a = cosine-with-warmup-500', 'b = cosine-with-warmup-1000', 'c = none'],
    ],
    ['a choice of numbers: each by its name', ['64', '16', '32'], {}, ['16 32 64']],
    ['numbers that would run into each other: the ends', ['1', '1.001', '100'], {}, ['1 (logarithmic) 100']],
    [
      'numbers that are tried by their logarithm, below a hundredfold',
      ['0.01', '0.02', '0.04'],
      { isLog: true },
      ['0.01 0.02 0.04', '(logarithmic)'],
    ],
  ])('names %s', (_, values, options, expected) => {
    expect(labels(values, options)).toEqual(expected);
  });

  it('puts numbers by their logarithm in equal distances, and a word where its name is', () => {
    const columns = (plot = ''): number[] =>
      plot
        .split('\n')
        .slice(0, 8)
        .flatMap((line) => (line.includes('●') ? [line.indexOf('●') - line.indexOf('│') - 1] : []));
    const rates = scatter(
      ['0.04', '0.02', '0.01'].map((x, y) => ({ x, y: -y })),
      { isLog: true },
    );
    expect([
      [47, 23, 0],
      [47, 24, 0],
    ]).toContainEqual(columns(rates));
    const words = scatter(['sgd', 'adam'].map((x, y) => ({ x, y: -y })));
    const below = (words ?? '').split('\n')[9]!.slice(words!.indexOf('│') + 1);
    expect(columns(words).map((at, index) => below.slice(at - 1, at + 3).includes(['sg', 'da'][index]!))).toEqual([true, true]);
  });

  it('of 20 words draws eleven, and the others together', () => {
    const words = Array.from({ length: 20 }, (_, index) => ({ x: `word-${index}`, y: index }));
    const text = scatter(words) ?? '';
    expect(text).toContain('k = word-10');
    expect(text).toContain('l = 9 others');
  });

  it('puts a hostile word nowhere but into its place', () => {
    const plot = scatter(['```\n# x', '\u202eabc'].map((x, y) => ({ x, y })));
    expect((plot ?? '').split('\n')).toHaveLength(10);
    expect(plot).not.toMatch(/\u202e/u);
  });
});

it('a sweep of 1,000 trials has a report that fits, and says what is not shown', () => {
  const story = stories['sweep']!;
  const trials = Array.from({ length: 1000 }, (_, index) => trial(index, [String(index), String(index % 3), '1'], Math.sin(index)));
  const record = { ...story.stored!.record, sweep: { ...sweep, trials: trials.map(({ values }) => values) } };
  const text = sweepSections({ ...story, trials, stored: { ...story.stored!, record } })
    .map((section) => section.text)
    .join('\n');
  expect(text.length).toBeLessThan(12_000);
  expect(text).toContain('975 more are not shown');
  expect(sweepSections({ ...story, state: 'running' })).toEqual([]);
});
