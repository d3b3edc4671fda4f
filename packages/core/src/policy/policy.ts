/** A rule's name, as `.github/slashtrain.yml` writes it below `policy:`; `claims` and `shape` cannot be set there. */
export type PolicyRule =
  | 'kinds'
  | 'namespaces'
  | 'service-accounts'
  | 'queues'
  | 'priority-classes'
  | 'registries'
  | 'max-gpus'
  | 'max-gpu-hours'
  | 'max-deadline'
  | 'require-deadline'
  | 'privileged'
  | 'host-path'
  | 'host-network'
  | 'capabilities'
  | 'embedded-manifests'
  | 'claims'
  | 'shape';

/**
 * What a submitted object may contain, whatever the pull request's manifest says: it runs with our kubeconfig.
 * A list that is absent allows everything, but for what {@link checkPolicy} says of it.
 */
export interface Policy {
  /** `Kind.group`, such as `Job.batch`; a core kind without a group, such as `ConfigMap`. */
  readonly kinds: readonly string[];
  /** Absent: only the namespace that the workflow names. */
  readonly namespaces?: readonly string[];
  readonly serviceAccounts: readonly string[];
  /** Kueue and Volcano queues. */
  readonly queues?: readonly string[];
  /** Absent: any but `system-…`. */
  readonly priorityClasses?: readonly string[];
  /** `host` or `host/path`: an image must lie at or below one of them. */
  readonly registries?: readonly string[];
  /** GPUs of all pods of all objects together. */
  readonly maxGpus?: number;
  /** GPUs × deadline, in hours: needs a deadline. */
  readonly maxGpuHours?: number;
  /** Seconds; needs a deadline. */
  readonly maxDeadlineSeconds?: number;
  readonly requireDeadline: boolean;
  readonly privileged: boolean;
  readonly hostPath: boolean;
  /** hostNetwork, hostPID, hostIPC and hostPort. */
  readonly hostNetwork: boolean;
  /** Linux capabilities that a container may add, without `CAP_`. */
  readonly capabilities: readonly string[];
  /** Manifests and patches as text inside an object, which nobody can check. */
  readonly embeddedManifests: boolean;
  /** Resource names that count as a GPU besides the ones known, from `accelerators`. */
  readonly gpuResources?: readonly string[];
  /** The rules that a file sets; the others are defaults. */
  readonly given?: ReadonlySet<PolicyRule>;
  /** The file that sets them. */
  readonly file?: string;
}

/** The kinds that people train with, and the helpers a run may bring along. */
export const trainingKinds: readonly string[] = [
  'Job.batch',
  'JobSet.jobset.x-k8s.io',
  'TrainJob.trainer.kubeflow.org',
  'PyTorchJob.kubeflow.org',
  'TFJob.kubeflow.org',
  'XGBoostJob.kubeflow.org',
  'PaddleJob.kubeflow.org',
  'JAXJob.kubeflow.org',
  'MPIJob.kubeflow.org',
  'RayJob.ray.io',
  'Job.batch.volcano.sh',
  'Workflow.argoproj.io',
  'Experiment.kubeflow.org',
  'Run.kfp',
  'ConfigMap',
  'PersistentVolumeClaim',
];

/** The kinds that models are served with: deploy-model adds them to a policy that names no kinds. */
export const servingKinds: readonly string[] = [
  'InferenceService.serving.kserve.io',
  'Service.serving.knative.dev',
  'Deployment.apps',
  'Service',
  'ConfigMap',
];

/** What holds where the configuration says nothing. */
export const defaultPolicy: Policy = {
  kinds: trainingKinds,
  serviceAccounts: ['default'],
  requireDeadline: false,
  privileged: false,
  hostPath: false,
  hostNetwork: false,
  capabilities: [],
  embeddedManifests: false,
};
