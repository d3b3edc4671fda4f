import { describe, expect, it } from '@jest/globals';
import type { Pod } from '../kubernetes/pod.ts';
import type { RunReference } from '../run/reference.ts';
import { isAbout, type Event } from './evidence.ts';
import { Gathered, joined } from './gather.ts';

const run: RunReference = { plural: 'jobs', group: 'batch', namespace: 'ml', name: 'digits-pr1-1a2b3c4-9f8e7d6', uid: 'run' };
const now = Date.parse('2026-01-01T01:00:00Z');

function podOf(uid: string, status: Pod['status'], more: Partial<Pod['metadata']> = {}): Pod {
  const metadata = { name: `${run.name}-${uid}`, uid, creationTimestamp: '2026-01-01T00:00:00Z', ...more };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: 'n1' }, status: status ?? {} };
}
const disrupted: Pod['status'] = {
  phase: 'Running',
  conditions: [
    { type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-01-01T00:00:10Z' },
    {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: 'preempting',
      lastTransitionTime: '2026-01-01T00:30:00Z',
    },
  ],
  containerStatuses: [{ name: 'main', restartCount: 0, state: { running: { startedAt: '2026-01-01T00:00:20Z' } } }],
};
const eventOf = (name: string, uid: string, reason = 'FailedCreate'): Event => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: {},
  involvedObject: { name, uid },
  reason,
  message: 'words',
});

describe('what is gathered of a run', () => {
  it('keeps what a pod said before it went, and when it went', () => {
    const gathered = new Gathered(run);
    gathered.see(podOf('a', disrupted), true, now);
    gathered.see(podOf('a', disrupted), false, now);
    const { pods, evidence } = gathered.observation();
    expect(pods).toEqual([
      expect.objectContaining({
        scheduledAt: '2026-01-01T00:00:10Z',
        startedAt: '2026-01-01T00:00:20Z',
        endedAt: '2026-01-01T01:00:00.000Z',
      }),
    ]);
    expect(evidence).toEqual([expect.objectContaining({ reason: 'PreemptionByScheduler', gone: true })]);
  });

  it('keeps the earlier ends of a container that is restarted', () => {
    const gathered = new Gathered(run);
    for (const [minute, reason] of ['OOMKilled', 'Error'].entries()) {
      const terminated = { exitCode: 137, reason, startedAt: `2026-01-01T00:0${minute}:00Z`, finishedAt: `2026-01-01T00:0${minute}:30Z` };
      gathered.see(
        podOf('a', { phase: 'Running', containerStatuses: [{ name: 'main', restartCount: minute, state: { terminated } }] }),
        true,
        now,
      );
    }
    expect(gathered.observation().evidence.map(({ reason }) => reason)).toEqual(['OOMKilled', 'Error']);
  });

  it('asks the node of a pod that the node controller calls not ready, once', () => {
    const gathered = new Gathered(run);
    gathered.see(podOf('a', disrupted), true, now);
    expect(gathered.takeSuspects()).toEqual([]);
    gathered.hear(eventOf(`${run.name}-a`, 'a', 'NodeNotReady'));
    expect([gathered.takeSuspects(), gathered.takeSuspects()]).toEqual([['n1'], []]);
  });

  it.each([
    ['the run', run.name, 'run', true],
    ['another run of that name', run.name, 'other', false],
    ['a Job of its JobSet', `${run.name}-worker-0`, 'x', true],
    ["Kueue's Workload of it", `job-${run.name}-a1b2c`, 'x', true],
    ['the next attempt', `${run.name}-2`, 'x', false],
    ["a pod of the next attempt's", `${run.name}-2-abcde`, 'x', false],
    ['a stranger', 'another', 'x', false],
  ])('hears of %s: %s', (_, name, uid, expected) => {
    expect(isAbout(eventOf(name, uid), run, new Set())).toBe(expected);
  });
});

describe('what was gathered and a look at the end', () => {
  it('are one: the look of what it shows, what was gathered of what is gone', () => {
    const gathered = new Gathered(run);
    gathered.see(podOf('a', disrupted), true, now);
    gathered.see(podOf('a', disrupted), false, now);
    const waiting = { reason: 'Unschedulable', message: 'no room', type: 'PodScheduled', status: 'False' };
    gathered.see(podOf('b', { phase: 'Pending', conditions: [waiting] }), true, now);
    const after = new Gathered(run);
    after.see(podOf('b', { phase: 'Succeeded' }), true, now);
    const { pods, evidence } = joined(gathered.observation(), after.observation());
    expect(pods.map(({ uid, phase }) => [uid, phase])).toEqual([
      ['a', 'Running'],
      ['b', 'Succeeded'],
    ]);
    expect(evidence.map(({ reason }) => reason)).toEqual(['PreemptionByScheduler']);
  });
});
