import { admitPod } from './admission.ts';
import { Controller, ownerKeys } from './controller.ts';
import { defaultPod, generateName } from './defaults.ts';
import { ApiError } from './errors.ts';
import { EventRecorder } from './events.ts';
import type { Deleter } from './garbage.ts';
import { timestamp, type Condition, type Pod, type ReplicaSet } from './objects.ts';
import { types } from './resources.ts';
import type { NewObject, Store } from './store.ts';

/**
 * Keeps as many pods as a ReplicaSet wants, and counts them, as kube-controller-manager 1.35 does.
 * @param retry milliseconds before a pod that the API server let not in is tried again
 */
export function runReplicaSets(store: Store, remove: Deleter, retry: number, onDefect: (error: unknown) => void): Controller {
  const events = new EventRecorder(store, 'replicaset-controller');

  const createPod = (set: ReplicaSet): Condition | undefined => {
    const pod = podOf(set);
    try {
      admitPod(store, pod);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      events.tell(set, { type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${error.message}` });
      return { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: error.message, lastTransitionTime: timestamp() };
    }
    store.create(types.pods, pod);
    events.tell(set, { type: 'Normal', reason: 'SuccessfulCreate', message: `Created pod: ${pod.metadata.name}` });
    return undefined;
  };

  return new Controller(
    store,
    ownerKeys(types.replicaSets, 'ReplicaSet', types.pods),
    (key, controller) => {
      const [namespace, name] = key.split('/') as [string, string];
      const set = store.get(types.replicaSets, namespace, name) as ReplicaSet | undefined;
      if (!set) return;
      const all = podsOf(store, set);
      const alive = all.filter(({ status }) => status.phase !== 'Succeeded' && status.phase !== 'Failed');
      const active = alive.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      let failure: Condition | undefined;
      if (set.metadata.deletionTimestamp === undefined) {
        for (let missing = set.spec.replicas - active.length; missing > 0 && !failure; missing--) failure = createPod(set);
        if (failure) controller.at(key, Date.now() + retry);
        for (const pod of surplus(active, active.length - set.spec.replicas)) {
          remove(types.pods, pod);
          events.tell(set, { type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${pod.metadata.name}` });
        }
      }
      const now = podsOf(store, set).filter(({ status }) => status.phase !== 'Succeeded' && status.phase !== 'Failed');
      const counted = now.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      const ready = counted.filter(isReady);
      const wait = (set.spec.minReadySeconds ?? 0) * 1000;
      const available = ready.filter((pod) => readySince(pod) + wait <= Date.now());
      for (const pod of ready) if (!available.includes(pod)) controller.at(key, readySince(pod) + wait);
      store.update<ReplicaSet>(types.replicaSets, namespace, name, (copy) => {
        copy.status = {
          replicas: counted.length,
          ...(counted.length > 0 ? { fullyLabeledReplicas: counted.length } : {}),
          ...(ready.length > 0 ? { readyReplicas: ready.length } : {}),
          ...(available.length > 0 ? { availableReplicas: available.length } : {}),
          terminatingReplicas: now.length - counted.length,
          observedGeneration: copy.metadata.generation ?? 1,
          ...(failure ? { conditions: [failure] } : {}),
        };
      });
    },
    onDefect,
  );
}

function podsOf(store: Store, { metadata }: ReplicaSet): Pod[] {
  const all = store.list(types.pods, metadata.namespace) as Pod[];
  return all.filter((pod) => pod.metadata.ownerReferences?.some((owner) => owner.uid === metadata.uid));
}

export const isReady = ({ status }: Pod): boolean =>
  status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;

const readySince = ({ status }: Pod): number =>
  Date.parse(status.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '');

/** Which pods go first: those on no node, those that are not ready, the youngest. */
function surplus(active: Pod[], count: number): Pod[] {
  if (count <= 0) return [];
  const rank = (pod: Pod): number => (pod.spec.nodeName === undefined ? 0 : pod.status.phase === 'Pending' ? 1 : isReady(pod) ? 3 : 2);
  const age = ({ metadata }: Pod): number => Date.parse(metadata.creationTimestamp);
  return active.toSorted((a, b) => rank(a) - rank(b) || age(b) - age(a)).slice(0, count);
}

function podOf({ metadata, spec }: ReplicaSet): NewObject {
  const base = `${metadata.name}-`;
  const template = structuredClone(spec.template);
  const pod: NewObject = {
    metadata: {
      ...template.metadata,
      name: generateName(base),
      generateName: base,
      namespace: metadata.namespace!,
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    spec: template.spec,
  };
  defaultPod(pod);
  return pod;
}
