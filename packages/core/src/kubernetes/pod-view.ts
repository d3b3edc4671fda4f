import { pods as podResource, type KubernetesClient } from './client.ts';
import { instancesOf, statusesOf, type Instance, type Pod } from './pod.ts';

/** One pod as it was last seen, whoever looked. */
export class PodView {
  readonly #client: KubernetesClient;
  readonly #listeners = new Set<() => void>();
  #pod: Pod;
  #isGone = false;

  constructor(client: KubernetesClient, pod: Pod) {
    this.#client = client;
    this.#pod = pod;
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** Its logs went with it. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** @param pod undefined where it is gone */
  update(pod: Pod | undefined): void {
    if (pod) this.#pod = pod;
    else this.#isGone = true;
    for (const listener of this.#listeners) listener();
  }

  /** Looks at it now. @throws ActionError */
  async refresh(): Promise<void> {
    const { namespace = '', name = '', uid } = this.#pod.metadata;
    const pod = await this.#client.get<Pod>(podResource, namespace, name);
    this.update(pod?.metadata.uid === uid ? pod : undefined);
  }

  /** The lives of a container whose logs can be read now, oldest first. */
  instances(container: string): Instance[] {
    const status = statusesOf(this.#pod).find(({ name }) => name === container);
    return status ? instancesOf(status) : [];
  }

  /** Calls `listener` at each change. @returns what stops it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends at the next change, or when `signal` aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((done) => {
      if (signal.aborted) return done();
      const finish = (): void => {
        stop();
        signal.removeEventListener('abort', finish);
        done();
      };
      const stop = this.onChange(finish);
      signal.addEventListener('abort', finish, { once: true });
    });
  }
}
