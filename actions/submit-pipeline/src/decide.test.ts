import { describe, expect, it } from '@jest/globals';
import type { RunRecord } from '@slashtrain/core/run/record';
import type { Asker } from '@slashtrain/core/run/request';
import type { RunState } from '@slashtrain/core/run/state';
import { decide, joined } from './decide.ts';

const us: Asker = { id: 'comment:1', runAttempt: 1 };
const usAgain: Asker = { id: 'comment:1', runAttempt: 2 };
const other: Asker = { id: 'comment:2', runAttempt: 1 };
const stored = (attempt: number, state: RunState, asked: Asker[]): { record: RunRecord } => ({
  record: { attempt, state, asked } as RunRecord,
});

describe('decide', () => {
  it.each<[string, { record: RunRecord }[], Asker, boolean, number | 'make 1' | 'make 2' | 'make 3']>([
    ['nothing there', [], us, false, 'make 1'],
    ['an active one of ours', [stored(1, 'running', [us])], us, false, 1],
    ['an active one of another', [stored(1, 'queued', [other])], us, false, 1],
    ['an active one, with again', [stored(1, 'suspended', [other])], us, true, 1],
    ['one of which nothing can be said', [stored(1, 'unknown', [other])], us, false, 1],
    ['success of ours', [stored(1, 'succeeded', [us])], us, false, 1],
    ['success of ours, workflow run again', [stored(1, 'succeeded', [us])], usAgain, false, 1],
    ['success of ours, run again with again', [stored(1, 'succeeded', [us])], usAgain, true, 'make 2'],
    ['success of another', [stored(1, 'succeeded', [other])], us, false, 'make 2'],
    ['failure of ours, the same run attempt', [stored(1, 'failed', [us])], us, false, 1],
    ['failure of ours, run again', [stored(1, 'failed', [us])], usAgain, false, 'make 2'],
    ['cancelled, run again', [stored(1, 'cancelled', [us])], usAgain, false, 'make 2'],
    ['deleted, run again', [stored(1, 'deleted', [us])], usAgain, false, 'make 2'],
    ['failure of another', [stored(1, 'failed', [other])], us, false, 'make 2'],
    ['ours finished, a newer one of another finished', [stored(2, 'failed', [other]), stored(1, 'succeeded', [us])], us, false, 1],
    ['ours finished, a newer one of another active', [stored(1, 'succeeded', [us]), stored(2, 'running', [other])], us, false, 2],
    ['ours failed twice, run again', [stored(1, 'failed', [us]), stored(2, 'failed', [usAgain])], usAgain, false, 2],
    ['two of others', [stored(1, 'failed', [other]), stored(2, 'succeeded', [other])], us, false, 'make 3'],
  ])('%s', (_, attempts, asker, again, expected) => {
    const decision = decide(attempts, asker, again);
    expect('make' in decision ? `make ${decision.make}` : decision.adopt.record.attempt).toBe(expected);
  });
});

describe('joined', () => {
  it('adds an asker once, at the newest run attempt', () => {
    expect(joined([other], us)).toEqual([other, us]);
    expect(joined([us, other], usAgain)).toEqual([other, usAgain]);
    expect(joined([usAgain], us)).toEqual([usAgain]);
  });
});
