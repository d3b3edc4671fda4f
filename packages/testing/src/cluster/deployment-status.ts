import { timestamp, type Condition, type Deployment, type ReplicaSet } from './objects.ts';

type Status = Deployment['status'];

/**
 * A Deployment's counts and conditions (k8s.io/kubernetes/pkg/controller/deployment: sync.go and progress.go).
 * @param current the ReplicaSet of its template, where there is one
 * @param unavailable how many pods may be unavailable
 */
export function deploymentStatus(
  deployment: Deployment,
  sets: ReplicaSet[],
  current: ReplicaSet | undefined,
  unavailable: number,
  now: number,
): Status {
  const { spec, metadata, status: before } = deployment;
  const sum = (count: (set: ReplicaSet) => number | undefined): number => sets.reduce((total, set) => total + (count(set) ?? 0), 0);
  const replicas = sum(({ status }) => status.replicas);
  const available = sum(({ status }) => status.availableReplicas);
  const counts = {
    replicas,
    updatedReplicas: current?.status.replicas ?? 0,
    readyReplicas: sum(({ status }) => status.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum((set) => set.spec.replicas) - available),
  };
  const status: Status = {
    observedGeneration: metadata.generation ?? 1,
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    terminatingReplicas: sum((set) => set.status.terminatingReplicas),
    conditions: [...(before.conditions ?? [])],
  };
  const enough = available >= spec.replicas - unavailable;
  setCondition(
    status,
    enough
      ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
      : {
          type: 'Available',
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        },
  );
  progress(deployment, status, current, now);
  const failure = [current, ...sets].flatMap((set) => set?.status.conditions ?? []).find(({ type }) => type === 'ReplicaFailure');
  if (failure) setCondition(status, failure);
  else status.conditions = status.conditions!.filter(({ type }) => type !== 'ReplicaFailure');
  return status;
}

function progress({ spec, status: before }: Deployment, status: Status, current: ReplicaSet | undefined, now: number): void {
  const condition = status.conditions!.find(({ type }) => type === 'Progressing');
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  if (replicas === updatedReplicas && condition?.reason === 'NewReplicaSetAvailable') return;
  const what = current ? `ReplicaSet "${current.metadata.name}"` : 'Deployment';
  const complete = updatedReplicas === spec.replicas && replicas === spec.replicas && availableReplicas === spec.replicas;
  const stale = (before.replicas ?? 0) - (before.updatedReplicas ?? 0);
  const moves =
    updatedReplicas > (before.updatedReplicas ?? 0) ||
    replicas - updatedReplicas < stale ||
    readyReplicas > (before.readyReplicas ?? 0) ||
    availableReplicas > (before.availableReplicas ?? 0);
  if (complete) {
    const message = `${what} has successfully progressed.`;
    setCondition(status, { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message });
  } else if (moves) {
    const fresh = { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message: `${what} is progressing.` } as const;
    status.conditions = status.conditions!.filter(({ type }) => type !== 'Progressing');
    const lastTransitionTime = condition?.status === 'True' ? condition.lastTransitionTime : undefined;
    setCondition(status, { ...fresh, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) });
  } else if (condition && condition.reason !== 'NewReplicaSetAvailable' && now >= timesOutAt(spec, condition)) {
    const message = `${what} has timed out progressing.`;
    setCondition(status, { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message });
  }
}

type Timed = Condition & { lastUpdateTime?: string };

const timesOutAt = (spec: Deployment['spec'], { lastUpdateTime }: Timed): number =>
  Date.parse(lastUpdateTime ?? '') + spec.progressDeadlineSeconds * 1000;

/** When it is to be looked at again, since its time is over then; undefined where it waits for nothing. */
export function deadlineOf({ spec, status }: Deployment): number | undefined {
  const condition = status.conditions?.find(({ type }) => type === 'Progressing');
  const waits = condition && condition.reason !== 'NewReplicaSetAvailable' && condition.reason !== 'ProgressDeadlineExceeded';
  return waits ? timesOutAt(spec, condition) : undefined;
}

/** Sets a condition; what says the same as before stays as it is. */
export function setCondition(status: Status, condition: Condition): void {
  const conditions = (status.conditions ??= []);
  const before = conditions.find(({ type }) => type === condition.type);
  if (before?.status === condition.status && before.reason === condition.reason) return;
  const now = timestamp();
  const lastTransitionTime =
    before?.status === condition.status ? (before.lastTransitionTime ?? now) : (condition.lastTransitionTime ?? now);
  status.conditions = [
    ...conditions.filter(({ type }) => type !== condition.type),
    { ...condition, lastTransitionTime, lastUpdateTime: now },
  ];
}
