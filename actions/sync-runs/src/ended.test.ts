import { describe, expect, it } from '@jest/globals';
import type { RunMetrics } from '@slashtrain/core/metrics/metrics';
import type { StoredRecord } from '@slashtrain/core/records/store';
import type { RunRecord } from '@slashtrain/core/run/record';
import { endedList, toReport } from './ended.ts';
import { deletable, outdated } from './retention.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const hour = 3_600_000;
const [one, two] = ['a'.repeat(40), 'b'.repeat(40)];

/** A record that ended so many hours ago. */
function stored(uid: string, hoursAgo: number, record: Partial<RunRecord> = {}): StoredRecord {
  const ended = new Date(now - hoursAgo * hour).toISOString();
  const base = { sha: one, pullRequest: 7, pipeline: 'digits', attempt: 1, state: 'succeeded', run: `run-${uid}`, createdAt: ended };
  return { namespace: 'ml', name: uid, uid, resourceVersion: '1', record: { ...base, result: { endedAt: ended }, ...record } as RunRecord };
}
const uids = (list: readonly StoredRecord[]): string[] => list.map(({ uid }) => uid);

describe('toReport', () => {
  it.each<[string, StoredRecord[], string[]]>([
    ['all ends, oldest first', [stored('late', 1), stored('early', 2)], ['early', 'late']],
    [
      'however they ended',
      (['failed', 'cancelled', 'deleted'] as const).map((state) => stored(state, 1, { state })),
      ['failed', 'cancelled', 'deleted'],
    ],
    ['nothing that goes on', (['queued', 'running', 'suspended', 'unknown'] as const).map((state) => stored(state, 1, { state })), []],
    ['nothing that was shown', [stored('shown', 1, { reportedAt: '2026-11-21T11:30:00Z' })], []],
    ['nothing older than max-age', [stored('old', 25), stored('young', 23)], ['young']],
    ['a run that was never made', [stored('none', 1, { run: undefined as never, state: 'failed' })], ['none']],
    [
      'none that was never made where a later attempt has its place',
      [stored('none', 3, { run: undefined as never, state: 'failed' }), stored('second', 1, { attempt: 2, state: 'running' })],
      [],
    ],
    [
      'one that was never made beside another commit',
      [stored('none', 3, { run: undefined as never, state: 'failed' }), stored('other', 1, { sha: two })],
      ['none', 'other'],
    ],
  ])('has %s', (_, all, expected) => {
    expect(uids(toReport(all, { maxAge: 86_400, now }))).toEqual(expected);
  });

  it('is a matrix', () => {
    const main = stored('main', 1);
    const { pullRequest: _, ...record } = main.record;
    expect(JSON.parse(endedList([stored('pr', 1), { ...main, record }]))).toEqual([
      { run: 'run-pr', sha: one, 'pr-number': 7, pipeline: 'digits' },
      { run: 'run-main', sha: one, pipeline: 'digits' },
    ]);
  });
});

describe('retention', () => {
  const withMetrics = (...having: string[]): { reads: string[]; readMetrics(of: StoredRecord): Promise<RunMetrics | undefined> } => {
    const reads: string[] = [];
    return {
      reads,
      readMetrics: ({ uid }) => {
        reads.push(uid);
        const series = having.includes(uid) ? [{ name: 'accuracy', points: [{ step: 1, value: 1 }] }] : [];
        return Promise.resolve({ version: 1, series, dropped: [] });
      },
    };
  };

  it('counts from the end, and takes nothing that goes on', () => {
    const all = [stored('old', 49), stored('young', 47), stored('running', 49, { state: 'running' })];
    expect(uids(outdated(all, 48 * 3600, now))).toEqual(['old']);
  });

  it.each<[string, StoredRecord[], string[], string[], string[]]>([
    ['keeps the newest with metrics', [stored('a', 100), stored('b', 99), stored('c', 98)], ['a', 'b'], ['a', 'c'], ['c', 'b']],
    ['though it is the oldest', [stored('a', 100), stored('b', 99)], ['a'], ['b'], ['b', 'a']],
    ['reads no more than it must', [stored('a', 100), stored('b', 1)], ['a', 'b'], ['a'], ['b']],
    [
      'keeps one of each pipeline',
      [stored('a', 100), stored('b', 99), stored('c', 98, { pipeline: 'other' })],
      ['a', 'b', 'c'],
      ['a'],
      ['b', 'c'],
    ],
  ])('%s', async (_, all, having, expected, read) => {
    const records = withMetrics(...having);
    expect(uids(await deletable(outdated(all, 48 * 3600, now), all, records))).toEqual(expected);
    expect(records.reads).toEqual(read);
  });
});
