import { Controller } from './controller.ts';
import type { Propagation } from './deletion.ts';
import type { Stored } from './objects.ts';
import { allTypes, types, type ResourceType } from './resources.ts';
import type { Store } from './store.ts';

/** Deletes an object as the API does, with its grace period. */
export type Deleter = (type: ResourceType, object: Stored, propagation?: Propagation) => void;

const objects = allTypes.filter((type) => type.verbs === undefined);

/**
 * Deletes what belongs to an owner that is gone (in the background), to an owner that waits for it (in the
 * foreground), and all of a namespace that is going; lets go of what is to be orphaned.
 * https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
export function collectGarbage(store: Store, remove: Deleter, onDefect: (error: unknown) => void): Controller {
  const dependents = (uid: string): { type: ResourceType; object: Stored }[] =>
    objects.flatMap((type) =>
      store
        .list(type)
        .filter((object) => object.metadata.ownerReferences?.some((owner) => owner.uid === uid))
        .map((object) => ({ type, object })),
    );
  const disown = (type: ResourceType, object: Stored, uid: string): void => {
    store.update(type, object.metadata.namespace, object.metadata.name, (copy) => {
      const left = copy.metadata.ownerReferences?.filter((owner) => owner.uid !== uid) ?? [];
      if (left.length > 0) copy.metadata.ownerReferences = left;
      else delete copy.metadata.ownerReferences;
    });
  };
  const finish = (type: ResourceType, object: Stored, finalizer: string): void => {
    store.update(type, object.metadata.namespace, object.metadata.name, (copy) => {
      copy.metadata.finalizers = copy.metadata.finalizers?.filter((name) => name !== finalizer) ?? [];
    });
  };
  const going = (object: Stored): boolean => object.metadata.deletionTimestamp !== undefined;

  return new Controller(
    store,
    ({ object, deleted, type }) => {
      const { uid, ownerReferences, namespace } = object.metadata;
      const keys = (ownerReferences ?? []).map((owner) => `uid ${owner.uid}`);
      if (deleted || going(object)) keys.push(`uid ${uid}`);
      const home = type.namespaced && namespace !== undefined ? store.get(types.namespaces, undefined, namespace) : undefined;
      if (type === types.namespaces && going(object)) keys.push(`namespace ${object.metadata.name}`);
      if (home && going(home)) keys.push(`namespace ${home.metadata.name}`);
      return keys;
    },
    (key) => {
      const [what, id] = key.split(' ') as [string, string];
      if (what === 'namespace') {
        const found = objects.filter((type) => type.namespaced).flatMap((type) => store.list(type, id).map((object) => ({ type, object })));
        for (const { type, object } of found) if (!going(object)) remove(type, object);
        if (found.length === 0 && store.get(types.namespaces, undefined, id)) store.remove(types.namespaces, undefined, id);
        return;
      }
      const owner = objects.flatMap((type) =>
        store
          .list(type)
          .filter((object) => object.metadata.uid === id)
          .map((object) => ({ type, object })),
      )[0];
      const finalizers = owner?.object.metadata.finalizers ?? [];
      if (owner && !going(owner.object)) return;
      const owned = dependents(id);
      if (finalizers.includes('orphan')) {
        for (const { type, object } of owned) disown(type, object, id);
        finish(owner!.type, owner!.object, 'orphan');
      } else if (finalizers.includes('foregroundDeletion')) {
        for (const { type, object } of owned) if (!going(object)) remove(type, object);
        if (owned.length === 0) finish(owner!.type, owner!.object, 'foregroundDeletion');
      } else if (!owner) {
        for (const { type, object } of owned) {
          const others = object.metadata.ownerReferences!.filter((reference) => reference.uid !== id);
          if (others.some((reference) => exists(store, reference.uid))) disown(type, object, id);
          else if (!going(object)) remove(type, object);
        }
      }
    },
    onDefect,
  );
}

function exists(store: Store, uid: string): boolean {
  return objects.some((type) => store.list(type).some((object) => object.metadata.uid === uid));
}
