import { describe, expect, it } from '@jest/globals';
import type { TrackedRun } from '@slashtrain/core/trackers/tracked';
import { differencesOf } from '../differences.ts';
import { asSample, proven } from './proof.ts';

const sha = 'a'.repeat(40);
const run = (more: Partial<TrackedRun>): TrackedRun => ({
  id: 'x',
  commit: sha,
  run: 'digits-1',
  state: 'finished',
  startedAt: 1,
  parameters: [],
  series: [{ name: 'm', points: [{ step: 0, value: 1 }] }],
  ...more,
});
const wanted = { sha, pipeline: 'digits', run: 'digits-1' };
const without = (key: 'commit' | 'run'): TrackedRun => {
  const { [key]: _, ...rest } = run({});
  return rest;
};

describe('a tracker’s run', () => {
  it.each<[string, TrackedRun, Partial<typeof wanted> & { notPullRequest?: number }, string | undefined]>([
    ['with this commit and this name', run({}), {}, undefined],
    ['without a commit', without('commit'), {}, 'it names no commit'],
    ['with an empty commit', run({ commit: '' }), {}, 'it names no commit'],
    ['of another commit', run({ commit: 'b'.repeat(40) }), {}, 'it is of another commit, bbbbbbb'],
    ['of a short SHA of this commit', run({ commit: sha.slice(0, 7) }), {}, 'it is of another commit'],
    ['of a laptop', without('run'), {}, 'no run of submit-pipeline made it'],
    ['of another run', run({ run: 'digits-1-2' }), {}, 'it is of another attempt, digits-1-2'],
    ['of another pipeline', run({ pipeline: 'letters' }), {}, 'it is of the pipeline letters'],
    ['that goes on', run({ state: 'running' }), {}, 'it has not ended'],
    ['that failed', run({ state: 'failed' }), {}, 'it did not finish, it is failed'],
    ['whose state nobody knows', run({ state: 'unknown' }), {}, 'it did not finish'],
    ['without metrics', run({ series: [] }), {}, 'it has no metrics'],
    ['of the very pull request, for a baseline', run({ pullRequest: '7' }), { notPullRequest: 7 }, 'it is of this pull request'],
    ['with a hostile name', run({ run: `x\n${'y'.repeat(10_000)}` }), {}, 'it is of another attempt, x\ny'],
  ])('%s', (_, one, more, reason) => {
    const { runs, excluded } = proven('mlflow', [one], { ...wanted, ...more });
    expect(runs).toHaveLength(reason === undefined ? 1 : 0);
    if (reason !== undefined) expect(excluded[0]?.reason).toContain(reason);
    expect((excluded[0]?.reason ?? '').length).toBeLessThan(300);
  });

  it('is of the newest attempt where no run is named', () => {
    const runs = [
      run({ id: 'a', run: 'one', startedAt: 1 }),
      run({ id: 'b', run: 'two', startedAt: 2 }),
      run({ id: 'c', run: 'three', startedAt: 3, state: 'failed' }),
    ];
    expect(proven('mlflow', runs, { sha, pipeline: 'digits' }).runs.map(({ id }) => id)).toEqual(['b']);
  });

  it('is one sample a seed: of ranks with the same parameters the one that logged most', () => {
    const seed = (value: string, id: string, series = 1): TrackedRun =>
      run({
        id,
        parameters: [{ name: 'seed', value }],
        series: Array.from({ length: series }, (_, at) => ({ name: `m${at}`, points: [{ step: 0, value: 1 }] })),
      });
    const { runs, excluded } = proven('mlflow', [seed('1', 'rank 1'), seed('1', 'rank 0', 3), seed('2', 'other')], wanted);
    expect(runs.map(({ id }) => id)).toEqual(['rank 0', 'other']);
    expect(excluded).toMatchObject([{ id: 'rank 1', reason: expect.stringContaining('a rank or a retry is no seed') }]);
  });
});

describe('differencesOf', () => {
  it('tells parameters, data and GPU that are not as they were, but no seed', () => {
    const now = [
      asSample(
        'mlflow',
        run({
          parameters: [
            { name: 'lr', value: '0.1' },
            { name: 'seed', value: '1' },
            { name: 'new', value: 'x' },
          ],
          dataVersion: 'v2',
          gpu: 'H100',
        }),
      ),
    ];
    const before = [
      asSample(
        'mlflow',
        run({
          parameters: [
            { name: 'lr', value: '0.2' },
            { name: 'seed', value: '2' },
          ],
          dataVersion: 'v1',
          gpu: 'H100',
        }),
      ),
    ];
    expect(differencesOf(now, before)).toEqual([
      { what: 'parameter', name: 'lr', candidate: '0.1', baseline: '0.2' },
      { what: 'parameter', name: 'new', candidate: 'x' },
      { what: 'data', name: '', candidate: 'v2', baseline: 'v1' },
    ]);
    expect(differencesOf(now, [asSample('values', run({}))])).toEqual([]);
  });
});
