import type { Container, KubernetesObject, ObjectMeta, PodSpec } from '@slashtrain/core/kinds/kind';

/**
 * A set of fields as `managedFields` writes it: `f:name` is a field, `k:{…}` an item of a list by its keys, `v:…` one of
 * a set, `.` the thing itself; a leaf is `{}`.
 */
export interface FieldSet {
  [key: string]: FieldSet;
}

/** Who set which fields, as the API server keeps it. */
export interface ManagedFields {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  time: string;
  fieldsType: 'FieldsV1';
  fieldsV1: FieldSet;
  subresource?: string;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** The metadata of something that is stored. */
export interface StoredMeta extends ObjectMeta {
  name: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
  generation?: number;
  deletionGracePeriodSeconds?: number;
  finalizers?: string[];
  managedFields?: ManagedFields[];
  ownerReferences?: OwnerReference[];
}

/** An object in the store. Never changed in place: whoever changes it changes a copy. */
export interface Stored extends KubernetesObject {
  metadata: StoredMeta;
}

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  lastProbeTime?: string | null;
  lastHeartbeatTime?: string;
  observedGeneration?: number;
}

export interface Terminated {
  exitCode: number;
  signal?: number;
  reason: string;
  message?: string;
  startedAt: string;
  finishedAt: string;
  containerID?: string;
}

export interface ContainerState {
  waiting?: { reason: string; message?: string };
  running?: { startedAt: string };
  terminated?: Terminated;
}

export interface ContainerStatus {
  name: string;
  image: string;
  imageID: string;
  containerID?: string;
  ready: boolean;
  started: boolean;
  restartCount: number;
  state: ContainerState;
  lastState: ContainerState;
  resources?: unknown;
}

/** The fields of a container that the node uses. */
export interface PodContainer extends Container {
  image: string;
  imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  env?: EnvVar[];
  envFrom?: { prefix?: string; configMapRef?: Reference; secretRef?: Reference }[];
  workingDir?: string;
  volumeMounts?: { name: string; mountPath: string; subPath?: string }[];
  ports?: { name?: string; containerPort: number; protocol: string }[];
  readinessProbe?: Probe;
  lifecycle?: { preStop?: { sleep?: { seconds: number } } };
  terminationMessagePath: string;
  terminationMessagePolicy: 'File' | 'FallbackToLogsOnError';
}

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Probe, as far as the node asks it. */
export interface Probe {
  httpGet?: { path: string; port: number | string; scheme: string; httpHeaders?: { name: string; value: string }[] };
  tcpSocket?: { port: number | string };
  initialDelaySeconds?: number;
  periodSeconds: number;
  timeoutSeconds: number;
  successThreshold: number;
  failureThreshold: number;
}

export interface Reference {
  name: string;
  optional?: boolean;
}

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: {
    fieldRef?: { fieldPath: string };
    resourceFieldRef?: { resource: string };
    secretKeyRef?: Reference & { key: string };
    configMapKeyRef?: Reference & { key: string };
  };
}

export interface Pod extends Stored {
  spec: PodSpec & {
    containers: PodContainer[];
    initContainers?: PodContainer[];
    restartPolicy: 'Always' | 'OnFailure' | 'Never';
    nodeName?: string;
    nodeSelector?: Record<string, string>;
    tolerations?: { key?: string; operator?: string; value?: string; effect?: string }[];
    schedulingGates?: { name: string }[];
    terminationGracePeriodSeconds: number;
    volumes?: { name: string; [source: string]: unknown }[];
  };
  status: {
    phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
    conditions?: Condition[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
    reason?: string;
    message?: string;
    startTime?: string;
    [field: string]: unknown;
  };
}

export interface Job extends Stored {
  spec: {
    parallelism: number;
    completions?: number;
    completionMode: 'NonIndexed' | 'Indexed';
    backoffLimit: number;
    backoffLimitPerIndex?: number;
    maxFailedIndexes?: number;
    activeDeadlineSeconds?: number;
    ttlSecondsAfterFinished?: number;
    suspend: boolean;
    podReplacementPolicy: 'TerminatingOrFailed' | 'Failed';
    selector: { matchLabels: Record<string, string> };
    template: { metadata?: ObjectMeta; spec: PodSpec };
  };
  status: {
    active?: number;
    ready?: number;
    succeeded?: number;
    failed?: number;
    terminating?: number;
    startTime?: string;
    completionTime?: string;
    completedIndexes?: string;
    failedIndexes?: string;
    conditions?: Condition[];
    uncountedTerminatedPods?: { succeeded?: string[]; failed?: string[] };
  };
}

/** What Deployments and ReplicaSets make pods of. */
interface PodTemplate {
  metadata?: ObjectMeta;
  spec: PodSpec;
}

export interface Deployment extends Stored {
  spec: {
    replicas: number;
    selector: { matchLabels: Record<string, string> };
    template: PodTemplate;
    strategy: { type: 'RollingUpdate' | 'Recreate'; rollingUpdate?: { maxSurge: number | string; maxUnavailable: number | string } };
    minReadySeconds?: number;
    revisionHistoryLimit: number;
    progressDeadlineSeconds: number;
    paused?: boolean;
  };
  status: ReplicaCounts & { updatedReplicas?: number; unavailableReplicas?: number };
}

export interface ReplicaSet extends Stored {
  spec: {
    replicas: number;
    selector: { matchLabels: Record<string, string> };
    template: PodTemplate;
    minReadySeconds?: number;
  };
  status: ReplicaCounts & { fullyLabeledReplicas?: number };
}

interface ReplicaCounts {
  observedGeneration?: number;
  replicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  terminatingReplicas?: number;
  conditions?: (Condition & { lastUpdateTime?: string })[];
}

/** A field's value as text: nothing is empty, and what is no plain value is JSON. */
export function asText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The time as the API writes it: whole seconds. */
export function timestamp(at = Date.now()): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
