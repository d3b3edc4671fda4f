import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ContainerRunner, type NodeParts } from './container.ts';
import type { ContainerLog } from './logs.ts';
import { timestamp, type Condition, type ContainerStatus, type Pod, type PodContainer } from './objects.ts';
import type { Ports } from './ports.ts';
import { types } from './resources.ts';

/** One pod on the node: its containers in order, its status, its end. */
export class PodWorker {
  readonly #parts: NodeParts;
  readonly #folder: string;
  readonly #init: ContainerRunner[];
  readonly #main: ContainerRunner[];
  /** The last state that was seen of it; it outlives the object. */
  #pod: Pod;
  #stopping = false;
  #started = false;
  /** Its containers have ended and no other one follows. */
  #over = false;
  #reason: { reason: string; message: string } | undefined;
  #deadline: NodeJS.Timeout | undefined;
  /** Ends with the pod's last container. */
  readonly done: Promise<void>;

  /** @param folder where the pod's folder is made */
  constructor(parts: NodeParts, pod: Pod, folder: string) {
    this.#parts = parts;
    this.#pod = pod;
    this.#folder = join(folder, pod.metadata.uid);
    const { initContainers = [], containers } = pod.spec;
    const runner = (container: PodContainer): ContainerRunner =>
      new ContainerRunner(
        parts,
        () => this.#pod,
        container,
        this.#folder,
        initContainers.length > 0 ? 'PodInitializing' : 'ContainerCreating',
        () => this.#publish(),
      );
    this.#init = initContainers.map(runner);
    this.#main = containers.map(runner);
    this.done = this.#run();
  }

  /** The object has changed. */
  see(pod: Pod): void {
    this.#pod = pod;
  }

  log(containerID: string): ContainerLog | undefined {
    return [...this.#init, ...this.#main].map(({ logs }) => logs.get(containerID)).find((log) => log !== undefined);
  }

  get ports(): readonly Ports[] {
    return this.#main.map(({ ports }) => ports);
  }

  /** Ends its containers; may be called again with less grace. */
  stop(graceSeconds: number): void {
    this.#stopping = true;
    for (const runner of [...this.#init, ...this.#main]) runner.stop(graceSeconds);
  }

  /** Removes its files; after `done`. */
  async clean(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #run(): Promise<void> {
    const { restartPolicy, activeDeadlineSeconds } = this.#pod.spec;
    this.#publish({ startTime: timestamp() });
    if (activeDeadlineSeconds !== undefined) this.#deadline = setTimeout(() => this.#exceeded(), activeDeadlineSeconds * 1000);
    for (const runner of this.#init) {
      // An init container that failed is tried again unless the pod says never.
      await runner.run(restartPolicy === 'Never' ? 'Never' : 'OnFailure');
      if (runner.status.state.terminated?.exitCode !== 0) break;
    }
    if (!this.#stopping && this.#init.every(({ status }) => status.state.terminated?.exitCode === 0)) {
      this.#started = true;
      await Promise.all(this.#main.map((runner) => runner.run(restartPolicy)));
    }
    clearTimeout(this.#deadline);
    this.#over = true;
    this.#publish();
  }

  #exceeded(): void {
    const message = 'Pod was active on the node longer than the specified deadline';
    this.#reason = { reason: 'DeadlineExceeded', message };
    this.#parts.events.tell(this.#pod, { type: 'Normal', reason: 'DeadlineExceeded', message });
    this.stop(this.#pod.spec.terminationGracePeriodSeconds);
  }

  #publish(more: Partial<Pod['status']> = {}): void {
    const { namespace, name, uid } = this.#pod.metadata;
    const { store } = this.#parts;
    // It may be gone, or another may have its name.
    if (store.get(types.pods, namespace, name)?.metadata.uid !== uid) return;
    this.#pod = store.update<Pod>(types.pods, namespace, name, (copy) => {
      const statuses = structuredClone(this.#main.map(({ status }) => status));
      const init = structuredClone(this.#init.map(({ status }) => status));
      const { conditions, ...status } = copy.status;
      copy.status = {
        ...status,
        ...more,
        ...this.#reason,
        phase: this.#phase(),
        hostIP: '127.0.0.1',
        hostIPs: [{ ip: '127.0.0.1' }],
        ...(this.#started ? { podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] } : {}),
        conditions: this.#conditions(conditions ?? [], copy.metadata.generation),
        ...(init.length > 0 ? { initContainerStatuses: init } : {}),
        containerStatuses: statuses,
      };
    }) as Pod;
  }

  #phase(): Pod['status']['phase'] {
    const states = this.#main.map(({ status }) => status.state);
    if (this.#over) {
      const good = this.#reason === undefined && states.every(({ terminated }) => terminated?.exitCode === 0);
      return good ? 'Succeeded' : 'Failed';
    }
    const begun = this.#main.some(({ status }) => status.state.waiting === undefined || status.restartCount > 0);
    return begun ? 'Running' : 'Pending';
  }

  #conditions(before: Condition[], generation = 1): Condition[] {
    const statuses: ContainerStatus[] = this.#main.map(({ status }) => status);
    const unready = statuses.filter(({ ready }) => !ready).map(({ name }) => name);
    const phase = this.#phase();
    const over = statuses.every(({ state }) => state.terminated) && this.#pod.spec.restartPolicy === 'Never';
    const why =
      phase === 'Succeeded' || (over && statuses.every(({ state }) => state.terminated?.exitCode === 0))
        ? { reason: 'PodCompleted' }
        : phase === 'Failed' || over
          ? { reason: 'PodFailed' }
          : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
    const ready: Omit<Condition, 'type'> = unready.length === 0 ? { status: 'True' } : { status: 'False', ...why };
    const uninitialised = this.#init.filter(({ status }) => status.state.terminated?.exitCode !== 0).map(({ status }) => status.name);
    const initialised: Omit<Condition, 'type'> =
      uninitialised.length === 0
        ? { status: 'True', ...(why.reason === 'PodCompleted' ? why : {}) }
        : {
            status: 'False',
            reason: 'ContainersNotInitialized',
            message: `containers with incomplete status: [${uninitialised.join(' ')}]`,
          };
    const sandbox = phase !== 'Succeeded' && phase !== 'Failed' && statuses.some(({ containerID }) => containerID !== undefined);
    const now = [
      { type: 'PodReadyToStartContainers', status: sandbox ? 'True' : 'False' },
      { type: 'Initialized', ...initialised },
      { type: 'Ready', ...ready },
      { type: 'ContainersReady', ...ready },
    ] as Condition[];
    const kept = before.filter(({ type }) => !now.some((condition) => condition.type === type));
    return [
      ...now.map((condition) => {
        const old = before.find(({ type }) => type === condition.type);
        const lastTransitionTime = old?.status === condition.status ? old.lastTransitionTime! : timestamp();
        return { ...condition, lastProbeTime: null, lastTransitionTime, observedGeneration: generation };
      }),
      ...kept,
    ];
  }
}
