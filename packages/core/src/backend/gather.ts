import { ActionError, messageOf } from '../action/errors.ts';
import type { Log } from '../action/log.ts';
import { events as eventResource, type KubernetesClient } from '../kubernetes/client.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { systemTiming, type Timing } from '../kubernetes/timing.ts';
import { watchNews, type Sighting, type WatchOptions } from '../kubernetes/watch.ts';
import type { RunReference } from '../run/reference.ts';
import type { PodResult } from '../run/result.ts';
import type { Evidence, PodsObservation } from './backend.ts';
import { eventEvidence, evidenceOf, isAbout, nodeEvidence, podResult, tellingEvents, type Event } from './evidence.ts';

/** What {@link gatherPods} works with. */
export interface GatherParts {
  client: KubernetesClient;
  reference: RunReference;
  log: Pick<Log, 'debug' | 'warning'>;
  pods(signal: AbortSignal): AsyncIterable<Sighting<Pod>>;
  /** Why Kueue holds the run back, at first and at each change; it ends where Kueue has no part in it. */
  workloads(signal: AbortSignal): AsyncIterable<Evidence[]>;
  signal: AbortSignal;
  watch?: Omit<WatchOptions, 'signal' | 'timing'>;
  timing?: Timing;
}

// Pods of a large run change by dozens within a second.
const togetherMilliseconds = 500;
// An API server sends no bookmarks for events, which it does not cache: their watch is silent while all goes well.
const quietSeconds = 3_600;

/**
 * Watches a run's pods and the namespace's telling events, and yields what is known at each change. Where a pod's node is
 * said to be lost, the node is asked.
 */
export async function* gatherPods(parts: GatherParts): AsyncGenerator<PodsObservation> {
  const { client, reference, log, timing = systemTiming } = parts;
  const stop = new AbortController();
  const signal = AbortSignal.any([parts.signal, stop.signal]);
  const gathered = new Gathered(reference);
  let wake: (() => void) | undefined;
  let isNew = false;
  const tell = (): void => {
    isNew = true;
    wake?.();
  };
  const onAbort = (): void => wake?.();
  signal.addEventListener('abort', onAbort, { once: true });

  const pods = async (): Promise<void> => {
    for await (const { present, object } of parts.pods(signal)) {
      if (object) gathered.see(object, present, timing.now());
      tell();
    }
  };
  const events = async (): Promise<void> => {
    const options: WatchOptions = { ...parts.watch, timing, silenceSeconds: quietSeconds, signal };
    for await (const items of watchNews<Event>(client, eventResource, reference.namespace, { fieldSelector: tellingEvents }, options)) {
      if (items.filter((event) => gathered.hear(event)).length > 0) tell();
    }
  };
  const workloads = async (): Promise<void> => {
    for await (const evidence of parts.workloads(signal)) {
      gathered.held(evidence);
      tell();
    }
  };
  // Whoever waits goes on waiting without them.
  const lessen =
    (what: string) =>
    (error: unknown): void => {
      if (!signal.aborted) log.debug(`no ${what}: ${error instanceof ActionError ? messageOf(error) : String(error)}`);
    };
  const tasks = [pods().catch(lessen('pods')), events().catch(lessen('events')), workloads().catch(lessen('workloads of Kueue'))];
  try {
    while (!signal.aborted) {
      if (!isNew) await new Promise<void>((done) => (wake = done));
      await timing.pause(togetherMilliseconds, signal);
      if (signal.aborted && !isNew) return;
      isNew = false;
      const lost = gathered.takeSuspects();
      if (lost.length > 0) gathered.nodes(lost, await nodeEvidence(client, lost, log));
      yield gathered.observation();
    }
  } finally {
    stop.abort();
    signal.removeEventListener('abort', onAbort);
    await Promise.all(tasks);
  }
}

/** What was seen and heard of a run's pods so far: what is gone stays. */
export class Gathered {
  readonly #reference: RunReference;
  readonly #pods = new Map<string, { pod: PodResult; evidence: Evidence[]; created: string }>();
  readonly #events = new Map<string, Evidence>();
  readonly #nodes = new Map<string, Evidence[]>();
  readonly #suspects = new Set<string>();
  #held: readonly Evidence[] = [];

  constructor(reference: RunReference) {
    this.#reference = reference;
  }

  see(pod: Pod, isPresent: boolean, now: number): void {
    const uid = pod.metadata.uid ?? '';
    const before = this.#pods.get(uid);
    const ends = (before?.evidence ?? []).filter(({ exitCode, startedAt }) => exitCode !== undefined && startedAt !== undefined);
    const evidence = [...keepEnds(ends, evidenceOf(pod)), ...evidenceOf(pod)];
    const result = podResult(pod);
    if (!isPresent && result.startedAt && !result.endedAt) result.endedAt = new Date(now).toISOString();
    this.#pods.set(uid, {
      pod: result,
      evidence: isPresent ? evidence : evidence.map((one) => ({ ...one, gone: true })),
      created: pod.metadata.creationTimestamp ?? '',
    });
    if (evidence.some(({ reason }) => reason === 'DeletionByTaintManager' || reason === 'NodeLost')) this.#suspect(result.node);
  }

  /** @returns whether the event is about the run */
  hear(event: Event): boolean {
    if (!isAbout(event, this.#reference, new Set(this.#pods.keys()))) return false;
    const evidence = eventEvidence(event);
    this.#events.set([event.involvedObject?.uid, evidence.reason, evidence.message].join('\n'), evidence);
    // The node controller says it of the pods of a node that does not answer.
    if (evidence.reason === 'NodeNotReady') this.#suspect(this.#pods.get(event.involvedObject?.uid ?? '')?.pod.node);
    return true;
  }

  /** What Kueue says now; nothing once the run is admitted. */
  held(evidence: readonly Evidence[]): void {
    this.#held = evidence;
  }

  nodes(names: readonly string[], evidence: readonly Evidence[]): void {
    for (const name of names)
      this.#nodes.set(
        name,
        evidence.filter(({ object }) => object === name),
      );
  }

  /** Nodes that are to be asked. */
  takeSuspects(): string[] {
    const names = [...this.#suspects];
    this.#suspects.clear();
    return names;
  }

  #suspect(node: string | undefined): void {
    if (node) this.#suspects.add(node);
  }

  observation(): PodsObservation {
    const pods = [...this.#pods.values()].toSorted((a, b) => compare(a.created, b.created));
    const evidence = [...pods.flatMap((one) => one.evidence), ...this.#events.values(), ...[...this.#nodes.values()].flat(), ...this.#held];
    return { pods: pods.map(({ pod }) => pod), evidence: byTime(evidence) };
  }
}

/** Lives of containers that ended badly and that the pod's status has forgotten. */
function keepEnds(before: readonly Evidence[], now: readonly Evidence[]): Evidence[] {
  const isSame = (a: Evidence, b: Evidence): boolean => a.container === b.container && a.startedAt === b.startedAt;
  // A container that ends every minute for a week: its first lives say what the last do.
  return before.filter((one) => !now.some((other) => isSame(one, other))).slice(0, 5);
}

/** What was gathered while waiting, with what a look at the end adds: what the look does not show any more stays. */
export function joined(gathered: PodsObservation, look: PodsObservation): PodsObservation {
  const shown = new Set(look.pods.map(({ uid }) => uid));
  const gone = gathered.pods.filter(({ uid }) => !shown.has(uid));
  const keyOf = ({ source, object, container, reason, message, startedAt, exitCode }: Evidence): string =>
    JSON.stringify([source, object, container, reason, message, startedAt, exitCode]);
  const said = new Set(look.evidence.map(keyOf));
  const goneNames = new Set(gone.map(({ name }) => name));
  // Of a pod that is still there, the look has the present waiting; what was gathered has its earlier ends.
  const kept = gathered.evidence.filter(
    (one) =>
      !said.has(keyOf(one)) && (goneNames.has(one.object) || one.source === 'event' || one.source === 'node' || one.exitCode !== undefined),
  );
  return { pods: [...gone, ...look.pods], evidence: byTime([...kept, ...look.evidence]) };
}

function byTime(evidence: Evidence[]): Evidence[] {
  return evidence.toSorted((a, b) => compare(a.time ?? '', b.time ?? ''));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
