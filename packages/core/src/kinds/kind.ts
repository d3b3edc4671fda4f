import type { Status } from '../run/state.ts';

/** A Kubernetes object as JSON. What is inside may be anything: a manifest is a stranger's text. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** The fields of an object's metadata that matter here. */
export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string }[];
}

/** A resource of the API: where its objects are. */
export interface Resource {
  /** Empty for the core group. */
  group: string;
  version: string;
  plural: string;
  kind: string;
}

/** Names an object on the cluster that a run's object refers to. */
export interface Reference {
  /** `namespaced` is false for those that belong to no namespace; the others are in the run's. */
  resource: Resource & { namespaced: boolean };
  name: string;
}

/** A pod template within a run's object: changed in place. */
export interface PodTemplate {
  /** Where it stands, for errors: `spec.template`. */
  path: string;
  /** `metadata` and `spec` of a PodTemplateSpec. */
  template: { metadata?: ObjectMeta; spec?: PodSpec };
}

/** The fields of a pod's specification that matter here. */
export interface PodSpec {
  containers?: Container[];
  initContainers?: Container[];
  activeDeadlineSeconds?: number;
  serviceAccountName?: string;
  [field: string]: unknown;
}

/** The fields of a container that matter here. */
export interface Container {
  name: string;
  image?: string;
  command?: string[];
  args?: string[];
  env?: EnvVar[];
  resources?: { requests?: Record<string, string | number>; limits?: Record<string, string | number> };
  [field: string]: unknown;
}

/** A variable of a container. */
export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: unknown;
}

/** What a submission puts into all pods of a run, whatever its manifest has. kinds/pods.ts does it for pod templates. */
export interface PodSettings {
  labels: Readonly<Record<string, string>>;
  /** Variables whose value is ours to say. */
  ours: ReadonlyMap<string, string>;
  /** Variables that a container's own go before. */
  offered: ReadonlyMap<string, string>;
  /** Variables that go before a container's own. */
  given: readonly EnvVar[];
  /** For MLflow's runs. */
  tags: Readonly<Record<string, string>>;
  /** Secrets whose every key becomes a variable. */
  secrets: readonly string[];
  nodeSelector?: Readonly<Record<string, string>>;
  tolerations?: readonly object[];
  serviceAccount?: string;
  priorityClass?: string;
  /** For the containers that train. */
  resources?: PodResources;
}

/** What a container that trains asks for: absent is its own. */
export interface PodResources {
  /** Quantities: `4`, `500m`, `16Gi`. Requested, and the limit. */
  cpu?: string;
  memory?: string;
  /** How many accelerators; absent with a `gpuResource`: as many as it has, else one. */
  gpus?: number;
  /** e.g. `amd.com/gpu`; absent: what it has, else `nvidia.com/gpu`. */
  gpuResource?: string;
}

/** How a kind is stopped. */
export type Cancel = { how: 'delete' } | { how: 'patch'; patch: Record<string, unknown> };

/**
 * Everything that Slashtrain knows of one kind of Kubernetes object that people train with: pure data and functions.
 * A new kind is one file with one table of cases.
 */
export interface Kind {
  readonly resource: Resource;
  /** What brings this kind to a cluster, for the error where the API server does not have it. Absent for Kubernetes' own. */
  readonly operator?: string;
  /** Who ends a run at its deadline: its controller, or the kubelets by its pods' `activeDeadlineSeconds` alone. */
  readonly deadlineBy: 'controller' | 'pods';
  /** Whether Kueue holds the run itself back, its pods one by one, or cannot (https://kueue.sigs.k8s.io/docs/tasks/run/). */
  readonly kueue: 'run' | 'pods' | 'none';
  /** The longest name that the kind takes, with what its controller appends, in characters. */
  readonly nameLimit: number;
  /** The pod templates inside `object`, for labels, images, env, policy and deadlines. */
  podTemplates(object: KubernetesObject): PodTemplate[];
  /**
   * Puts parameters where this kind has them.
   * @param found what {@link Kind.elsewhere} named, as the cluster has it; absent where no cluster was asked
   * @throws ActionError `input` for a name that the object does not have, with the names it has
   */
  setParameters(object: KubernetesObject, parameters: ReadonlyMap<string, string>, found?: readonly KubernetesObject[]): void;
  /** For a kind whose object can leave a part of what runs to objects on the cluster, such as a WorkflowTemplate. */
  readonly elsewhere?: {
    /** What `object`, and what was found so far, refer to and is not among the found. */
    missing(object: KubernetesObject, found: readonly KubernetesObject[]): Reference[];
    /** The object with all of it written in, as it will run: for the policy alone. */
    joined(object: KubernetesObject, found: readonly KubernetesObject[]): KubernetesObject;
  };
  /**
   * Puts settings where this kind has them. Absent: into its pod templates, as {@link PodSettings} says.
   * @throws ActionError `unsupported` for a setting that this kind has no place for, by the input's name
   */
  setPods?(object: KubernetesObject, settings: PodSettings): void;
  /** Puts a run into a queue of its kind's own scheduler. Absent: queues are Kueue's, by a label. */
  setQueue?(object: KubernetesObject, queue: string): void;
  /** Ends the run `seconds` after its start, by whoever enforces it for this kind. */
  setDeadline(object: KubernetesObject, seconds: number): void;
  /** Keeps the ended run for at least `seconds`, so that its end is seen. */
  setTtl(object: KubernetesObject, seconds: number): void;
  /** What the kind needs in the object whatever the inputs are. Called last, when name, labels and images are set. */
  finish?(object: KubernetesObject): void;
  /** Makes the run wait until `release` is patched in, so that what it owns is there before it starts. Absent: it cannot. */
  readonly suspension?: { set(object: KubernetesObject): void; release: Record<string, unknown> };
  /** Small outputs that the object itself tells, once it has ended. Hostile text. */
  outputs?(object: KubernetesObject): { name: string; value: string }[];
  /**
   * From the object alone. What its pods and events add is diagnosis/'s.
   * @param before what was said of it last: a run whose pod has just ended can look like one whose pod still waits
   */
  status(object: KubernetesObject, before?: Status): Status;
  /** A label selector for the run's pods. */
  podSelector(object: KubernetesObject): string;
  /** Containers that the kind's controller puts beside the program's: their logs are not the run's. */
  readonly helperContainers?: ReadonlySet<string>;
  readonly cancel: Cancel;
}
