import { join } from 'node:path';
import type { NodeParts } from './container.ts';
import type { ContainerLog } from './logs.ts';
import { nodeName } from './node.ts';
import type { Pod } from './objects.ts';
import { PodWorker } from './pod-worker.ts';
import type { Ports } from './ports.ts';
import { types } from './resources.ts';
import type { Change } from './store.ts';

/** Runs the pods that the scheduler put on the node. */
export class Kubelet {
  readonly #parts: NodeParts;
  readonly #folder: string;
  readonly #workers = new Map<string, PodWorker>();
  readonly #unsubscribe: () => void;
  readonly #onDefect: (error: unknown) => void;

  constructor(parts: NodeParts, folder: string, onDefect: (error: unknown) => void) {
    this.#parts = parts;
    this.#folder = join(folder, 'pods');
    this.#onDefect = onDefect;
    this.#unsubscribe = parts.store.subscribe((change) => this.#see(change));
  }

  readonly findLog = (uid: string, containerID: string): ContainerLog | undefined => this.#workers.get(uid)?.log(containerID);

  /** On what the containers of a pod listen; undefined where it is not here. */
  readonly findPorts = (uid: string): readonly Ports[] | undefined => this.#workers.get(uid)?.ports;

  /** Ends all processes at once and removes their files. */
  async stop(): Promise<void> {
    this.#unsubscribe();
    const workers = [...this.#workers.values()];
    for (const worker of workers) worker.stop(0);
    await Promise.allSettled(workers.map((worker) => worker.done));
    await Promise.all(workers.map((worker) => worker.clean()));
  }

  #see({ type, object, deleted }: Change): void {
    if (type !== types.pods) return;
    const pod = object as Pod;
    const { uid, deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
    const worker = this.#workers.get(uid);
    if (deleted) {
      if (!worker) return;
      // Its object went without waiting for it; so do its processes.
      worker.stop(0);
      this.#workers.delete(uid);
      this.#watch(worker.done.then(() => worker.clean()));
    } else if (worker) {
      worker.see(pod);
      if (deletionTimestamp !== undefined) this.#end(worker, pod, deletionGracePeriodSeconds);
    } else if (pod.spec.nodeName === nodeName && deletionTimestamp === undefined) {
      // Not within the change that bound it.
      setImmediate(() => this.#start(uid, pod));
    }
  }

  #start(uid: string, seen: Pod): void {
    const { namespace, name } = seen.metadata;
    const pod = this.#parts.store.get(types.pods, namespace, name) as Pod | undefined;
    if (this.#workers.has(uid) || pod?.metadata.uid !== uid) return;
    const worker = new PodWorker(this.#parts, pod, this.#folder);
    this.#workers.set(uid, worker);
    this.#watch(worker.done);
    if (pod.metadata.deletionTimestamp !== undefined) this.#end(worker, pod, pod.metadata.deletionGracePeriodSeconds ?? 0);
  }

  readonly #ending = new Set<PodWorker>();

  #end(worker: PodWorker, pod: Pod, graceSeconds: number): void {
    worker.stop(graceSeconds);
    if (this.#ending.has(worker)) return;
    this.#ending.add(worker);
    const { namespace, name, uid } = pod.metadata;
    this.#watch(
      worker.done.then(() => {
        this.#ending.delete(worker);
        if (this.#parts.store.get(types.pods, namespace, name)?.metadata.uid !== uid) return;
        this.#parts.store.update(types.pods, namespace, name, ({ metadata }) => {
          metadata.deletionGracePeriodSeconds = 0;
        });
      }),
    );
  }

  #watch(work: Promise<unknown>): void {
    work.catch(this.#onDefect);
  }
}
