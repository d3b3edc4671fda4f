import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PodsObservation } from '@slashtrain/core/backend/backend';
import { kubernetesBackend } from '@slashtrain/core/backend/kubernetes';
import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import type { KubernetesClient, LogOptions, WatchEvent } from '@slashtrain/core/kubernetes/client';
import type { RunReference } from '@slashtrain/core/run/reference';
import type { Status } from '@slashtrain/core/run/state';
import { Follower } from './follow.ts';
import { waitForEnd } from './wait.ts';

// Hours are the subject here: jest's clock stands in for them.
beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const reference: RunReference = {
  plural: 'jobs',
  group: 'batch',
  namespace: 'ml',
  name: 'digits-1a2b3c4',
  uid: '0f0c7a52-3c1e-4d0e-9c77-6d1f0a2b3c4d',
};
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

/** An API server as it is when all goes well: watches live as long as they are asked to, with a bookmark a minute; of events none. */
class QuietServer {
  readonly requests: string[] = [];
  readonly openLogs = new Set<string>();
  mostOpenLogs = 0;
  readonly #feeds = new Map<string, (event: WatchEvent) => void>();
  readonly job: KubernetesObject = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: reference.name, namespace: 'ml', uid: reference.uid, resourceVersion: '1' },
    status: { startTime: '2026-01-01T00:00:00Z', active: 1, ready: 1 },
  };
  pods: KubernetesObject[] = [];

  tell(plural: string, object: KubernetesObject): void {
    this.#feeds.get(plural)?.({ type: 'modified', object });
  }

  get client(): KubernetesClient {
    const { requests } = this;
    const items = (plural: string): KubernetesObject[] => (plural === 'jobs' ? [this.job] : plural === 'pods' ? this.pods : []);
    const client: Partial<KubernetesClient> = {
      context: 'test',
      server: 'https://test',
      namespace: 'ml',
      get: <T extends KubernetesObject>({ plural }: Resource, _: string, name: string) => {
        requests.push(`get ${plural}`);
        return Promise.resolve(items(plural).find(({ metadata }) => metadata.name === name) as T | undefined);
      },
      list: <T extends KubernetesObject>({ plural }: Resource) => {
        requests.push(`list ${plural}`);
        return Promise.resolve({ items: items(plural) as T[], resourceVersion: '1' });
      },
      watch: (resource, _namespace, _version, _selection, signal) => this.#watch(resource.plural, signal),
      log: (_namespace, pod, options, signal) => this.#log(pod, options, signal),
    };
    return client as KubernetesClient;
  }

  async *#watch(plural: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    this.requests.push(`watch ${plural}`);
    const queue: WatchEvent[] = [];
    let wake: (() => void) | undefined;
    const push = (event: WatchEvent): void => {
      queue.push(event);
      wake?.();
    };
    this.#feeds.set(plural, push);
    const bookmarks = plural === 'events' ? undefined : setInterval(() => push({ type: 'bookmark', resourceVersion: '1' }), 60_000);
    let hasEnded = false;
    const end = (): void => {
      hasEnded = true;
      wake?.();
    };
    const timeout = setTimeout(end, 3_600_000);
    signal.addEventListener('abort', end);
    try {
      while (!hasEnded && !signal.aborted) {
        yield* queue.splice(0);
        if (queue.length === 0 && !hasEnded && !signal.aborted) await new Promise<void>((done) => (wake = done));
      }
    } finally {
      clearInterval(bookmarks);
      clearTimeout(timeout);
    }
    signal.throwIfAborted();
  }

  async *#log(pod: string, { follow }: LogOptions, signal: AbortSignal): AsyncGenerator<string[]> {
    this.requests.push('get pods/log');
    this.openLogs.add(pod);
    this.mostOpenLogs = Math.max(this.mostOpenLogs, this.openLogs.size);
    try {
      yield [`2026-01-01T00:00:00.000000001Z of ${pod}\n`];
      if (follow) await new Promise<void>((done) => signal.addEventListener('abort', () => done()));
      signal.throwIfAborted();
    } finally {
      this.openLogs.delete(pod);
    }
  }
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
