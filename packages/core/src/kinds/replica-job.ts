import { ActionError } from '../action/errors.ts';
import type { Reason, Status } from '../run/state.ts';
import { holds, words, type Condition } from './conditions.ts';
import { isFields, needFields, type Fields } from './fields.ts';
import type { Kind, KubernetesObject, PodTemplate, Resource } from './kind.ts';
import { heldBack } from './kueue.ts';
import { substitute } from './parameters.ts';
import { keepFor, limitPods } from './time.ts';

/** In what the kinds with `spec.<framework>ReplicaSpecs` and `spec.runPolicy` differ. */
export interface ReplicaJobOptions {
  resource: Resource;
  operator: string;
  /** The field of `spec` with the replicas by role, such as `pytorchReplicaSpecs`. */
  replicaSpecs: string;
  /** The pods' label `training.kubeflow.org/operator-name`: jobs of two kinds may have the same name. */
  operatorName: string;
  deadlineBy: Kind['deadlineBy'];
  kueue: Kind['kueue'];
  /** Init containers that its controller puts into pods. */
  helperContainers?: ReadonlySet<string>;
}

/**
 * The status of all of them
 * (https://github.com/kubeflow/training-operator/blob/v1.9.3/pkg/apis/kubeflow.org/v1/common_types.go, "JobStatus";
 * https://github.com/kubeflow/mpi-operator/blob/v0.7.0/pkg/apis/kubeflow/v2beta1/types.go, "JobStatus").
 */
interface JobStatus {
  conditions?: Condition[];
  startTime?: string;
  completionTime?: string;
}

/**
 * A kind of the legacy training operator, or of the MPI operator, which grew out of it. A deadline stands on the run
 * and on its pods: training-operator 1.8 and 1.9 look at the run's only when something happens to a pod
 * (https://github.com/kubeflow/trainer/issues/3358), and a pod that ends at its own is such a thing; without the
 * run's, it would be started again.
 */
export function replicaJob({ replicaSpecs, operatorName, ...options }: ReplicaJobOptions): Kind {
  const templates = (object: KubernetesObject): PodTemplate[] =>
    Object.keys(needFields(object.kind, object, 'spec', replicaSpecs)).map((role) => ({
      path: `spec.${replicaSpecs}.${role}.template`,
      template: needFields(object.kind, object, 'spec', replicaSpecs, role, 'template'),
    }));
  return {
    ...options,
    // Pods, and the Services that have their names, are called <name>-<role>-<index>: 63 characters
    // (https://github.com/kubeflow/training-operator/blob/v1.9.3/pkg/controller.v1/common/util.go, "GenGeneralName").
    nameLimit: 63 - '-evaluator-9'.length,
    suspension: {
      set: (object) => void (runPolicyOf(object)['suspend'] = true),
      release: { spec: { runPolicy: { suspend: false } } },
    },
    podTemplates: templates,
    setParameters: (object, parameters) => substitute(object, templates(object), parameters),
    setDeadline(object, seconds) {
      runPolicyOf(object)['activeDeadlineSeconds'] = seconds;
      limitPods(templates(object), seconds);
    },
    setTtl(object, seconds) {
      const policy = runPolicyOf(object);
      keepFor(policy, seconds);
      // "All" deletes ended pods at once, and their logs; "None", the default, lets parameter servers and workers run on.
      const own = policy['cleanPodPolicy'] ?? needFields(object.kind, object, 'spec')['cleanPodPolicy'] ?? '';
      if (own === '' || own === 'All') policy['cleanPodPolicy'] = 'Running';
    },
    status: ({ metadata, status }) => statusOf(metadata, isFields(status) ? status : {}),
    podSelector: ({ metadata }) =>
      `training.kubeflow.org/job-name=${metadata.name ?? ''},training.kubeflow.org/operator-name=${operatorName}`,
    // Suspending frees as much and looks like a pause, which anybody may end.
    cancel: { how: 'delete' },
  };
}

function runPolicyOf(object: KubernetesObject): Fields {
  const spec = needFields(object.kind, object, 'spec');
  const policy = (spec['runPolicy'] ??= {});
  if (!isFields(policy)) throw new ActionError('manifest', `"spec.runPolicy" of the ${object.kind} is no map`);
  return policy;
}

function statusOf(metadata: KubernetesObject['metadata'], { conditions, startTime, completionTime }: JobStatus): Status {
  const started = startTime === undefined ? {} : { startedAt: startTime };
  const ended = ({ lastTransitionTime }: Condition): { endedAt?: string } => {
    const endedAt = completionTime ?? lastTransitionTime;
    return endedAt === undefined ? {} : { endedAt };
  };
  // A TFJob whose chief has succeeded can have both: a worker of it failed.
  const failed = holds(conditions, 'Failed');
  if (failed) return { state: 'failed', ...reasonOf(failed), ...words(failed), ...started, ...ended(failed) };
  const succeeded = holds(conditions, 'Succeeded');
  if (succeeded) return { state: 'succeeded', progress: 1, ...started, ...ended(succeeded) };
  const suspended = holds(conditions, 'Suspended');
  if (suspended) return heldBack(metadata, words(suspended));
  const runs = holds(conditions, 'Running') ?? holds(conditions, 'Restarting');
  return runs ? { state: 'running', ...started } : { state: 'queued' };
}

// The condition's reason is the launcher's where there is one, two of them with a slash between:
// https://github.com/kubeflow/mpi-operator/blob/v0.7.0/pkg/controller/mpi_job_controller.go, "updateMPIJobFailedStatus";
// https://github.com/kubeflow/training-operator/blob/v1.9.3/pkg/controller.v1/mpi/mpijob_controller.go, "updateMPIJobStatus".
const reasons: ReadonlyMap<string, Reason> = new Map([
  ['DeadlineExceeded', 'deadline'],
  ['MPIJobEvicted', 'evicted'],
  ['Evicted', 'evicted'],
  ['BackoffLimitExceeded', 'retries'],
]);

function reasonOf({ reason = '', message = '' }: Condition): { reason?: Reason } {
  const [last] = reason
    .split('/')
    .toReversed()
    .flatMap((part) => reasons.get(part) ?? []);
  if (last) return { reason: last };
  // https://github.com/kubeflow/training-operator/blob/v1.9.3/pkg/controller.v1/common/job.go, "ReconcileJobs": only the words differ.
  if (message.endsWith('active longer than specified deadline')) return { reason: 'deadline' };
  if (message.endsWith('reached the specified backoff limit')) return { reason: 'retries' };
  return {};
}
