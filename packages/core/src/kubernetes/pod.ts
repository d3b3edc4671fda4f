import type { KubernetesObject } from '../kinds/kind.ts';

/** The fields of a pod that matter here (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/). */
export interface Pod extends KubernetesObject {
  spec?: {
    nodeName?: string;
    restartPolicy?: string;
    containers?: PodContainer[];
    initContainers?: PodContainer[];
  };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    startTime?: string;
    conditions?: PodCondition[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

export interface PodContainer {
  name: string;
  resources?: { requests?: Record<string, string | number>; limits?: Record<string, string | number> };
}

export interface PodCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export interface ContainerStatus {
  name: string;
  restartCount: number;
  containerID?: string;
  state?: ContainerState;
  lastState?: ContainerState;
}

export interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: Terminated;
}

export interface Terminated {
  exitCode: number;
  signal?: number;
  reason?: string;
  message?: string;
  startedAt?: string;
  finishedAt?: string;
  containerID?: string;
}

/** The statuses of init containers and containers, in the order in which they start. */
export function statusesOf(pod: Pod): ContainerStatus[] {
  return [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
}

/** Whether the pod has ended for good: nothing in it starts again. */
export function hasPodEnded(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** One life of a container whose log can be read now. */
export interface Instance {
  /** The container's id, new at each restart; where the cluster gives none, made of the restart's number. */
  id: string;
  /** How often the container had been restarted when it began. */
  restart: number;
  /** Whether its log is the one of `previous=true`. */
  previous: boolean;
  /** Whether it has ended: nothing is added to its log any more. */
  over: boolean;
}

/**
 * Which logs of a container the kubelet gives out, oldest first. A container that waits for its next start shows its
 * last life as the present one
 * (https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/kubelet/kubelet_pods.go, validateContainerLogStatus).
 */
export function instancesOf({ restartCount, containerID, state = {}, lastState }: ContainerStatus): Instance[] {
  const last = lastState?.terminated;
  const idOf = (id: string | undefined, restart: number): string => id || `restart-${restart}`;
  if (state.running || state.terminated?.containerID || (state.terminated && !last)) {
    const id = state.terminated?.containerID ?? containerID;
    const now: Instance = { id: idOf(id, restartCount), restart: restartCount, previous: false, over: state.terminated !== undefined };
    if (!last) return [now];
    const before = Math.max(0, restartCount - 1);
    return [{ id: idOf(last.containerID, before), restart: before, previous: true, over: true }, now];
  }
  // Waiting, or ended without having begun: the life before is the last that has a log.
  return last ? [{ id: idOf(last.containerID, restartCount), restart: restartCount, previous: false, over: true }] : [];
}
