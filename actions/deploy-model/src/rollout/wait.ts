import { formatDuration } from '@slashtrain/core/action/duration';
import { ActionError } from '@slashtrain/core/action/errors';
import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { pods as podResource, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { Pod } from '@slashtrain/core/kubernetes/pod';
import { systemTiming, type Timing } from '@slashtrain/core/kubernetes/timing';
import { watchObject, watchSelection } from '@slashtrain/core/kubernetes/watch';
import { titleOf } from '../targets/before.ts';
import type { KindsFor } from '../targets/kinds/index.ts';
import { podFailure, podWords, type PodFailure } from '../targets/kinds/pods.ts';
import type { ServingKind, View } from '../targets/kinds/serving-kind.ts';
import type { Readiness } from '../types.ts';

/** What waiting works with. */
export interface WaitParts {
  client: KubernetesClient;
  kinds: KindsFor;
  signal: AbortSignal;
  /** Seconds. */
  timeout: number;
  say(line: string): void;
  /** Waits to the end for what looks as if it never got ready: pods of what was there before may still be around. */
  patient?: boolean;
  timing?: Timing;
}

const deployments: Resource = { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment' };
const logLines = 20;
// Pods whose failure is of the last attempt are often gone a moment later.
const settleMilliseconds = 20;
// A controller takes a moment until it has seen what was applied: until then the status is of what stood there before.
const staleMilliseconds = 10_000;

/**
 * Waits until all objects, as they were applied, are ready.
 * @returns them as the server has them then
 * @throws ActionError `run-failed` for what cannot recover, in the server's words; `timeout`; the signal's reason
 */
export async function waitUntilReady(applied: readonly KubernetesObject[], parts: WaitParts): Promise<KubernetesObject[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([parts.signal, stop.signal]);
  try {
    return await Promise.all(applied.map((object) => waitForOne(object, { ...parts, signal })));
  } finally {
    stop.abort();
    parts.signal.throwIfAborted();
  }
}

async function waitForOne(applied: KubernetesObject, parts: WaitParts): Promise<KubernetesObject> {
  const kind = parts.kinds(applied);
  const at = kind.ready(applied, { children: [] });
  if (at.state === 'ready' && kind.podSelector === undefined) return applied;
  const watched = new Watched(applied, kind, parts);
  try {
    return await watched.ready();
  } finally {
    await watched.close();
  }
}

/** One object with what its controller makes for it: looked at again at each change of any of them. */
class Watched {
  readonly #applied: KubernetesObject;
  readonly #kind: ServingKind;
  readonly #parts: WaitParts;
  readonly #stop = new AbortController();
  readonly #tasks: Promise<void>[] = [];
  readonly #children = new Map<string, KubernetesObject>();
  readonly #pods = new Map<string, Pod>();
  #object: KubernetesObject | undefined;
  #arePodsSeen = true;
  #failure: { error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #isNew = false;

  constructor(applied: KubernetesObject, kind: ServingKind, parts: WaitParts) {
    this.#applied = applied;
    this.#kind = kind;
    this.#parts = parts;
    const { namespace = '', name = '', uid } = applied.metadata;
    const { client, timing } = parts;
    const options = { signal: AbortSignal.any([parts.signal, this.#stop.signal]), ...(timing ? { timing } : {}) };
    this.#run('object', async () => {
      for await (const sighting of watchObject(client, kind.resource, namespace, name, { ...options, ...(uid ? { uid } : {}) })) {
        if (!sighting.present) throw new ActionError('run-failed', `${titleOf(applied)} was deleted while it was rolled out`);
        this.#object = sighting.object;
        this.#tell();
      }
    });
    const children = kind.childSelector?.(applied);
    if (children !== undefined) {
      this.#run('children', async () => {
        for await (const { present, object } of watchSelection(client, deployments, namespace, { labelSelector: children }, options)) {
          if (present) this.#children.set(object.metadata.uid ?? '', object);
          else this.#children.delete(object.metadata.uid ?? '');
          this.#tell();
        }
      });
    }
    const pods = kind.podSelector?.(applied);
    if (pods === undefined) return;
    this.#run('pods', async () => {
      for await (const { present, object } of watchSelection<Pod>(client, podResource, namespace, { labelSelector: pods }, options)) {
        if (present) this.#pods.set(object.metadata.uid ?? '', object);
        else this.#pods.delete(object.metadata.uid ?? '');
        this.#tell();
      }
    });
  }

  async ready(): Promise<KubernetesObject> {
    const { signal, timeout, timing = systemTiming, say } = this.#parts;
    const end = timing.now() + timeout * 1000;
    const fresh = Math.min(end, timing.now() + staleMilliseconds);
    const old = this.#kind.ready(this.#applied, { children: [], pods: [] });
    const isOld = (now: Readiness): boolean => now.reason === old.reason && now.message === old.message && timing.now() < fresh;
    let said: string | undefined;
    for (;;) {
      await this.#news((old.state === 'failed' && timing.now() < fresh ? fresh : end) - timing.now());
      signal.throwIfAborted();
      if (this.#failure) throw this.#failure.error;
      const object = this.#object;
      const now = object && this.#kind.ready(object, this.#view());
      if (object && now?.state === 'ready') return object;
      const failed = now?.state === 'failed' && !isOld(now) ? now : podFailure([...this.#pods.values()]);
      if (failed && !this.#parts.patient) throw await this.#refusal(failed);
      if (timing.now() >= end) throw this.#late(now);
      const line = `${titleOf(this.#applied)}: ${now ? `${now.reason}: ${now.message}` : 'not seen yet'}`;
      if (line !== said) say(line);
      said = line;
    }
  }

  #view(): View {
    return { children: [...this.#children.values()], ...(this.#arePodsSeen ? { pods: [...this.#pods.values()] } : {}) };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#tasks);
  }

  #run(what: 'object' | 'children' | 'pods', task: () => Promise<void>): void {
    const running = task().catch((error: unknown) => {
      if (this.#stop.signal.aborted || this.#parts.signal.aborted) return;
      if (what === 'pods' && error instanceof ActionError && error.code === 'permission') {
        this.#arePodsSeen = false;
        return this.#parts.say(`failures of pods are not seen: ${error.message}`);
      }
      this.#failure ??= { error };
      this.#tell();
    });
    this.#tasks.push(running);
  }

  #tell(): void {
    this.#isNew = true;
    this.#wake?.();
  }

  /** Ends at the next change, or after `milliseconds`. */
  async #news(milliseconds: number): Promise<void> {
    const { signal, timing = systemTiming } = this.#parts;
    if (!this.#isNew) {
      const done = new AbortController();
      this.#wake = (): void => done.abort();
      await timing.pause(Math.max(0, milliseconds), AbortSignal.any([signal, done.signal]));
      this.#wake = undefined;
    }
    if (this.#isNew) await timing.pause(settleMilliseconds, signal);
    this.#isNew = false;
  }

  async #refusal(failure: Readiness | PodFailure): Promise<ActionError> {
    const { client } = this.#parts;
    const tail = 'crashed' in failure && failure.crashed ? await lastWords(client, this.#applied, failure) : [];
    const log = tail.length === 0 ? '' : `\nits last lines:\n${tail.join('\n')}`;
    const pods = 'pod' in failure ? undefined : podWords([...this.#pods.values()]);
    const more = pods === undefined ? '' : ` (${pods})`;
    return new ActionError('run-failed', `${titleOf(this.#applied)}: ${failure.reason}: ${failure.message}${more}${log}`, {
      ...(failure.remedy === undefined ? {} : { remedy: failure.remedy }),
    });
  }

  #late(now: Readiness | undefined): ActionError {
    const words = podWords([...this.#pods.values()]) ?? (now ? `${now.reason}: ${now.message}` : 'it was not seen');
    const after = formatDuration(this.#parts.timeout);
    return new ActionError('timeout', `${titleOf(this.#applied)} was not ready after ${after}: ${words}`, {
      remedy: 'mend what it waits for, or raise "timeout"',
    });
  }
}

/** The end of the log of a container that crashed, without time stamps. What cannot be read is left out. */
async function lastWords(client: KubernetesClient, { metadata }: KubernetesObject, { pod, container }: PodFailure): Promise<string[]> {
  const lines: string[] = [];
  const options = { container, previous: true, tailLines: logLines };
  try {
    for await (const batch of client.log(metadata.namespace ?? '', pod, options, AbortSignal.timeout(5_000))) lines.push(...batch);
  } catch {
    // Without it the failure is known all the same.
  }
  return lines.map((line) => line.replace(/^\S+ /u, '').replace(/\n$/u, ''));
}
