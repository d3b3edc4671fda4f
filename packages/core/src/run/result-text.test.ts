import { describe, expect, it } from '@jest/globals';
import type { RunRecord } from './record.ts';
import { resultLine, resultMarkdown } from './result-text.ts';
import type { RunResult } from './result.ts';

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
  images: ['ghcr.io/acme/digits@sha256:1'],
  parameters: [{ name: 'epochs', value: '20' }],
  kind: { plural: 'jobsets', group: 'jobset.x-k8s.io' },
  run: 'jobsets.jobset.x-k8s.io/ml/digits@0f0c7a52',
  price: { accelerator: 'a100', perHour: 2.5, currency: 'EUR' },
  state: 'succeeded',
};
const succeeded: RunResult = {
  version: 1,
  run: record.run ?? '',
  sha: record.sha,
  pipeline: 'digits',
  attempt: 1,
  state: 'succeeded',
  createdAt: '2026-01-01T00:00:00Z',
  startedAt: '2026-01-01T00:02:30Z',
  endedAt: '2026-01-01T01:02:30Z',
  runSeconds: 3600,
  pods: [0, 1].map((rank) => ({
    name: `digits-worker-0-${rank}-abcde`,
    uid: String(rank),
    phase: 'Succeeded',
    node: 'gpu-7',
    rank,
    gpus: 1,
    scheduledAt: '2026-01-01T00:02:00Z',
    startedAt: '2026-01-01T00:02:30Z',
    endedAt: '2026-01-01T01:02:30Z',
    containers: [{ name: 'train', exitCode: 0, reason: 'Completed', restarts: rank }],
  })),
  outputs: [],
  gpuHours: 2.016667,
  cost: 5.0417,
  logTail: ['the end'],
};
const text = (change: Partial<RunResult>, more: Partial<RunRecord> = {}): string =>
  resultMarkdown('digits', { ...record, ...more }, { ...succeeded, ...change });

describe('resultMarkdown', () => {
  it('says of a success how long it queued, pulled and ran, where, and what it cost', () => {
    expect(text({})).toBe(
      [
        '|  |  |',
        '| --- | --- |',
        '| Run | `jobsets.jobset.x-k8s.io/ml/digits` |',
        `| Commit | \`${'a'.repeat(40)}\` |`,
        '| State | succeeded in 1 h |',
        '| Queued | 2 min |',
        '| Pulling images, starting | 30 s |',
        '| Running | 1 h |',
        '| GPU-hours | 2.02 |',
        '| Cost | 5.04 EUR (a100 at 2.50 EUR an hour) |',
        '| Image | `ghcr.io/acme/digits@sha256:1` |',
        '| Parameter `epochs` | `20` |',
        '',
        '<details><summary>2 pods</summary>',
        '',
        '| Pod | Rank | Phase | Node | GPUs | Ran for | Containers |',
        '| --- | --- | --- | --- | --- | --- | --- |',
        '| `digits-worker-0-0-abcde` | 0 | Succeeded | gpu-7 | 1 | 1 h | train: Completed (0) |',
        '| `digits-worker-0-1-abcde` | 1 | Succeeded | gpu-7 | 1 | 1 h | train: Completed (0), 1 restart |',
        '',
        '</details>',
      ].join('\n'),
    );
  });

  it('says of a failure what happened, what to do, whether trying again can help, and what the log said last', () => {
    const failure: Partial<RunResult> = {
      state: 'failed',
      reason: 'node-lost',
      message: 'the node gpu-7 <b>is gone</b>',
      remedy: 'run it again',
      retryable: true,
      logTail: ['epoch 7', '``` not the end'],
    };
    const [table, ...rest] = text(failure).split('\n\n');
    expect(table).toContain('| State | failed after 1 h (node-lost) |');
    expect(rest.slice(0, 2)).toEqual([
      '**What happened:** the node gpu-7 &#60;b&#62;is gone&#60;/b&#62;',
      '**What to do:** run it again. Trying again may help: the same commit can succeed.',
    ]);
    expect(rest.slice(-2)).toEqual(['**The last 2 log lines:**', '````\nepoch 7\n``` not the end\n````']);
  });

  it('says who cancelled, and why', () => {
    const cancel = { at: '2026-01-01T00:10:00Z', by: 'ada', why: 'a newer commit was pushed' };
    expect(text({ state: 'cancelled' }, { cancel })).toContain('| Cancelled by | ada: a newer commit was pushed |');
    expect(text({ state: 'failed' }, { cancel })).not.toContain('Cancelled by');
  });

  it('has a name for a run that was never made', () => {
    expect(text({ run: '', pods: [] })).toContain('| Run | `digits` |');
  });
});

describe('resultLine', () => {
  it.each<[Partial<RunResult>, string]>([
    [{}, 'succeeded in 1 h'],
    [{ state: 'failed', reason: 'crash', message: 'it exited with code 1' }, 'failed after 1 h (crash): it exited with code 1'],
  ])('%j: %s', (change, line) => {
    expect(resultLine({ ...succeeded, ...change })).toBe(line);
  });
});
