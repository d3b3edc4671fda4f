import { describe, expect, it } from '@jest/globals';
import type { RunRecord } from './record.ts';
import type { PodResult } from './result.ts';
import type { Status } from './state.ts';
import { firstFailed, gpuHours, resultOf } from './outcome.ts';

const record: RunRecord = {
  version: 1,
  repository: { id: 7, fullName: 'acme/digits' },
  sha: 'a'.repeat(40),
  tree: 'b'.repeat(40),
  pipeline: 'digits',
  request: 'c'.repeat(64),
  asked: [],
  attempt: 1,
  actor: 'ada',
  createdAt: '2026-01-01T00:00:00Z',
  images: [],
  parameters: [],
  kind: { plural: 'jobs', group: 'batch' },
  run: 'jobs.batch/ml/digits@0f0c7a52-3c1e-4d0e-9c77-6d1f0a2b3c4d',
  state: 'running',
};
const pod = (name: string, more: Partial<PodResult> = {}): PodResult => ({
  name,
  uid: name,
  phase: 'Succeeded',
  gpus: 0,
  containers: [],
  ...more,
});
const known = (status: Status, pods: PodResult[] = [], more: Partial<RunRecord> = {}): Parameters<typeof resultOf>[0] => ({
  record: { ...record, ...more },
  status,
  pods: { pods, evidence: [] },
  outputs: [],
  tail: (name) => [`the tail of ${name ?? 'the last'}`],
  now: Date.parse('2026-01-01T01:00:00Z'),
});

describe('resultOf', () => {
  it("times a run from its pods: the first start, the controller's end", () => {
    const pods = [
      pod('a', { startedAt: '2026-01-01T00:01:00Z', endedAt: '2026-01-01T00:09:00Z' }),
      pod('b', { startedAt: '2026-01-01T00:00:30Z' }),
    ];
    expect(resultOf(known({ state: 'succeeded', startedAt: '2026-01-01T00:00:01Z', endedAt: '2026-01-01T00:10:00Z' }, pods))).toMatchObject(
      {
        state: 'succeeded',
        startedAt: '2026-01-01T00:00:30Z',
        endedAt: '2026-01-01T00:10:00Z',
        queueSeconds: 30,
        runSeconds: 570,
      },
    );
  });

  it('says nothing of times that are not known', () => {
    const result = resultOf(known({ state: 'queued' }));
    expect(Object.keys(result)).not.toEqual(expect.arrayContaining(['startedAt']));
    expect(result).not.toHaveProperty('endedAt');
    expect(result).not.toHaveProperty('runSeconds');
  });

  it('quotes the log of the pod that failed first', () => {
    const pods = [
      pod('late', { phase: 'Failed', endedAt: '2026-01-01T00:03:00Z' }),
      pod('first', { phase: 'Failed', endedAt: '2026-01-01T00:02:00Z' }),
      pod('good', { endedAt: '2026-01-01T00:01:00Z' }),
    ];
    expect(resultOf(known({ state: 'failed' }, pods)).logTail).toEqual(['the tail of first']);
  });

  it.each<[Status['state'], boolean, string]>([
    ['deleted', false, 'deleted'],
    ['deleted', true, 'cancelled'],
    ['succeeded', true, 'succeeded'],
  ])('a run that is %s, with somebody who wanted its end: %s, is %s', (state, isCancelled, expected) => {
    const cancel = { at: '2026-01-01T00:00:00Z', by: 'ada', why: 'closed' };
    expect(resultOf(known({ state }, [], isCancelled ? { cancel } : {})).state).toBe(expected);
  });
});

describe('firstFailed', () => {
  it.each([
    ['no pods', [], undefined],
    ['good ones', [pod('a', { containers: [{ name: 'c', exitCode: 0, restarts: 0 }] })], undefined],
    [
      'a container that ended badly in a pod that goes on',
      [pod('a', { phase: 'Running', containers: [{ name: 'c', exitCode: 1, restarts: 0 }] })],
      'a',
    ],
  ])('of %s', (_, pods, expected) => {
    expect(firstFailed(pods)?.name).toBe(expected);
  });
});

describe('gpuHours', () => {
  it('counts each pod from its own start to its own end, or until now', () => {
    const pods = [
      pod('a', { gpus: 4, startedAt: '2026-01-01T00:00:00Z', endedAt: '2026-01-01T00:30:00Z' }),
      pod('b', { gpus: 2, startedAt: '2026-01-01T00:30:00Z' }),
      pod('never started', { gpus: 8 }),
      pod('none', { startedAt: '2026-01-01T00:00:00Z' }),
    ];
    expect(gpuHours(pods, '2026-01-01T01:00:00Z')).toBe(3);
  });
});
