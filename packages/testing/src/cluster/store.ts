import { randomUUID } from 'node:crypto';
import { alreadyExists, conflict, modified, notFound } from './errors.ts';
import type { Stored } from './objects.ts';
import { timestamp } from './objects.ts';
import { apiVersionOf, type ResourceType } from './resources.ts';

/** One change, in the order of versions. */
export interface Change {
  version: number;
  type: ResourceType;
  /** As it is now; of a deletion its last state. */
  object: Stored;
  /** As it was before; absent for a creation. */
  before?: Stored;
  deleted: boolean;
}

/** What a new object is made of. */
export interface NewObject {
  metadata: { name: string; namespace?: string; [field: string]: unknown };
  [field: string]: unknown;
}

/**
 * All objects, under one version that rises with each change, as etcd's revision does, and the history that watches
 * are served from.
 */
export class Store {
  // The first versions are gone, as they are on any server that somebody else has used before.
  #version = 100;
  #compacted = 100;
  readonly #objects = new Map<ResourceType, Map<string, Stored>>();
  #history: Change[] = [];
  readonly #listeners = new Set<(change: Change) => void>();

  get version(): number {
    return this.#version;
  }

  /** Versions below this one are forgotten. */
  get compacted(): number {
    return this.#compacted;
  }

  get(type: ResourceType, namespace: string | undefined, name: string): Stored | undefined {
    return this.#objects.get(type)?.get(key(type, namespace, name));
  }

  /** Sorted by namespace and name, as etcd's keys are. */
  list(type: ResourceType, namespace?: string): Stored[] {
    const all = [...(this.#objects.get(type)?.entries() ?? [])];
    return sorted(all)
      .map(([, object]) => object)
      .filter((object) => namespace === undefined || object.metadata.namespace === namespace);
  }

  /** The same as it was at `version`, undone from the history. */
  listAt(version: number, type: ResourceType, namespace?: string): Stored[] {
    const then = new Map(this.#objects.get(type));
    for (const change of this.#history.toReversed()) {
      if (change.version <= version) break;
      if (change.type !== type) continue;
      const at = key(type, change.object.metadata.namespace, change.object.metadata.name);
      if (change.before) then.set(at, change.before);
      else then.delete(at);
    }
    return sorted([...then])
      .map(([, object]) => object)
      .filter((object) => namespace === undefined || object.metadata.namespace === namespace);
  }

  /** @throws ApiError 409 */
  create(type: ResourceType, object: NewObject, uid: string = randomUUID()): Stored {
    const { name, namespace } = object.metadata;
    const at = key(type, namespace, name);
    const objects = this.#of(type);
    if (objects.has(at)) throw alreadyExists(type, name);
    const version = ++this.#version;
    const stored: Stored = {
      ...object,
      apiVersion: apiVersionOf(type),
      kind: type.kind,
      metadata: {
        ...object.metadata,
        name,
        uid,
        resourceVersion: String(version),
        creationTimestamp: timestamp(),
        ...(type.generation ? { generation: 1 } : {}),
      },
    };
    objects.set(at, stored);
    this.#record({ version, type, object: stored, deleted: false });
    return stored;
  }

  /**
   * Changes a copy and stores it; what does not change makes no version. An object whose deletion waits for nothing
   * any more is removed.
   * @param version where it is given, only this version is changed
   * @throws ApiError 404, 409
   */
  update<T extends Stored>(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    change: (copy: T) => T | void,
    version?: string,
  ): Stored {
    const before = this.get(type, namespace, name);
    if (!before) throw notFound(type, name);
    if (version !== undefined && version !== before.metadata.resourceVersion) throw conflict(type, name, modified);
    const copy = structuredClone(before) as T;
    const after: Stored = change(copy) ?? copy;
    if (same(before, after)) return before;
    if (type.generation && !same(before['spec'], after['spec'])) after.metadata.generation = (before.metadata.generation ?? 0) + 1;
    if (after.metadata.deletionTimestamp !== undefined && !waits(after)) return this.remove(type, namespace, name, after);
    after.metadata.resourceVersion = String(++this.#version);
    this.#of(type).set(key(type, namespace, name), after);
    this.#record({ version: this.#version, type, object: after, before, deleted: false });
    return after;
  }

  /** Removes it at once, whatever waits. @returns its last state */
  remove(type: ResourceType, namespace: string | undefined, name: string, last?: Stored): Stored {
    const at = key(type, namespace, name);
    const before = this.#of(type).get(at);
    if (!before) throw notFound(type, name);
    this.#of(type).delete(at);
    const version = ++this.#version;
    const object = { ...(last ?? before), metadata: { ...(last ?? before).metadata, resourceVersion: String(version) } };
    this.#record({ version, type, object, before, deleted: true });
    return object;
  }

  /** What changed after `version`. */
  since(version: number): Change[] {
    return this.#history.filter((change) => change.version > version);
  }

  /** @returns a function that ends it */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The same objects for a trial: what is done to it is not done here, and nobody hears of it. */
  fork(): Store {
    const trial = new Store();
    trial.#version = this.#version;
    for (const [type, objects] of this.#objects) trial.#objects.set(type, new Map(objects));
    return trial;
  }

  /** Forgets the history, as etcd's compaction does. */
  compact(): void {
    this.#history = [];
    this.#compacted = this.#version;
  }

  #of(type: ResourceType): Map<string, Stored> {
    const known = this.#objects.get(type);
    if (known) return known;
    const objects = new Map<string, Stored>();
    this.#objects.set(type, objects);
    return objects;
  }

  #record(change: Change): void {
    this.#history.push(change);
    for (const listener of [...this.#listeners]) listener(change);
  }
}

/** A deletion waits for finalizers and, with a grace period, for the node. */
function waits(object: Stored): boolean {
  return (object.metadata.finalizers?.length ?? 0) > 0 || (object.metadata.deletionGracePeriodSeconds ?? 0) > 0;
}

const key = (type: ResourceType, namespace: string | undefined, name: string): string => (type.namespaced ? `${namespace}/${name}` : name);

const sorted = (entries: [string, Stored][]): [string, Stored][] => entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

/** Equal as JSON values, whatever the order of keys. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = Object.keys(left).filter((name) => left[name] !== undefined);
  return (
    keys.length === Object.keys(right).filter((name) => right[name] !== undefined).length &&
    keys.every((name) => same(left[name], right[name]))
  );
}
