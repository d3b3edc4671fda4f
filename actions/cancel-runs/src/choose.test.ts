import { describe, expect, it } from '@jest/globals';
import type { RunRecord } from '@slashtrain/core/run/record';
import { runStates, type Status } from '@slashtrain/core/run/state';
import { candidates, spared } from './choose.ts';

const [old, head] = ['a'.repeat(40), 'b'.repeat(40)];
const of = (sha: string, state: RunRecord['state']): { record: RunRecord } => ({ record: { sha, state } as RunRecord });

describe('candidates', () => {
  it('are the active runs, of whatever commit', () => {
    const found = runStates.map((state) => of(old, state));
    const states = candidates(found, { keepSha: undefined, onPush: 'cancel-queued' }).map(({ record }) => record.state);
    expect(states).toEqual(['queued', 'running', 'suspended', 'unknown']);
  });

  it('leave out the commit that is kept', () => {
    const found = [of(old, 'running'), of(head, 'running')];
    expect(candidates(found, { keepSha: head, onPush: 'cancel' })).toEqual([found[0]]);
  });
});

describe('spared', () => {
  const queued: Status = { state: 'queued' };
  const running: Status = { state: 'running', startedAt: '2026-11-21T10:00:00Z' };
  const suspended: Status = { state: 'suspended' };
  const paused: Status = { state: 'suspended', startedAt: '2026-11-21T10:00:00Z' };
  const unknown: Status = { state: 'unknown' };

  it.each([
    ['without keep-sha, everything ends', undefined, 'cancel-queued', [queued, running, suspended, paused, unknown]],
    ['without keep-sha, on-push says nothing', undefined, 'keep', [queued, running, suspended, paused, unknown]],
    ['keep', head, 'keep', []],
    ['cancel-queued ends what has not started', head, 'cancel-queued', [queued, suspended, unknown]],
    ['cancel', head, 'cancel', [queued, running, suspended, paused, unknown]],
  ] as const)('%s', (_, keepSha, onPush, cancelled) => {
    const all = [queued, running, suspended, paused, unknown];
    expect(all.filter((status) => spared(status, { keepSha, onPush }) === undefined)).toEqual(cancelled);
  });

  it.each(['succeeded', 'failed', 'cancelled', 'deleted'] as const)('a run that has %s stays what it is', (state) => {
    expect(spared({ state }, { keepSha: undefined, onPush: 'cancel' })).toContain(state);
  });
});
