import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PodResult } from '@slashtrain/core/run/result';
import { ProgressReporter } from './reporter.ts';

// Time is the subject here: jest's clock stands in for it.
beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function reporter(update?: (title: string) => Promise<void>): { reporter: ProgressReporter; said: string[]; updates: string[] } {
  const said: string[] = [];
  const updates: string[] = [];
  const parts = {
    now: Date.now,
    say: (line: string) => void said.push(line),
    update: update ?? ((title: string) => (updates.push(title), Promise.resolve())),
  };
  return { reporter: new ProgressReporter(parts), said, updates };
}

describe('ProgressReporter', () => {
  it('tells each change of state or reason once, and not each step of progress', async () => {
    const { reporter: it, said } = reporter();
    it.change({ state: 'queued' });
    it.change({ state: 'queued' });
    it.change({ state: 'queued', reason: 'no-gpu', message: 'no node has 4 free GPUs' });
    it.change({ state: 'running', progress: 0.1 });
    it.change({ state: 'running', progress: 0.2 });
    await it.stop();
    expect(said).toEqual(['queued for 0 s', 'queued (no-gpu) for 0 s: no node has 4 free GPUs', 'running for 0 s, 10 % done']);
  });

  it('tells progress and other words three times an hour on the check, whatever happens, and once a minute in the log', async () => {
    const { reporter: it, updates, said } = reporter();
    for (let second = 0; second < 3600; second += 10) {
      it.change({ state: 'running', progress: second / 3600, message: `step ${second}` });
      await jest.advanceTimersByTimeAsync(10_000);
    }
    await it.stop();
    expect(updates).toEqual([
      'running for 0 s, 0 % done: step 0',
      'running for 20 min, 33 % done: step 1190',
      'running for 40 min, 66 % done: step 2390',
      'running for 1 h, 100 % done: step 3590',
    ]);
    expect(said).toHaveLength(60);
  });

  it('says how many of several pods run, with the state of the moment', async () => {
    const { reporter: it, said } = reporter();
    const pod = (phase: string): PodResult => ({ name: phase, uid: phase, phase, gpus: 1, containers: [] });
    it.change({ state: 'running' }, [pod('Running'), pod('Pending'), { ...pod('Failed'), endedAt: '2026-01-01T00:00:00Z' }]);
    await it.stop();
    expect(said).toEqual(['running for 0 s, 1 of 2 pods run']);
  });

  it('writes the first change at once, the next ones 30 s later and only the newest of them', async () => {
    const { reporter: it, updates } = reporter();
    it.change({ state: 'queued' });
    await jest.advanceTimersByTimeAsync(0);
    expect(updates).toEqual(['queued for 0 s']);
    it.change({ state: 'queued', reason: 'quota' });
    it.change({ state: 'running' });
    await jest.advanceTimersByTimeAsync(29_000);
    expect(updates).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(updates).toEqual(['queued for 0 s', 'running for 30 s']);
  });

  it('says once that the check cannot be updated', async () => {
    const { reporter: it, said } = reporter(() => Promise.reject(new Error('no right')));
    it.change({ state: 'queued' });
    await jest.advanceTimersByTimeAsync(0);
    it.change({ state: 'running' });
    await jest.advanceTimersByTimeAsync(30_000);
    expect(said.filter((line) => line.includes('no right'))).toHaveLength(1);
  });

  it('writes nothing after it was stopped', async () => {
    const { reporter: it, updates } = reporter();
    it.change({ state: 'queued' });
    it.change({ state: 'running' });
    await it.stop();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(updates).toHaveLength(1);
  });
});
