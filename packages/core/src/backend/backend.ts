import type { KubernetesObject, Kind } from '../kinds/kind.ts';
import type { ClassTable, RunArtifact } from '../metrics/metrics.ts';
import type { RunReference } from '../run/reference.ts';
import type { ContainerResult, PodResult } from '../run/result.ts';
import type { Status } from '../run/state.ts';

/** A run as a backend sees it now. */
export interface Observation {
  status: Status;
  /** Absent where it was not found, never where it was not asked for. */
  object?: KubernetesObject;
}

/** One line of a container's log, without its line end. Hostile text. */
export interface LogLine {
  pod: string;
  container: string;
  /** How many times the container had been restarted when it wrote this. */
  restart: number;
  /** As the kubelet stamped it: RFC 3339 with nanoseconds. */
  time: string;
  text: string;
}

/** What a run's pods were and said when they were looked at. */
export interface PodsObservation {
  pods: PodResult[];
  /** Why a run does not run, in the cluster's words: conditions, waiting containers, events. Newest last. */
  evidence: Evidence[];
}

/** One signal for diagnosis/. */
export interface Evidence {
  /** `node` is what a node says of itself, or what is said of it; `workload` is Kueue's. */
  source: 'pod' | 'container' | 'event' | 'node' | 'workload';
  /** The pod's, node's or other object's name. */
  object: string;
  /** e.g. `Unschedulable`, `ImagePullBackOff`, `OOMKilled`, `FailedCreate`. */
  reason: string;
  message: string;
  exitCode?: number;
  /** ISO 8601 */
  time?: string;
  /** When the container that ended had begun, ISO 8601. */
  startedAt?: string;
  /** Its object is not there any more: it explains an end, and no waiting. */
  gone?: true;
  container?: ContainerResult['name'];
}

/**
 * Where runs run. There are two: Kubernetes objects, and Kubeflow Pipelines.
 * All of them may be called again after a lost answer.
 */
export interface RunBackend {
  /** Asks the server to check `object` with strict field validation and make nothing. @throws ActionError with its words */
  check(kind: Kind, object: KubernetesObject): Promise<void>;
  /**
   * Makes the run by POST.
   * @returns the made object, or `taken`: what already has that name
   */
  create(kind: Kind, object: KubernetesObject): Promise<{ made: KubernetesObject } | { taken: KubernetesObject }>;
  /** What has this name, whoever made it. */
  find(kind: Kind, namespace: string, name: string): Promise<KubernetesObject | undefined>;
  /** A look: `deleted` where it is gone or another has its name. */
  look(reference: RunReference): Promise<Observation>;
  /**
   * Looks until the run has ended or `signal` aborts; yields the first look and every change of status. Lost
   * connections cost time, never the run; what cannot get better (a right is missing) is thrown.
   */
  observe(reference: RunReference, signal: AbortSignal): AsyncIterable<Observation>;
  /**
   * Follows the logs of all the run's pods, present and to come, each line once, until `signal` aborts or the run has
   * ended and all is read. With `ended`, a container's log is read once the container has ended: no connection is held
   * while it runs.
   * @param only the pods, by name, whose logs are wanted, where not all are; a backend may give others too
   */
  logs(reference: RunReference, signal: AbortSignal, when?: 'live' | 'ended', only?: (pod: string) => boolean): AsyncIterable<LogLine[]>;
  /** A look at the run's pods. */
  pods(reference: RunReference): Promise<PodsObservation>;
  /**
   * What the run's pods are and say, at first and at each change, until `signal` aborts; pods that are gone are kept as
   * they were last seen. A missing right is told in the log and makes it say less; it is never thrown.
   */
  watchPods(reference: RunReference, signal: AbortSignal): AsyncIterable<PodsObservation>;
  /** Stops the run. Not an error where it has ended or is gone. */
  cancel(reference: RunReference, graceSeconds?: number): Promise<void>;
  /** Confusion matrices and tables by class that the run left where its backend can read them. Absent: it has no such place. */
  tables?(reference: RunReference): Promise<ClassTable[]>;
  /** What its tasks made and from what. Absent: it does not know. */
  artifacts?(reference: RunReference): Promise<RunArtifact[]>;
  /** Small outputs by name. */
  outputs(reference: RunReference): Promise<{ name: string; value: string }[]>;
  /** The small outputs of each pod by itself, by its name: of a sweep each pod is a trial. Absent: there are no pods. */
  podOutputs?(reference: RunReference): Promise<ReadonlyMap<string, { name: string; value: string }[]>>;
}
