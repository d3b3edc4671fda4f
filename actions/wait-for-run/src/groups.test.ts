import { describe, expect, it } from '@jest/globals';
import type { PodResult, RunResult } from '@slashtrain/core/run/result';
import { groupsOf } from './groups.ts';

const pod = (name: string, exitCode: number, endedAt = '2026-01-01T00:00:10Z'): PodResult => ({
  name: `digits-1a2b3c4-${name}`,
  uid: name,
  phase: exitCode === 0 ? 'Succeeded' : 'Failed',
  endedAt,
  gpus: 0,
  containers: [{ name: 'trainer', exitCode, restarts: 0 }],
});
const result = (state: RunResult['state'], pods: PodResult[]): RunResult => ({
  version: 1,
  run: 'jobs.batch/ml/digits-1a2b3c4@1',
  sha: 'a'.repeat(40),
  pipeline: 'digits',
  attempt: 1,
  state,
  createdAt: '2026-01-01T00:00:00Z',
  pods,
  outputs: [],
  gpuHours: 0,
  logTail: ['the record has this'],
});

/** Each pod wrote 150 lines, but those that are silent. */
const tails = (...silent: string[]) => ({
  tailOf: (name: string): string[] =>
    silent.some((one) => name.endsWith(one)) ? [] : Array.from({ length: 150 }, (_, index) => `${name} ${index}`),
});
const titles = (...args: Parameters<typeof groupsOf>): string[] =>
  groupsOf(...args).map(({ title }) => title.replace(/^The last (100|1) log lines of /u, ''));
const run = 'digits-1a2b3c4';
const several = [pod('worker-10', 0), pod('worker-2', 0), pod('worker-1', 1), pod('worker-0', 1, '2026-01-01T00:00:05Z')];

describe('groupsOf', () => {
  it('folds the mixed lines of several pods by pod: the failed first, then the others by number', () => {
    expect(titles(run, result('failed', several), tails(), 'all')).toEqual([
      'worker-0, which failed',
      'worker-1, which failed',
      'worker-2',
      'worker-10',
    ]);
    expect(titles(run, result('succeeded', several.slice(0, 2)), tails(), 'all')).toEqual(['worker-2', 'worker-10']);
    expect(titles(run, result('cancelled', several.slice(0, 2)), tails('worker-2'), 'all')).toEqual(['the run']);
  });

  it('shows the failed pods alone where only these are wanted, and what one pod wrote not twice', () => {
    expect(titles(run, result('failed', several), tails(), 'failed')).toEqual(['worker-0', 'worker-1']);
    expect(titles(run, result('failed', several), tails('worker-0'), 'failed')).toEqual(['worker-1']);
    expect(titles(run, result('succeeded', [pod('x7k2p', 0)]), tails(), 'all')).toEqual([]);
    expect(titles(run, result('succeeded', several), tails(), 'failed')).toEqual([]);
    expect(titles(run, result('failed', several), tails(), 'none')).toEqual([]);
    expect(titles(run, result('running', several), tails(), 'all')).toEqual([]);
  });

  it('shows the lines of the record where it read none itself', () => {
    const groups = groupsOf(run, result('failed', several), { tailOf: () => [] }, 'failed');
    expect(groups).toEqual([{ title: 'The last 1 log lines of the run', lines: ['the record has this'] }]);
  });

  it('shows the last 100 lines of 16 pods at most, and of 4 where all failed', () => {
    const many = Array.from({ length: 64 }, (_, index) => pod(`worker-${index}`, 1));
    expect(groupsOf(run, result('failed', many), tails(), 'all')).toHaveLength(16);
    const groups = groupsOf(run, result('failed', many), tails(), 'failed');
    expect(groups).toHaveLength(4);
    expect(groups[0]?.lines).toEqual(Array.from({ length: 100 }, (_, index) => `digits-1a2b3c4-worker-0 ${index + 50}`));
  });
});
