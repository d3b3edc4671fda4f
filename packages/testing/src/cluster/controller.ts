import type { Change, Store } from './store.ts';

/**
 * Runs a controller: each key that a change names is reconciled soon after, one at a time, never within the request
 * that made the change. What a reconciliation throws is a defect and ends up in `onDefect`.
 */
export class Controller {
  readonly #queue = new Set<string>();
  readonly #timers = new Map<string, { timer: NodeJS.Timeout; at: number }>();
  readonly #reconcile: (key: string) => void;
  readonly #onDefect: (error: unknown) => void;
  readonly #unsubscribe: () => void;
  #scheduled = false;
  #stopped = false;

  constructor(
    store: Store,
    keysOf: (change: Change) => Iterable<string>,
    reconcile: (key: string, controller: Controller) => void,
    onDefect: (error: unknown) => void,
  ) {
    this.#reconcile = (key) => reconcile(key, this);
    this.#onDefect = onDefect;
    this.#unsubscribe = store.subscribe((change) => {
      for (const key of keysOf(change)) this.enqueue(key);
    });
  }

  enqueue(key: string): void {
    if (this.#stopped) return;
    this.#queue.add(key);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#drain());
  }

  /** Reconciles `key` at that time (milliseconds since 1970) as well, unless an earlier time is set already. */
  at(key: string, time: number): void {
    const known = this.#timers.get(key);
    if (this.#stopped || (known && known.at <= time)) return;
    clearTimeout(known?.timer);
    const run = (): void => {
      this.#timers.delete(key);
      this.enqueue(key);
    };
    // A timer of Node's holds at most 2^31 ms; a later time is asked for again.
    const timer = setTimeout(run, Math.min(Math.max(0, time - Date.now()), 2 ** 31 - 1));
    this.#timers.set(key, { at: time, timer });
  }

  stop(): void {
    this.#stopped = true;
    this.#unsubscribe();
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
  }

  #drain(): void {
    this.#scheduled = false;
    const keys = [...this.#queue];
    this.#queue.clear();
    for (const key of keys) {
      if (this.#stopped) return;
      try {
        this.#reconcile(key);
      } catch (error) {
        this.#onDefect(error);
      }
    }
  }
}

/** Which objects of `type` a change is about: itself, or the `kind` that controls one of its `children`. For {@link Controller}. */
export function ownerKeys(type: Change['type'], kind: string, children: Change['type']): (change: Change) => string[] {
  return ({ type: changed, object }) => {
    if (changed === type) return [`${object.metadata.namespace}/${object.metadata.name}`];
    const owner = object.metadata.ownerReferences?.find((reference) => reference.controller && reference.kind === kind);
    return changed === children && owner ? [`${object.metadata.namespace}/${owner.name}`] : [];
  };
}
