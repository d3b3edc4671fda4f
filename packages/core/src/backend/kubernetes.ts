import { ActionError } from '../action/errors.ts';
import type { Log } from '../action/log.ts';
import type { Kind, KubernetesObject } from '../kinds/kind.ts';
import { queueLabel } from '../kinds/kueue.ts';
import { knownKinds, type Kinds } from '../kinds/registry.ts';
import { iterate, type Source } from '../kubernetes/channel.ts';
import { pods as podResource, type KubernetesClient } from '../kubernetes/client.ts';
import { followLogs, type LogFollowOptions } from '../kubernetes/logs.ts';
import type { Pod } from '../kubernetes/pod.ts';
import type { Timing } from '../kubernetes/timing.ts';
import { watchObject, watchSelection, type Sighting, type WatchOptions } from '../kubernetes/watch.ts';
import { formatReference, type RunReference } from '../run/reference.ts';
import { isEnded, type Status } from '../run/state.ts';
import type { Evidence, LogLine, Observation, PodsObservation, RunBackend } from './backend.ts';
import { evidenceOf, nodeEvidence, podResult, tellingEventsOf } from './evidence.ts';
import { gatherPods } from './gather.ts';
import { outputsByPod, outputsOf } from './outputs.ts';
import { servedKind } from './served-kind.ts';
import { Shared } from './shared.ts';
import { kueueWorkloads } from './workloads.ts';

/** What {@link kubernetesBackend} is made with, beside its client. */
export interface KubernetesBackendOptions {
  log: Log;
  /** What runs can be; absent: what Slashtrain knows by itself. Runs of records take `kindsOfRecords`. */
  kinds?: Kinds;
  timing?: Timing;
  /** Times of watches and logs, in seconds; a test makes them short. */
  watch?: Omit<WatchOptions, 'signal' | 'timing'>;
  logs?: Pick<LogFollowOptions, 'connections' | 'silenceSeconds' | 'settleSeconds'>;
}

/**
 * Runs that are Kubernetes objects of a known kind. A run that is not there, or whose name another object has, is
 * `deleted`; its message names server and context, since it may be the wrong ones that are asked.
 */
export function kubernetesBackend(client: KubernetesClient, options: KubernetesBackendOptions): RunBackend {
  const { log, timing } = options;
  const served = new Map<string, Promise<Kind>>();
  const kindOf = (name: Pick<RunReference, 'plural' | 'group'>): Promise<Kind> => {
    const key = `${name.plural}.${name.group}`;
    const known = served.get(key);
    if (known) return known;
    const asked = servedKind(client, name, options.kinds ?? knownKinds);
    served.set(key, asked);
    asked.catch(() => served.delete(key));
    return asked;
  };
  // observe() and logs() of one run stand on one watch.
  const watches = new Map<string, Shared<Sighting>>();
  const watch = ({ resource }: Kind, reference: RunReference, signal: AbortSignal): AsyncIterable<Sighting> => {
    const key = formatReference(reference);
    const shared =
      watches.get(key) ??
      new Shared<Sighting>((stop) =>
        watchObject(client, resource, reference.namespace, reference.name, {
          ...options.watch,
          ...(timing ? { timing } : {}),
          uid: reference.uid,
          signal: stop,
        }),
      );
    watches.set(key, shared);
    return shared.subscribe(signal);
  };
  const observation = (kind: Kind, reference: RunReference, sighting: Sighting, before?: Status): Observation =>
    sighting.present ? { status: kind.status(sighting.object, before), object: sighting.object } : { status: gone(reference, client) };

  const listPods = async (reference: RunReference): Promise<Pod[]> => {
    const { items } = await client.list<Pod>(podResource, reference.namespace, {
      labelSelector: selectorFor(await kindOf(reference), reference),
    });
    return items.toSorted((a, b) => compare(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''));
  };

  // logs() and watchPods() of one run stand on one watch, too.
  const podWatches = new Map<string, Shared<Sighting<Pod>>>();
  const watchPods = async function* (reference: RunReference, signal: AbortSignal): AsyncIterable<Sighting<Pod>> {
    const selection = { labelSelector: selectorFor(await kindOf(reference), reference) };
    const key = formatReference(reference);
    const shared =
      podWatches.get(key) ??
      new Shared<Sighting<Pod>>(
        (stop) =>
          watchSelection<Pod>(client, podResource, reference.namespace, selection, {
            ...options.watch,
            ...(timing ? { timing } : {}),
            signal: stop,
          }),
        ({ object }) => object?.metadata.uid ?? '',
      );
    podWatches.set(key, shared);
    yield* shared.subscribe(signal);
  };

  const workloads = kueueWorkloads(client, log);
  // Only of a run that is in a queue: the others need no further watch.
  const watchWorkloads = async function* (reference: RunReference, signal: AbortSignal): AsyncIterable<Evidence[]> {
    for await (const { object } of watch(await kindOf(reference), reference, signal)) {
      if (object?.metadata.labels?.[queueLabel] === undefined) return;
      yield* workloads.watch(reference, { ...options.watch, ...(timing ? { timing } : {}), signal });
      return;
    }
  };

  const startLogs = (
    reference: RunReference,
    signal: AbortSignal,
    when: 'live' | 'ended',
    only: ((pod: string) => boolean) | undefined,
  ): Source<LogLine[]> => {
    const ended = new AbortController();
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const waiting = (async () => {
      const kind = await kindOf(reference);
      for await (const sighting of watch(kind, reference, both)) {
        if (!isEnded(observation(kind, reference, sighting).status.state)) continue;
        // After whoever waits for the end has heard of it: what it sets off takes a while.
        await new Promise((done) => setImmediate(done));
        ended.abort();
        return;
      }
    })();
    // What the watch of the run throws ends the log, too.
    let failure: { error: unknown } | undefined;
    const watching = waiting.catch((error: unknown) => {
      if (both.aborted) return;
      failure = { error };
      stop.abort();
    });
    const open = async (): Promise<AsyncIterator<LogLine[], undefined>> => {
      const kind = await kindOf(reference);
      return followLogs(client, {
        ...options.logs,
        ...(timing ? { timing } : {}),
        ...(options.watch ? { watch: options.watch } : {}),
        log,
        namespace: reference.namespace,
        selector: selectorFor(kind, reference),
        ...(kind.helperContainers ? { without: kind.helperContainers } : {}),
        signal: both,
        ended: ended.signal,
        when,
        pods: (until) => watchPods(reference, until),
        ...(only ? { only } : {}),
      })[Symbol.asyncIterator]();
    };
    let lines: AsyncIterator<LogLine[], undefined> | undefined;
    return {
      next: async () => {
        lines ??= await open();
        const item = await lines.next();
        if (item.done && failure) throw failure.error;
        return item;
      },
      stop: async () => {
        stop.abort();
        await lines?.return?.();
        await watching;
      },
    };
  };

  return {
    async check(kind, object) {
      await client.create(kind.resource, object, { dryRun: true });
    },

    async create(kind, object) {
      const { namespace = client.namespace, name = '' } = object.metadata;
      for (;;) {
        const made = await client.create(kind.resource, object);
        if (made) return { made };
        const taken = await client.get(kind.resource, namespace, name);
        if (taken) return { taken };
        // It was deleted in between: the name is free.
      }
    },

    find: async (kind, namespace, name) => client.get((await kindOf(kind.resource)).resource, namespace, name),

    async look(reference) {
      const kind = await kindOf(reference);
      const object = await client.get(kind.resource, reference.namespace, reference.name);
      return observation(kind, reference, object?.metadata.uid === reference.uid ? { present: true, object } : { present: false });
    },

    async *observe(reference, signal) {
      const kind = await kindOf(reference);
      let last: Status | undefined;
      for await (const sighting of watch(kind, reference, signal)) {
        const now = observation(kind, reference, sighting, last);
        const isNews = JSON.stringify(now.status) !== JSON.stringify(last);
        last = now.status;
        if (isNews) yield now;
        if (isEnded(now.status.state)) return;
      }
    },

    logs: (reference, signal, when = 'live', only) => iterate(() => startLogs(reference, signal, when, only)),

    watchPods: (reference, signal) =>
      gatherPods({
        client,
        reference,
        log,
        signal,
        pods: (until) => watchPods(reference, until),
        workloads: (until) => watchWorkloads(reference, until),
        ...(options.watch ? { watch: options.watch } : {}),
        ...(timing ? { timing } : {}),
      }),

    async pods(reference): Promise<PodsObservation> {
      const list = await listPods(reference);
      const events = await tellingEventsOf(client, reference, list, log);
      const nodes = await nodeEvidence(client, nodesToAsk(list), log);
      // What Kueue holds back has no pods yet.
      const held = list.length > 0 ? [] : await workloads.look(reference);
      return {
        pods: list.map(podResult),
        evidence: [...list.flatMap(evidenceOf), ...events, ...nodes, ...held].toSorted((a, b) => compare(a.time ?? '', b.time ?? '')),
      };
    },

    async cancel(reference, graceSeconds) {
      const kind = await kindOf(reference);
      const { cancel, resource } = kind;
      const { namespace, name, uid } = reference;
      if (cancel.how === 'patch') {
        const object = await client.get(resource, namespace, name);
        if (object?.metadata.uid !== uid || isEnded(kind.status(object).state)) return;
        await client.patch(resource, namespace, name, cancel.patch).catch(unlessGone);
        return;
      }
      // Listed before their owner goes; a grace that is shorter than the pods' own counts even when they already end.
      const list = graceSeconds === undefined ? [] : await listPods(reference);
      await client.delete(resource, namespace, name, { uid });
      for (const { metadata } of list) {
        await client.delete(podResource, namespace, metadata.name ?? '', {
          ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
          ...(graceSeconds === undefined ? {} : { graceSeconds }),
        });
      }
    },

    async podOutputs(reference) {
      return outputsByPod(await listPods(reference));
    },

    async outputs(reference) {
      const { outputs, resource } = await kindOf(reference);
      const ofPods = outputsOf(await listPods(reference));
      if (!outputs) return ofPods;
      const object = await client.get(resource, reference.namespace, reference.name);
      const own = object?.metadata.uid === reference.uid ? outputs(object) : [];
      // What the run itself says counts more than what one of its pods does.
      return [...new Map([...ofPods, ...own].map((output) => [output.name, output])).values()];
    },
  };
}

function selectorFor({ resource, podSelector }: Kind, reference: RunReference): string {
  const object: KubernetesObject = {
    apiVersion: `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: { name: reference.name, namespace: reference.namespace, uid: reference.uid },
  };
  return podSelector(object);
}

function gone({ plural, group, namespace, name, uid }: RunReference, { server, context }: KubernetesClient): Status {
  return {
    state: 'deleted',
    reason: 'deleted',
    message: `there is no ${plural}.${group} "${name}" with the UID ${uid} in namespace ${namespace} on ${server} (context ${context})`,
  };
}

/** The nodes of pods that ended badly or of which nobody knows: what they say may be the cause. */
function nodesToAsk(list: readonly Pod[]): string[] {
  const suspects = list.filter(({ status }) => status?.phase === 'Failed' || status?.phase === 'Unknown');
  return [...new Set(suspects.flatMap(({ spec }) => spec?.nodeName ?? []))];
}

function unlessGone(error: unknown): void {
  if (!(error instanceof ActionError) || error.code !== 'not-found') throw error;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
