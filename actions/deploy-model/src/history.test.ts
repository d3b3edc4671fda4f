import { describe, expect, it } from '@jest/globals';
import type { Rollout, StoredRollout } from '@slashtrain/core/rollouts/rollout';
import { chooseBack, currentOf, prunable } from './history.ts';

const sha = (digit: string): string => digit.repeat(40);
/** The newest first, as the store gives them: `a1` was deployed before `b2`. */
function deploys(...all: (Partial<Rollout> & { revision: string })[]): StoredRollout[] {
  return all.map((more, index) => ({
    namespace: 'ml',
    name: more.revision,
    uid: more.revision,
    resourceVersion: '1',
    in: 'ConfigMap',
    rollout: {
      sha: sha(more.revision.slice(0, 1)),
      state: 'deployed',
      createdAt: new Date(Date.parse('2026-11-21T12:00:00Z') - index * 60_000).toISOString(),
      ...more,
    } as Rollout,
  }));
}

describe('which deploy is gone back to', () => {
  it.each<[string, StoredRollout[], string, string]>([
    ['the one before', deploys({ revision: 'b2' }, { revision: 'a1' }), 'last-good', 'a1'],
    [
      'the one before those that failed',
      deploys({ revision: 'c3' }, { revision: 'b2', state: 'restored' }, { revision: 'a1' }),
      'last-good',
      'a1',
    ],
    [
      'what runs is none where a newer one failed',
      deploys({ revision: 'c3', state: 'restored' }, { revision: 'b2' }, { revision: 'a1' }),
      'last-good',
      'a1',
    ],
    [
      'further back, where somebody went back already',
      deploys({ revision: 'd4', backTo: 'b2' }, { revision: 'c3', rolledBack: true }, { revision: 'b2' }, { revision: 'a1' }),
      'last-good',
      'a1',
    ],
    ['by its revision', deploys({ revision: 'c3' }, { revision: 'b2' }, { revision: 'a1' }), 'a1', 'a1'],
    ['by its SHA', deploys({ revision: 'c3' }, { revision: 'b2' }, { revision: 'a1' }), 'bbbbbbb', 'b2'],
    [
      'to a bad one, where it is named',
      deploys({ revision: 'd4', backTo: 'b2' }, { revision: 'c3', rolledBack: true }, { revision: 'b2' }),
      'c3',
      'c3',
    ],
  ])('%s', (_, all, to, revision) => {
    expect(chooseBack(all, to).rollout.revision).toBe(revision);
  });

  it.each<[string, StoredRollout[], string, RegExp]>([
    ['nothing before', deploys({ revision: 'a1' }), 'last-good', /no earlier deploy that was good/u],
    ['nothing at all', [], 'last-good', /no earlier deploy/u],
    ['a revision that never was', deploys({ revision: 'b2' }, { revision: 'a1' }), 'c3', /no deploy "c3"/u],
    ['what runs now', deploys({ revision: 'b2' }, { revision: 'a1' }), 'b2', /b2 is what runs now/u],
    ['one that failed', deploys({ revision: 'b2' }, { revision: 'a1', state: 'restored' }), 'a1', /no deploy "a1"/u],
  ])('not %s', (_, all, to, words) => {
    expect(() => chooseBack(all, to)).toThrow(words);
  });

  it('keeps ten, and what runs however old it is', () => {
    const bad = Array.from({ length: 12 }, (__, index) => ({ revision: `bad${index}`, state: 'restored' as const }));
    const all = deploys(...bad, { revision: 'a1' });
    expect(currentOf(all)?.rollout.revision).toBe('a1');
    expect(prunable(all).map(({ name }) => name)).toEqual(['bad10', 'bad11']);
  });
});
