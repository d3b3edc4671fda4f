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
    expect(lines).toHaveLength(10);
    expect(lines[0]).toBe(`1 │${' '.repeat(47)}2`);
    expect(lines[4]).toMatch(/^ {2}│ {23,24}●$/u);
    expect(lines[7]).toBe('0 │●');
    expect(lines[9]).toMatch(/^ {3}0\.001 +\(logarithmic\) +1$/u);
  });

  it.each([
    ['one value', [0, 1].map((y) => ({ x: '1', y }))],
    ['one result', ['1', '2'].map((x) => ({ x, y: 1 }))],
    ['many words', Array.from({ length: 20 }, (_, index) => ({ x: `w${index}`, y: index }))],
  ])('draws nothing of %s', (_, dots) => {
    expect(scatter(dots)).toBeUndefined();
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
