import type { Log } from '../action/log.ts';
import type { LogLine } from '../backend/backend.ts';
import { Channel, iterate, type Source } from './channel.ts';
import { pods as podResource, type KubernetesClient } from './client.ts';
import { readContainer, type ReadingContext } from './container-log.ts';
import { statusesOf, type Pod } from './pod.ts';
import { PodView } from './pod-view.ts';
import { Slots } from './slots.ts';
import { systemTiming, type Timing } from './timing.ts';
import { patiently, watchSelection, type Sighting, type WatchOptions } from './watch.ts';

/** Which pods' logs, and until when. */
export interface LogFollowOptions {
  namespace: string;
  /** A label selector. */
  selector: string;
  /** Containers whose logs are not wanted. */
  without?: ReadonlySet<string>;
  /** The pods, by name, whose logs are wanted; absent for all. */
  only?: (pod: string) => boolean;
  signal: AbortSignal;
  /** Aborts when the run has ended: then the logs are read to their end. */
  ended: AbortSignal;
  /** `ended`: a container's log is read once the container has ended, so that nothing is held open while it runs. */
  when?: 'live' | 'ended';
  /** The pods, where somebody watches them already. */
  pods?: (signal: AbortSignal) => AsyncIterable<Sighting<Pod>>;
  log: Pick<Log, 'debug' | 'warning'>;
  timing?: Timing;
  watch?: Omit<WatchOptions, 'signal' | 'timing'>;
  /** How many logs are read at the same time (32); with more containers they take turns. */
  connections?: number;
  /** A log that was silent for so long is opened anew, in case its connection is dead and TCP has not noticed (7,200). */
  silenceSeconds?: number;
  /** How long containers that still run after the run's end are followed (30). */
  settleSeconds?: number;
}

// Unread lines in memory: what a connection brings at once or two; what lives longer is collected late.
const unreadLines = 1_000;

/**
 * Follows the logs of all containers of the selected pods, present and to come, init containers and restarts included:
 * each line once, whatever happens to the connections. Lines of one container come in their order.
 * Ends when `signal` aborts, or when the run has ended and all is read.
 * @throws ActionError where it cannot go on, such as a missing right
 */
export function followLogs(client: KubernetesClient, options: LogFollowOptions): AsyncIterable<LogLine[]> {
  return iterate(() => startFollowing(client, options));
}

function startFollowing(client: KubernetesClient, options: LogFollowOptions): Source<LogLine[]> {
  const { namespace, selector, ended, when = 'live', timing = systemTiming, settleSeconds = 30 } = options;
  const stop = new AbortController();
  const final = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const channel = new Channel<LogLine>(unreadLines);
  const context: ReadingContext = {
    client,
    log: options.log,
    timing,
    slots: new Slots(options.connections ?? (when === 'live' ? 32 : 4)),
    emit: (lines) => channel.push(lines),
    signal,
    final: final.signal,
    live: when === 'live' ? AbortSignal.abort() : ended,
    silenceSeconds: options.silenceSeconds ?? 7_200,
    turnSeconds: 5,
    lingerSeconds: 10,
    credentialSeconds: options.watch?.credentialSeconds ?? 300,
  };
  const views = new Map<string, PodView>();
  const readers = new Map<string, Promise<void>>();
  const fail = (error: unknown): void => {
    if (!signal.aborted) channel.close({ error });
  };
  const see = (pod: Pod): void => {
    if (options.only && !options.only(pod.metadata.name ?? '')) return;
    const uid = pod.metadata.uid ?? '';
    const view = views.get(uid) ?? new PodView(client, pod);
    views.set(uid, view);
    view.update(pod);
    for (const { name } of statusesOf(pod)) {
      if (options.without?.has(name)) continue;
      const key = `${uid}/${name}`;
      if (readers.has(key) || view.instances(name).length === 0) continue;
      readers.set(key, readContainer(view, name, context).catch(fail));
    }
  };

  const watchOptions = { ...options.watch, timing, signal: AbortSignal.any([signal, ended]) };
  const watchAlone = (): AsyncIterable<Sighting<Pod>> =>
    watchSelection<Pod>(client, podResource, namespace, { labelSelector: selector }, watchOptions);
  const following = (async () => {
    const watch = options.pods ?? watchAlone;
    for await (const { present, object } of watch(watchOptions.signal)) {
      if (present) see(object);
      else views.get(object?.metadata.uid ?? '')?.update(undefined);
    }
    if (signal.aborted) return;
    // The run has ended; its last pods may not have been seen yet.
    const list = await patiently(() => client.list<Pod>(podResource, namespace, { labelSelector: selector }), { ...watchOptions, signal });
    for (const pod of list?.items ?? []) see(pod);
    const settle = setTimeout(() => final.abort(), settleSeconds * 1000);
    for (const view of views.values())
      if (list && !list.items.some(({ metadata }) => metadata.uid === view.pod.metadata.uid)) view.update(undefined);
    await Promise.all(readers.values());
    clearTimeout(settle);
  })().then(() => channel.close(), fail);
  const end = (): void => channel.close();
  options.signal.addEventListener('abort', end, { once: true });
  if (options.signal.aborted) end();
  return {
    next: () => channel.next(),
    stop: async () => {
      options.signal.removeEventListener('abort', end);
      stop.abort();
      channel.close();
      await Promise.all([following, ...readers.values()]);
    },
  };
}
