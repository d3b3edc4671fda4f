import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, environmentOf } from './environment.ts';
import type { EventRecorder } from './events.ts';
import { terminationMessage } from './filesystem.ts';
import { ensureImage } from './image-pull.ts';
import type { ImageConfig, NodeImages } from './images.ts';
import { launch, NoCommand } from './launch.ts';
import { ContainerLog } from './logs.ts';
import { timestamp, type ContainerState, type ContainerStatus, type Pod, type PodContainer, type Terminated } from './objects.ts';
import { Ports } from './ports.ts';
import { ask } from './probe.ts';
import type { Running } from './process.ts';
import type { Store } from './store.ts';

/** What all containers of a node share. */
export interface NodeParts {
  store: Store;
  images: NodeImages;
  events: EventRecorder;
  /** The folder of programs that the node brings. */
  programs: string;
  timing: NodeTiming;
  /** Bytes after which a log is begun anew. */
  logLimit: number;
}

/** Milliseconds; a real kubelet takes 10 s and more for each. */
export interface NodeTiming {
  /** Before the second restart; doubled for each further one, up to sixteen times. */
  restart: number;
  /** Between two looks of a probe at most, whatever its period; a real one's default is 10 s. */
  probe: number;
  /** What a `preStop` hook sleeps at most. */
  drain: number;
  /** Between two pulls that fail. */
  pull: number;
  /** Between two looks for a Secret or a ConfigMap that is missing. */
  config: number;
}

/** One container of a pod, over all its restarts. */
export class ContainerRunner {
  readonly status: ContainerStatus;
  readonly container: PodContainer;
  /** By container ID: of the run that goes on, and of the last one that has ended. Older ones are removed, as a kubelet does. */
  readonly logs = new Map<string, ContainerLog>();
  readonly ports = new Ports();
  readonly #parts: NodeParts;
  readonly #pod: () => Pod;
  readonly #folder: string;
  readonly #changed: () => void;
  readonly #stopping = new AbortController();
  #running: Running | undefined;

  /**
   * @param folder the pod's
   * @param changed is called after each change of `status`
   */
  constructor(parts: NodeParts, pod: () => Pod, container: PodContainer, folder: string, waiting: string, changed: () => void) {
    this.#parts = parts;
    this.#pod = pod;
    this.container = container;
    this.#folder = join(folder, container.name);
    this.#changed = changed;
    const { name, image } = container;
    const state = { waiting: { reason: waiting } };
    this.status = { name, image, imageID: '', ready: false, started: false, restartCount: 0, state, lastState: {} };
  }

  isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Runs it until it has ended and is not to run again, or was stopped. */
  async run(restart: Pod['spec']['restartPolicy']): Promise<void> {
    for (;;) {
      if (!(await ensureImage(this, this.#parts))) return;
      const ended = await this.#runOnce();
      if (!ended) return;
      this.#forgetLogs();
      this.#set({ terminated: ended });
      if (this.isStopped() || restart === 'Never' || (restart === 'OnFailure' && ended.exitCode === 0)) return;
      await this.#backOff(ended);
      if (this.isStopped()) return;
      this.status.lastState = { terminated: ended };
      this.status.restartCount++;
    }
  }

  /** SIGTERM, and SIGKILL after the grace period or at once where there is none. */
  stop(graceSeconds: number): void {
    const running = this.#running;
    const first = !this.isStopped();
    this.#stopping.abort();
    if (!running) return;
    if (first) this.tell('Normal', 'Killing', `Stopping container ${this.container.name}`);
    if (graceSeconds <= 0) {
      running.kill();
      return;
    }
    // Its hook comes first: it goes on answering until whoever sends requests knows that it ends.
    const sleep = this.container.lifecycle?.preStop?.sleep?.seconds ?? 0;
    const drain = setTimeout(() => running.terminate(), Math.min(sleep * 1000, this.#parts.timing.drain));
    const timer = setTimeout(() => running.kill(), graceSeconds * 1000);
    void running.exit.then(() => {
      clearTimeout(drain);
      clearTimeout(timer);
    });
  }

  tell(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#parts.events.tell(this.#pod(), { type, reason, message, fieldPath: `spec.containers{${this.container.name}}` });
  }

  /** It waits for something. @returns whether that is news */
  wait(reason: string, message: string): boolean {
    const { waiting } = this.status.state;
    if (waiting?.reason === reason && waiting.message === message) return false;
    this.#set({ waiting: { reason, message } });
    return true;
  }

  /** Until then, or until it is stopped. */
  async pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#stopping.signal }).catch((error: unknown) => {
      if ((error as Error).name !== 'AbortError') throw error;
    });
  }

  async #backOff(ended: Terminated): Promise<void> {
    const { restartCount } = this.status;
    // The first restart comes at once.
    if (restartCount === 0) return;
    const { name, namespace, uid } = this.#pod().metadata;
    const factor = 2 ** Math.min(restartCount - 1, 5);
    const where = `${name}_${namespace}(${uid})`;
    this.status.lastState = { terminated: ended };
    // The words are the real kubelet's; how long it really is, is in the timing.
    this.wait(
      'CrashLoopBackOff',
      `back-off ${Math.min(10 * factor, 300)}s restarting failed container=${this.container.name} pod=${where}`,
    );
    this.tell('Warning', 'BackOff', `Back-off restarting failed container ${this.container.name} in pod ${where}`);
    await this.pause(this.#parts.timing.restart * factor);
  }

  /** @returns how it ended; undefined where it was stopped before it began */
  async #runOnce(): Promise<Terminated | undefined> {
    const { container, status } = this;
    const root = join(this.#folder, String(status.restartCount));
    // What a run before it left there is not this run's.
    await rm(this.#folder, { recursive: true, force: true });
    const image = await this.#parts.images.unpack(container.image, root);
    const variables = await this.#variables(image.config);
    if (!variables) return undefined;
    status.imageID = image.id;
    status.containerID = `process://${randomBytes(32).toString('hex')}`;
    const log = new ContainerLog(this.#parts.logLimit);
    const startedAt = timestamp();
    try {
      this.#running = await launch({
        pod: this.#pod(),
        container,
        image: image.config,
        root,
        variables,
        programs: this.#parts.programs,
        log,
        ports: this.ports,
      });
    } catch (error) {
      if (error instanceof NoCommand) return this.#stuck('CreateContainerError', error.message);
      this.tell('Normal', 'Created', 'Container created');
      this.#keepLog(log);
      log.end();
      const message = (error as Error).message;
      this.tell('Warning', 'Failed', `Error: ${message}`);
      return { ...this.#id(), exitCode: 128, reason: 'StartError', message, startedAt: '1970-01-01T00:00:00Z', finishedAt: timestamp() };
    }
    this.#keepLog(log);
    this.tell('Normal', 'Created', 'Container created');
    this.tell('Normal', 'Started', 'Container started');
    if (this.isStopped()) this.#running.kill();
    this.#set({ running: { startedAt } });
    const { exit } = this.#running;
    void this.#probe(exit);
    const { code } = await exit;
    this.#running = undefined;
    this.ports.clear();
    let message = await terminationMessage(root, container);
    if (!message && code !== 0 && container.terminationMessagePolicy === 'FallbackToLogsOnError') message = log.tail(80, 2048);
    const reason = code === 0 ? 'Completed' : 'Error';
    return { ...this.#id(), exitCode: code, reason, ...(message ? { message } : {}), startedAt, finishedAt: timestamp() };
  }

  /** Its variables, as soon as all that they come from is there. */
  async #variables(config: ImageConfig): Promise<Map<string, string> | undefined> {
    while (!this.isStopped()) {
      try {
        return environmentOf(this.#parts.store, this.#pod(), this.container, config);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        this.wait('CreateContainerConfigError', error.message);
        this.tell('Warning', 'Failed', `Error: ${error.message}`);
        await this.pause(this.#parts.timing.config);
      }
    }
    return undefined;
  }

  /** Looks whether it is ready for as long as this run of it lasts. */
  async #probe(exit: Promise<unknown>): Promise<void> {
    const { readinessProbe: probe } = this.container;
    if (!probe) return;
    let over = false;
    void exit.then(() => (over = true));
    const every = Math.min(probe.periodSeconds * 1000, this.#parts.timing.probe);
    const run = this.status.containerID;
    let inRow = 0;
    await this.pause((probe.initialDelaySeconds ?? 0) * 1000);
    while (!over && !this.isStopped()) {
      const problem = await ask(probe, this.container, this.ports);
      if (over || this.status.containerID !== run) return;
      const good = problem === undefined;
      inRow = good === inRow > 0 ? inRow + (good ? 1 : -1) : good ? 1 : -1;
      if (!good) this.tell('Warning', 'Unhealthy', `Readiness probe failed: ${problem}`);
      const ready = inRow >= probe.successThreshold || (this.status.ready && inRow > -probe.failureThreshold);
      if (ready !== this.status.ready) {
        this.status.ready = ready;
        this.#changed();
      }
      await this.pause(every);
    }
  }

  /** Nothing but another pod helps; waits for its deletion. */
  async #stuck(reason: string, message: string): Promise<undefined> {
    this.wait(reason, message);
    this.tell('Warning', 'Failed', `Error: ${message}`);
    while (!this.isStopped()) await this.pause(60_000);
  }

  #keepLog(log: ContainerLog): void {
    this.logs.set(this.#id().containerID, log);
  }

  #forgetLogs(): void {
    for (const id of [...this.logs.keys()].slice(0, -1)) this.logs.delete(id);
  }

  #id(): { containerID: string } {
    return { containerID: this.status.containerID ?? '' };
  }

  #set(state: ContainerState): void {
    this.status.state = state;
    this.status.started = state.running !== undefined;
    // With a probe it is ready when that says so.
    this.status.ready = this.status.started && !this.container.readinessProbe;
    this.#changed();
  }
}
