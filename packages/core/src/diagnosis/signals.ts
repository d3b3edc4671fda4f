import type { Evidence } from '../backend/backend.ts';
import type { Reason } from '../run/state.ts';

/**
 * What one signal means.
 *
 * - `waiting`: why a pod does not start
 * - `failure`: why a run that has started ended
 */
export interface Signal {
  reason: Reason;
  phase: 'waiting' | 'failure';
  /** The words that the cluster uses as a reason; none: any, where the message is the signal. */
  words: readonly string[];
  /** Who must have said it; absent: anybody. */
  source?: Evidence['source'];
  /** Narrows by the message. */
  message?: RegExp;
  /** Where it is more exact than the reason's own. */
  remedy?: string;
  /** Where it is not as the reason has it. */
  retryable?: boolean;
}

const scheduling = ['Unschedulable', 'FailedScheduling'];
const pulling = ['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull', 'ImageInspectError', 'RegistryUnavailable'];
const creating = ['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError', 'StartError', 'ContainerCannotRun'];
const hardwareXid = /\bXid\b[^:]*(\([^)]*\))?: ?(48|63|64|74|79|94|95|119|120)\b/iu;
const programXid = /\bXid\b[^:]*(\([^)]*\))?: ?(13|31|43)\b/iu;
const mounting = ['FailedMount', 'FailedAttachVolume', 'FailedMapVolume', 'ProvisioningFailed', 'FailedBinding'];

/**
 * Signals by weight: of several the first counts.
 *
 * Words of pods and containers: k8s.io/api core/v1 (PodReason…, and DisruptionTarget's in k8s.io/kubernetes pkg/apis/core),
 * kubelet (pkg/kubelet/images, pkg/kubelet/kuberuntime, pkg/kubelet/events); of Jobs: batch/v1 JobReason…;
 * of Kueue: sigs.k8s.io/kueue apis/kueue/v1beta1 workload_types.go.
 */
export const signals: readonly Signal[] = [
  // A node that is not ready now, when a pod of it has failed; an event alone may be of a blip long ago.
  { reason: 'node-lost', phase: 'failure', words: ['NodeNotReady', 'NodeGone'], source: 'node' },
  {
    reason: 'preempted',
    phase: 'failure',
    words: ['PreemptionByScheduler', 'DeletionByTaintManager', 'EvictionByEvictionAPI', 'Preempted', 'Preempting', 'TaintManagerEviction'],
  },
  { reason: 'node-lost', phase: 'failure', words: ['NodeLost', 'DeletionByPodGC', 'NodeShutdown', 'Terminated'] },
  {
    reason: 'evicted',
    phase: 'failure',
    words: ['Evicted', 'TerminationByKubelet'],
    message: /exceeds the (total )?limit|exceeded its local ephemeral storage limit/u,
    remedy: 'raise the limit that the message names, or write less to the local disk',
    retryable: false,
  },
  { reason: 'evicted', phase: 'failure', words: ['Evicted', 'TerminationByKubelet'] },
  { reason: 'gpu-fault', phase: 'failure', words: ['UnexpectedAdmissionError'] },
  // https://docs.nvidia.com/deploy/xid-errors; node-problem-detector and vendors' agents each have words of their own.
  { reason: 'gpu-fault', phase: 'failure', words: [], source: 'node', message: hardwareXid },
  { reason: 'out-of-memory', phase: 'failure', words: ['OOMKilled'] },
  {
    reason: 'out-of-memory',
    phase: 'failure',
    words: creating,
    message: /OOM-killed/u,
    remedy: "raise the container's memory limit; it is too low even to start",
  },
  {
    reason: 'config',
    phase: 'failure',
    words: ['StartError', 'ContainerCannotRun'],
    message: /executable file not found|no such file or directory/u,
    remedy: "mend the container's command: the image does not have that program",
  },
  { reason: 'config', phase: 'failure', words: ['StartError', 'ContainerCannotRun'] },

  {
    reason: 'image-pull',
    phase: 'waiting',
    words: pulling,
    message: /connection refused|no such host|i\/o timeout|deadline exceeded|TLS|x509/iu,
    remedy: "the node cannot reach the image's registry: check its address, and the network between them",
    retryable: true,
  },
  {
    reason: 'image-pull',
    phase: 'waiting',
    words: pulling,
    message: /\b40[13]\b|unauthorized|forbidden|denied|no basic auth credentials/iu,
    remedy: 'let the cluster pull the image: add an imagePullSecret to the pod template or to its service account',
  },
  {
    reason: 'image-pull',
    phase: 'waiting',
    words: pulling,
    message: /not found/iu,
    remedy: "build and push the image first, and name it with the registry's address and its digest",
  },
  { reason: 'image-pull', phase: 'waiting', words: pulling },
  {
    reason: 'config',
    phase: 'waiting',
    words: [...creating, 'FailedMount'],
    message: /(secret|configmap) "[^"]*" not found|couldn't find key/u,
    remedy: "make the Secret or ConfigMap in the run's namespace, or mend its name in the pod template",
  },
  {
    reason: 'config',
    phase: 'waiting',
    words: creating,
    message: /executable file not found|no such file or directory/u,
    remedy: "mend the container's command: the image does not have that program",
  },
  { reason: 'config', phase: 'waiting', words: creating },
  { reason: 'volume', phase: 'waiting', words: mounting },
  { reason: 'volume', phase: 'waiting', words: scheduling, message: /persistentvolumeclaim|volume node affinity|volume limits/iu },
  { reason: 'quota', phase: 'waiting', words: ['FailedCreate'], message: /exceeded quota/u },
  {
    reason: 'quota',
    phase: 'waiting',
    words: ['ExceedsMaxQuota', 'NoMatchingFlavor'],
    remedy: 'ask for less, or submit to another queue: as it is, this run never fits into the queue',
    retryable: false,
  },
  // Reasons of a Workload that was evicted, and of the queues (kueue v0.16.2, apis/kueue/v1beta2/workload_types.go, "WorkloadEvictedBy…").
  {
    reason: 'preempted',
    phase: 'waiting',
    source: 'workload',
    words: ['Preempted'],
    remedy: 'wait: it starts again by itself when the queue has room; write checkpoints, or use a higher priority class',
  },
  {
    reason: 'quota',
    phase: 'waiting',
    source: 'workload',
    words: ['Deactivated', 'DeactivatedDueToRequeuingLimitExceeded', 'MaximumExecutionTimeExceeded'],
    remedy: 'submit it again: Kueue does not try it any more',
    retryable: false,
  },
  {
    reason: 'quota',
    phase: 'waiting',
    source: 'workload',
    words: ['ClusterQueueStopped', 'LocalQueueStopped', 'Suspended'],
    remedy: 'wait until the queue goes on, or submit to another: somebody stopped it',
  },
  {
    reason: 'evicted',
    phase: 'waiting',
    source: 'workload',
    words: ['PodsReadyTimeout', 'AdmissionCheck', 'NodeFailures', 'Evicted'],
    remedy: 'look at why its pods did not get ready; Kueue took its quota back and tries it again',
  },
  {
    reason: 'quota',
    phase: 'waiting',
    words: ['Inadmissible', 'Misconfigured'],
    remedy: 'check that the queue exists and is active (kubectl get localqueue,clusterqueue)',
    retryable: false,
  },
  // Kueue's event on a Workload (https://github.com/kubernetes-sigs/kueue/blob/main/pkg/scheduler/flavorassigner/flavorassigner.go).
  {
    reason: 'quota',
    phase: 'waiting',
    words: ['Pending', 'QuotaReserved'],
    message: /request (\([^)]*\) )?> maximum capacity|exceeds? (the )?(maximum|nominal)/iu,
    remedy: 'ask for less, or submit to another queue: as it is, this run never fits into the queue',
    retryable: false,
  },
  {
    reason: 'quota',
    phase: 'waiting',
    words: ['Pending', 'QuotaReserved'],
    message: /insufficient (unused )?quota|couldn't assign flavors/u,
  },
  {
    reason: 'quota',
    phase: 'waiting',
    words: [
      'WaitingForQuota',
      'WaitingForPreemptedWorkloads',
      'WaitingForPodsReady',
      'Waiting',
      'PendingEvaluation',
      'TopologyPlacementFailed',
      'NoReservation',
      'UnsatisfiedChecks',
    ],
  },
  {
    reason: 'quota',
    phase: 'waiting',
    words: ['SchedulingGated'],
    remedy: 'wait until whoever set the gate removes it; with Kueue that is when the queue has room',
  },
  {
    reason: 'config',
    phase: 'waiting',
    words: ['FailedCreate'],
    message: /serviceaccount "[^"]*" not found/u,
    remedy: "make the service account in the run's namespace, or name one that exists",
  },
  { reason: 'config', phase: 'waiting', words: ['FailedCreate'] },
  {
    reason: 'no-gpu',
    phase: 'waiting',
    words: scheduling,
    message: /Insufficient (nvidia\.com|amd\.com|gpu\.intel\.com|habana\.ai|google\.com|aws\.amazon\.com)\//u,
  },
  { reason: 'unschedulable', phase: 'waiting', words: scheduling },
  { reason: 'unschedulable', phase: 'waiting', words: ['NotTriggerScaleUp'] },
  { reason: 'node-lost', phase: 'waiting', words: ['NodeNotReady', 'NodeGone'], source: 'node' },

  {
    reason: 'gpu-fault',
    phase: 'failure',
    words: [],
    source: 'node',
    message: programXid,
    remedy: 'look for an index out of range or a custom kernel that writes where it must not; this is likely the program, not the GPU',
    retryable: false,
  },
  { reason: 'deadline', phase: 'failure', words: ['DeadlineExceeded'] },
  { reason: 'crash', phase: 'failure', words: ['CrashLoopBackOff', 'Error', 'ContainerStatusUnknown'] },
  {
    reason: 'retries',
    phase: 'failure',
    words: ['BackoffLimitExceeded', 'PodFailurePolicy', 'MaxFailedIndexesExceeded', 'FailedIndexes'],
  },
];

/** The signal that a piece of evidence is, with its weight: lower weighs more. */
export function signalsOf(evidence: Evidence): { signal: Signal; weight: number }[] {
  return signals.flatMap((signal, weight) => {
    const isIt =
      (signal.words.length === 0 || signal.words.includes(evidence.reason)) &&
      (signal.source === undefined || signal.source === evidence.source) &&
      (signal.message === undefined || signal.message.test(evidence.message));
    return isIt ? [{ signal, weight }] : [];
  });
}
