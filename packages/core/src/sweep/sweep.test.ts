import { describe, expect, it } from '@jest/globals';
import type { Evidence } from '../backend/backend.ts';
import { packMetrics, unpackMetrics } from '../records/pack.ts';
import type { PodResult } from '../run/result.ts';
import type { Status } from '../run/state.ts';
import { sweepStatus, withStopped } from './outcome.ts';
import { rankSettings } from './rank.ts';
import type { RunSweep, Trial } from './sweep.ts';
import { podsToRead, sweepMetrics, type TrialSources } from './trials.ts';

const sweep: RunSweep = {
  method: 'grid',
  metric: 'accuracy',
  direction: 'higher',
  on: 'last',
  parameters: ['lr'],
  trials: [['0.1'], ['0.2'], ['0.3'], ['0.4']],
  maxTrials: 4,
  parallel: 2,
  maxFailed: 1,
};

function trial(index: number, values: string[], accuracy: number, more: Partial<Trial> = {}): Trial {
  const metric = { name: 'accuracy', last: accuracy, min: accuracy - 0.1, max: accuracy + 0.1, mean: accuracy, step: 3 };
  return { index, values, state: 'succeeded', metrics: [metric], ...more };
}

describe('rankSettings', () => {
  const order = (trials: Trial[], change: Partial<RunSweep> = {}): string[] =>
    rankSettings(trials, { ...sweep, ...change }).map(({ parameters, mean }) => `${parameters.map(({ value }) => value).join()}=${mean}`);

  it('puts the best first, by the direction, and of equals the first', () => {
    const trials = [trial(0, ['a'], 0.5), trial(1, ['b'], 0.75), trial(2, ['c'], 0.75), trial(3, ['d'], 0.25)];
    expect(order(trials)).toEqual(['b=0.75', 'c=0.75', 'a=0.5', 'd=0.25']);
    expect(order(trials, { direction: 'lower' })).toEqual(['d=0.25', 'a=0.5', 'b=0.75', 'c=0.75']);
  });

  it('leaves out what did not end well, measured nothing, or no number', () => {
    const trials = [
      trial(0, ['a'], 0.9, { state: 'failed' }),
      trial(1, ['b'], 0.9, { state: 'stopped' }),
      trial(2, ['c'], Number.NaN),
      trial(3, ['d'], Number.POSITIVE_INFINITY),
      trial(4, ['e'], 0.9, { metrics: [] }),
    ];
    expect(order(trials)).toEqual([]);
  });

  it('takes the value of the curve that counts', () => {
    const trials = [trial(0, ['a'], 0.5), trial(1, ['b'], 0.25)];
    expect(order(trials, { on: 'best' })).toEqual(['a=0.6', 'b=0.35']);
    expect(order(trials, { on: 'best', direction: 'lower' })).toEqual(['b=0.15', 'a=0.4']);
  });

  it('compares settings by the mean of their seeds, not by the luckiest of them', () => {
    const rows: [string, string, number][] = [
      ['a', '1', 0.99],
      ['a', '2', 0.51],
      ['b', '1', 0.8],
      ['b', '2', 0.9],
    ];
    const trials = rows.map(([value, seed, accuracy], index) => trial(index, [value, seed], accuracy));
    const [best, next] = rankSettings(trials, { ...sweep, parameters: ['lr', 'seed'] });
    expect([best?.parameters, next?.parameters]).toEqual([[{ name: 'lr', value: 'b' }], [{ name: 'lr', value: 'a' }]]);
    expect(best?.values).toEqual([0.9, 0.8]);
    expect(best?.mean).toBeCloseTo(0.85);
    expect(best?.deviation).toBeCloseTo(0.0707, 4);
    expect(best?.trials.map(({ index }) => index)).toEqual([3, 2]);
  });
});

const pod = (rank: number, phase: string, more: Partial<PodResult> = {}): PodResult => ({
  name: `s-${rank}-x`,
  uid: `${rank}`,
  phase,
  rank,
  startedAt: '2026-11-21T10:00:00Z',
  gpus: 0,
  containers: [],
  ...more,
});
const pods = (...phases: string[]): PodResult[] => phases.map((phase, rank) => pod(rank, phase));

/** As Argo ends a pod: seen on a real cluster. */
const killed = (rank: number, reason = 'Error'): PodResult =>
  pod(rank, 'Failed', { containers: [{ name: 'main', exitCode: 143, reason, restarts: 0 }] });

const crashed = (rank: number): PodResult =>
  pod(rank, 'Failed', { containers: [{ name: 'main', exitCode: 2, reason: 'Error', restarts: 0 }] });

describe('sweepStatus', () => {
  const retries: Status = { state: 'failed', reason: 'retries', message: 'Job has failed indexes' };
  const late: Status = { state: 'failed', reason: 'deadline', message: 'Job was active longer than specified deadline' };
  const budget = { unit: 'gpu-hours', amount: 2, seconds: 60 } as const;
  it.each<[string, Status, PodResult[], Partial<RunSweep>, Status]>([
    ['all well', { state: 'succeeded' }, pods('Succeeded', 'Succeeded', 'Succeeded', 'Succeeded'), {}, { state: 'succeeded' }],
    [
      'as many failed as may',
      retries,
      pods('Succeeded', 'Failed', 'Succeeded', 'Succeeded'),
      {},
      { state: 'succeeded', message: '1 of 4 trials failed; at most 1 may' },
    ],
    [
      'more failed than may',
      retries,
      pods('Succeeded', 'Failed', 'Failed', 'Succeeded'),
      {},
      { ...retries, message: '2 of 4 trials failed; at most 1 may' },
    ],
    ['all failed, as many as may', retries, pods('Failed', 'Failed', 'Failed', 'Failed'), { maxFailed: 4 }, retries],
    [
      'a Workflow that is content with failures',
      { state: 'succeeded' },
      pods('Succeeded', 'Failed', 'Failed', 'Succeeded'),
      {},
      { state: 'failed', reason: 'retries', message: '2 of 4 trials failed; at most 1 may' },
    ],
    [
      'its budget',
      late,
      [...pods('Succeeded', 'Succeeded'), pod(2, 'Failed', { stopped: true })],
      { budget },
      { state: 'succeeded', message: 'stopped by its budget of 2 GPU-hours, after 2 of 4 trials had ended' },
    ],
    ['its budget, before any trial', late, [pod(0, 'Running')], { budget }, late],
    ['a deadline that is not of its budget', late, pods('Succeeded'), {}, late],
    ['going on', { state: 'running' }, pods('Succeeded'), {}, { state: 'running' }],
    [
      'a Workflow with as many failed as may',
      { state: 'failed', message: 'trial(1:lr:0.2): main: Error (exit code 3)' },
      pods('Succeeded', 'Failed', 'Succeeded', 'Succeeded'),
      {},
      { state: 'succeeded', message: '1 of 4 trials failed; at most 1 may' },
    ],
    [
      'a Workflow with more',
      { state: 'failed', message: 'trial(1:lr:0.2): main: Error (exit code 3)' },
      pods('Succeeded', 'Failed', 'Failed', 'Succeeded'),
      {},
      { state: 'failed', reason: 'retries', message: '2 of 4 trials failed; at most 1 may' },
    ],
    [
      'a Workflow that was stopped since more have failed',
      { state: 'cancelled', message: "Stopped with strategy 'Stop'" },
      [crashed(0), crashed(1), pod(2, 'Succeeded'), killed(3)],
      {},
      { state: 'failed', reason: 'retries', message: '2 of 4 trials failed; at most 1 may, and what was left was stopped' },
    ],
    // Those that the stop took with it did not fail.
    ['a Workflow that a person stopped', { state: 'cancelled' }, [killed(0), killed(1), killed(2)], {}, { state: 'cancelled' }],
    [
      'a Workflow, its budget',
      late,
      // The last one was stopped before its program had begun.
      [pod(0, 'Succeeded'), crashed(1), killed(2), pod(3, 'Failed', { containers: [{ name: 'init', exitCode: 64, restarts: 0 }] })],
      { budget },
      { state: 'succeeded', message: 'stopped by its budget of 2 GPU-hours, after 2 of 4 trials had ended' },
    ],
    ['cancelled', { state: 'cancelled' }, pods('Succeeded'), {}, { state: 'cancelled' }],
    ['Katib’s own trials', retries, pods('Succeeded'), { trials: [] }, retries],
  ])('of %s', (_, status, seen, change, expected) => {
    expect(sweepStatus({ ...sweep, ...change }, status, seen)).toEqual(expected);
  });

  it('is cancelled where somebody wanted it, however many failed', () => {
    expect(sweepStatus(sweep, { state: 'cancelled' }, pods('Failed', 'Failed', 'Failed'), true)).toEqual({ state: 'cancelled' });
  });

  it('counts a trial that ran out of memory as failed, also where the whole was stopped', () => {
    const seen = [crashed(0), pod(1, 'Failed', { containers: [{ name: 'main', exitCode: 137, reason: 'OOMKilled', restarts: 0 }] })];
    expect(sweepStatus(sweep, { state: 'cancelled' }, seen).state).toBe('failed');
    expect(withStopped(sweep, { state: 'cancelled' }, [...seen, killed(2)]).map(({ stopped }) => stopped)).toEqual([
      undefined,
      undefined,
      true,
    ]);
  });

  it('counts a trial once that was tried again, and by the pod that ended well', () => {
    const again = [pod(0, 'Failed'), pod(0, 'Succeeded', { uid: '0b' }), pod(1, 'Succeeded'), pod(2, 'Succeeded'), pod(3, 'Succeeded')];
    expect(sweepStatus({ ...sweep, maxFailed: 0 }, { state: 'succeeded' }, again)).toEqual({ state: 'succeeded' });
  });
});

describe('sweepMetrics', () => {
  const evidence: Evidence[] = [
    {
      source: 'container',
      object: 's-2-x',
      reason: 'OOMKilled',
      message: 'container train of pod s-2-x was killed',
      exitCode: 137,
      container: 'train',
    },
  ];
  const known = new Map([
    ['s-0-x', [0.1, 0.5]],
    ['s-1-x', [0.2, 0.7]],
    ['s-2-x', [0.9]],
  ]);
  const sources: TrialSources = {
    pods: {
      pods: [pod(0, 'Succeeded', { endedAt: '2026-11-21T10:00:30Z' }), pod(1, 'Succeeded'), pod(2, 'Failed'), pod(7, 'Succeeded')],
      evidence,
    },
    series: (name) => [{ name: 'accuracy', points: (known.get(name) ?? []).map((value, step) => ({ step, value })) }],
    tail: () => [],
    outputs: (name) =>
      name === 's-0-x'
        ? [
            { name: 'loss', value: '0.25' },
            { name: 'accuracy', value: '1' },
            { name: 'model-uri', value: 's3://m/0' },
          ]
        : [],
  };

  it('keeps the curves of the best trial, and of each what it came to', () => {
    const { series, trials = [] } = sweepMetrics(sweep, sources);
    expect(series).toEqual([{ name: 'accuracy', points: [0.2, 0.7].map((value, step) => ({ step, value })) }]);
    expect(trials.map(({ index, values, state }) => [index, values, state])).toEqual([
      [0, ['0.1'], 'succeeded'],
      [1, ['0.2'], 'succeeded'],
      [2, ['0.3'], 'failed'],
      [3, ['0.4'], 'not-run'],
    ]);
    expect(trials[0]).toMatchObject({
      seconds: 30,
      metrics: [
        { name: 'accuracy', last: 0.5, min: 0.1, max: 0.5, step: 1 },
        { name: 'loss', last: 0.25 },
      ],
      outputs: [{ name: 'model-uri', value: 's3://m/0' }],
    });
    expect(trials[2]?.reason).toBe('out-of-memory');
    expect(trials[2]?.message).not.toContain('s-2-x');
  });

  it('needs the logs of those alone whose termination messages do not say it, and of the best', () => {
    const all = pods('Succeeded', 'Succeeded', 'Succeeded', 'Failed');
    const said = new Map([
      ['s-0-x', '0.5'],
      ['s-1-x', '0.9'],
    ]);
    const outputs = (name: string): { name: string; value: string }[] => [{ name: 'accuracy', value: said.get(name) ?? 'none' }];
    const read = (change: Partial<RunSweep> = {}): string[] => [
      ...podsToRead({ ...sweep, ...change }, { pods: all, evidence: [] }, outputs),
    ];
    expect(read()).toEqual(['s-1-x', 's-2-x', 's-3-x']);
    expect(read({ direction: 'lower' })).toEqual(['s-0-x', 's-2-x', 's-3-x']);
    expect(read({ on: 'best' })).toHaveLength(4);
  });

  it('needs the logs of 20 of those that failed', () => {
    const seen = { pods: Array.from({ length: 100 }, (_, rank) => pod(rank, 'Failed')), evidence: [] };
    expect(podsToRead({ ...sweep, trials: seen.pods.map(() => ['1']) }, seen, () => []).size).toBe(20);
  });

  it('is kept with its record, NaN and all', () => {
    const metrics = sweepMetrics(sweep, { ...sources, series: () => [{ name: 'accuracy', points: [{ step: 0, value: Number.NaN }] }] });
    expect(unpackMetrics(packMetrics(metrics))).toEqual(metrics);
  });

  it('of a thousand trials with many metrics fits into a ConfigMap', () => {
    const many = { ...sweep, trials: Array.from({ length: 1000 }, (_, index) => [String(index / 7)]) };
    const metrics = sweepMetrics(many, {
      pods: { pods: many.trials.map((_, rank) => pod(rank, 'Succeeded')), evidence: [] },
      series: (name) =>
        Array.from({ length: 40 }, (_, index) => ({
          name: `metric/${index}`,
          points: [{ step: 1, value: Math.sin(name.length * index) }],
        })),
      tail: () => [],
      outputs: () => [{ name: 'accuracy', value: '0.5' }],
    });
    expect(metrics.trials?.[999]?.metrics.map(({ name }) => name)).toEqual([
      'accuracy',
      ...Array.from({ length: 9 }, (_, index) => `metric/${index}`),
    ]);
    expect(metrics.dropped).toEqual(['of 1000 trials only the first 10 metrics are kept']);
    expect(packMetrics(metrics).length).toBeLessThan(900 * 1024);
  });
});
