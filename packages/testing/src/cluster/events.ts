import { timestamp, type Stored } from './objects.ts';
import { types } from './resources.ts';
import type { Store } from './store.ts';

/** What a component tells about an object. */
export interface Told {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  /** Of a container: `spec.containers{main}`. */
  fieldPath?: string;
}

// Two recorders in one millisecond must not make the same name.
let number = 0;

/** Writes Events as client-go's recorder does: the same one again raises its count. */
export class EventRecorder {
  readonly #store: Store;
  readonly #component: string;
  readonly #host: string | undefined;
  readonly #known = new Map<string, string>();

  constructor(store: Store, component: string, host?: string) {
    this.#store = store;
    this.#component = component;
    this.#host = host;
  }

  tell(about: Stored, told: Told): void {
    const { namespace, name, uid, resourceVersion } = about.metadata;
    // Where the namespace is going, nothing can be made in it.
    const home = this.#store.get(types.namespaces, undefined, namespace ?? 'default');
    if (!home || home.metadata.deletionTimestamp !== undefined) return;
    const now = timestamp();
    const same = JSON.stringify([uid, told]);
    const known = this.#known.get(same);
    if (known !== undefined && this.#store.get(types.events, namespace ?? 'default', known)) {
      this.#store.update(types.events, namespace ?? 'default', known, (event) => {
        event['count'] = ((event['count'] as number | undefined) ?? 1) + 1;
        event['lastTimestamp'] = now;
      });
      return;
    }
    const id = `${name}.${(BigInt(Date.now()) * 1_000_000n + BigInt(++number)).toString(16)}`;
    this.#known.set(same, id);
    this.#store.create(types.events, {
      metadata: { name: id, namespace: namespace ?? 'default' },
      involvedObject: {
        kind: about.kind,
        ...(namespace === undefined ? {} : { namespace }),
        name,
        uid,
        apiVersion: about.apiVersion,
        resourceVersion,
        ...(told.fieldPath === undefined ? {} : { fieldPath: told.fieldPath }),
      },
      reason: told.reason,
      message: told.message,
      type: told.type,
      count: 1,
      eventTime: null,
      firstTimestamp: now,
      lastTimestamp: now,
      reportingComponent: this.#component,
      reportingInstance: this.#host ?? '',
      source: { component: this.#component, ...(this.#host === undefined ? {} : { host: this.#host }) },
    });
  }
}
