import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PodsObservation } from '@slashtrain/core/backend/backend';
import { kubernetesBackend } from '@slashtrain/core/backend/kubernetes';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { Status } from '@slashtrain/core/run/state';
import { QuietServer, reference } from '@slashtrain/testing/cluster/quiet';
import { Follower } from './follow.ts';
import { waitForEnd } from './wait.ts';

// Hours are the subject here: jest's clock stands in for them.
beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const silent = {
  info: () => undefined,
  debug: () => undefined,
  notice: () => undefined,
  warning: () => undefined,
  error: () => undefined,
  startGroup: () => undefined,
  endGroup: () => undefined,
  mask: () => undefined,
};

function podOf(index: number, container: object, more: object = {}): KubernetesObject {
  const name = `${reference.name}-${index}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'ml', uid: name, resourceVersion: '1' },
    status: { phase: 'Running', containerStatuses: [{ name: 'main', restartCount: 0, ...container }], ...more },
  };
}

function start(
  server: QuietServer,
  when: 'live' | 'ended',
  stop: AbortSignal,
): { told: { status: Status; pods: PodsObservation }[]; lines: string[]; done: Promise<unknown> } {
  const backend = kubernetesBackend(server.client, { log: silent, watch: { checkSeconds: 600 } });
  const told: { status: Status; pods: PodsObservation }[] = [];
  const lines: string[] = [];
  const follower = new Follower({
    log: { ...silent, info: (text) => lines.push(...text.split('\n')) },
    run: reference.name,
    show: true,
    write: () => undefined,
  });
  const onChange = (status: Status, pods: PodsObservation): unknown => told.push({ status, pods });
  const done = Promise.all([
    waitForEnd(reference, backend, { signal: stop, onChange }),
    follower.follow(backend.logs(reference, stop, when)),
  ]);
  return { told, lines, done };
}

describe('an hour of waiting', () => {
  it('for a run that runs costs the cluster no more than 20 requests', async () => {
    const server = new QuietServer();
    server.pods = [podOf(0, { containerID: 'a', state: { running: {} } })];
    const stop = new AbortController();
    const { done, lines } = start(server, 'live', stop.signal);
    await jest.advanceTimersByTimeAsync(3_600_000);
    expect(lines).toEqual([`of ${reference.name}-0`]);
    expect(server.requests.length).toBeLessThanOrEqual(20);
    stop.abort();
    await jest.advanceTimersByTimeAsync(1_000);
    await done;
  });

  it('for a run that waits costs no more, and says within seconds why it does', async () => {
    const server = new QuietServer();
    const stop = new AbortController();
    const { done, told } = start(server, 'live', stop.signal);
    await jest.advanceTimersByTimeAsync(1_800_000);
    server.tell('events', {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e', namespace: 'ml' },
      involvedObject: { kind: 'Job', name: reference.name, uid: reference.uid },
      reason: 'FailedCreate',
      message: 'exceeded quota: none',
    });
    await jest.advanceTimersByTimeAsync(1_000);
    expect(told.at(-1)?.pods.evidence).toEqual([expect.objectContaining({ reason: 'FailedCreate', message: 'exceeded quota: none' })]);
    await jest.advanceTimersByTimeAsync(1_799_000);
    expect(server.requests.length).toBeLessThanOrEqual(20);
    stop.abort();
    await jest.advanceTimersByTimeAsync(1_000);
    await done;
  });
});

describe('the end of a run', () => {
  it('is told before anything else is done about it', async () => {
    const server = new QuietServer();
    server.pods = [podOf(0, { containerID: 'a', state: { running: {} } })];
    const stop = new AbortController();
    const backend = kubernetesBackend(server.client, { log: silent });
    const follower = new Follower({ log: silent, run: reference.name, show: true, write: () => undefined });
    const ends: object[] = [];
    const onEnd = ({ state }: Status): unknown => ends.push({ state, requests: server.requests.length });
    const following = follower.follow(backend.logs(reference, stop.signal));
    const waiting = waitForEnd(reference, backend, { signal: stop.signal, onChange: () => undefined, onEnd });
    await jest.advanceTimersByTimeAsync(60_000);
    const requests = server.requests.length;
    const conditions = [{ type: 'Complete', status: 'True' }];
    server.tell('jobs', { ...server.job, metadata: { ...server.job.metadata, resourceVersion: '2' }, status: { conditions } });
    await jest.advanceTimersByTimeAsync(1_000);
    expect(ends).toEqual([{ state: 'succeeded', requests }]);
    expect((await waiting).why).toBe('ended');
    expect(server.requests.length).toBeGreaterThan(requests);
    stop.abort();
    await jest.advanceTimersByTimeAsync(1_000);
    await following;
  });
});

describe('logs of 64 pods of which only the end is wanted', () => {
  it('hold no connection while the pods run, and a few when they have ended', async () => {
    const server = new QuietServer();
    server.pods = Array.from({ length: 64 }, (_, index) => podOf(index, { containerID: `c${index}`, state: { running: {} } }));
    const stop = new AbortController();
    const { done, lines } = start(server, 'ended', stop.signal);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(server.requests).not.toContain('get pods/log');

    server.pods = server.pods.map((_, index) =>
      podOf(index, { containerID: `c${index}`, state: { terminated: { exitCode: 1, containerID: `c${index}` } } }, { phase: 'Failed' }),
    );
    for (const pod of server.pods) server.tell('pods', { ...pod, metadata: { ...pod.metadata, resourceVersion: '2' } });
    await jest.advanceTimersByTimeAsync(60_000);
    expect(lines).toHaveLength(64);
    expect(server.mostOpenLogs).toBeLessThanOrEqual(4);
    stop.abort();
    await jest.advanceTimersByTimeAsync(1_000);
    await done;
  });
});
