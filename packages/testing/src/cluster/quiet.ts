import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import type { KubernetesClient, LogOptions, WatchEvent } from '@slashtrain/core/kubernetes/client';
import type { RunReference } from '@slashtrain/core/run/reference';

/** The run that a {@link QuietServer} has. */
export const reference: RunReference = {
  plural: 'jobs',
  group: 'batch',
  namespace: 'ml',
  name: 'digits-1a2b3c4',
  uid: '0f0c7a52-3c1e-4d0e-9c77-6d1f0a2b3c4d',
};

/**
 * An API server in this process, as it is when all goes well: for hours that pass on a clock which somebody else turns. Watches live as long as they are asked to, with a bookmark a minute; of events none.
 */
export class QuietServer {
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
