import { ActionError } from '../action/errors.ts';
import type { Reason, Status } from '../run/state.ts';
import { holds, words, type Condition } from './conditions.ts';
import { fieldsIn, listIn, needFields, type Fields } from './fields.ts';
import { jobSetPods, progressOf, type ReplicatedJobStatus } from './job-set.ts';
import type { Container, Kind, KubernetesObject, PodSettings, PodTemplate } from './kind.ts';
import { heldBack } from './kueue.ts';
import { substitute } from './parameters.ts';
import { setPods } from './pods.ts';

/** The fields of a TrainJob's status that matter here (https://github.com/kubeflow/trainer/blob/v2.3.0/pkg/apis/trainer/v1alpha1/trainjob_types.go). */
interface TrainJobStatus {
  conditions?: Condition[];
  jobsStatus?: ReplicatedJobStatus[];
  /** With the feature gate TrainJobStatus (alpha). */
  trainerStatus?: { progressPercentage?: number; metrics?: { name: string; value: string }[] };
}

/** The same file, and what a JobSet's condition says, which the TrainJob takes over. */
const reasons: ReadonlyMap<string, Reason> = new Map([
  ['DeadlineExceeded', 'deadline'],
  ['TrainingRuntimeNotSupported', 'config'],
  ['ReachedMaxRestarts', 'retries'],
]);

/** Job and container of the nodes that train, in the runtimes (https://github.com/kubeflow/trainer/blob/v2.3.0/pkg/constants/constants.go, "Node"). */
const node = 'node';
/** Names our patch of the runtime. */
const manager = 'slashtrain.dev/submit';
/** Fields of the trainer, by what a container calls them. */
const trainerFields = { image: 'image', command: 'command', args: 'args', env: 'env', resources: 'resourcesPerNode' };

export const trainJob: Kind = {
  resource: { group: 'trainer.kubeflow.org', version: 'v1alpha1', plural: 'trainjobs', kind: 'TrainJob' },
  operator: 'Kubeflow Trainer 2 (https://www.kubeflow.org/docs/components/trainer/operator-guides/installation/)',
  // Its JobSet has its name: as there.
  nameLimit: 40,
  deadlineBy: 'controller',
  kueue: 'run',
  suspension: {
    set: (object) => void (needFields('TrainJob', object, 'spec')['suspend'] = true),
    release: { spec: { suspend: false } },
  },
  podTemplates: (object) => [trainerTemplate(object)],
  setParameters: (object, parameters) => substitute(object, [trainerTemplate(object)], parameters),
  setPods: putSettings,
  // How long a runtime's pods may run cannot be patched.
  setDeadline: (object, seconds) => void (needFields('TrainJob', object, 'spec')['activeDeadlineSeconds'] = seconds),
  // It stays until somebody deletes it.
  setTtl: () => undefined,
  outputs: ({ status }) => ((status ?? {}) as TrainJobStatus).trainerStatus?.metrics ?? [],
  status: ({ metadata, status = {} }, before) => {
    const now = status as TrainJobStatus;
    const end = endOf(now);
    if (end) return end;
    const suspended = holds(now.conditions, 'Suspended');
    if (suspended) return heldBack(metadata, words(suspended));
    // There is no condition for running, and how many Jobs there will be is the runtime's to say.
    const state = progressOf(now.jobsStatus ?? [], undefined, before?.state === 'running');
    const percentage = now.trainerStatus?.progressPercentage;
    return state.state === 'running' && percentage !== undefined ? { ...state, progress: percentage / 100 } : state;
  },
  podSelector: ({ metadata }) => jobSetPods(metadata.name ?? ''),
  cancel: { how: 'delete' },
};

function endOf({ conditions }: TrainJobStatus): Status | undefined {
  const complete = holds(conditions, 'Complete');
  const condition = complete ?? holds(conditions, 'Failed');
  if (!condition) return undefined;
  const ended = condition.lastTransitionTime === undefined ? {} : { endedAt: condition.lastTransitionTime };
  if (complete) return { state: 'succeeded', progress: 1, ...ended };
  const reason = reasons.get(condition.reason ?? '');
  return { state: 'failed', ...(reason ? { reason } : {}), ...words(condition), ...ended };
}

/**
 * The trainer's fields as the pod template of its nodes, where they are a container's. The other fields of the template
 * are the runtime's.
 */
function trainerTemplate(object: KubernetesObject): PodTemplate {
  const spec = needFields('TrainJob', object, 'spec');
  const trainer = (): Fields => fieldsIn(spec, 'trainer') ?? {};
  const container: Container = { name: node };
  for (const [field, key] of Object.entries(trainerFields)) {
    Object.defineProperty(container, field, {
      enumerable: true,
      get: () => trainer()[key],
      set: (value: unknown) => void (spec['trainer'] = { ...trainer(), [key]: value }),
    });
  }
  return { path: 'spec.trainer', template: { spec: { containers: [container] } } };
}

function putSettings(object: KubernetesObject, settings: PodSettings): void {
  const { labels, nodeSelector, tolerations = [], serviceAccount, priorityClass, secrets, ...variables } = settings;
  const refused = priorityClass !== undefined ? 'priority-class' : secrets.length > 0 ? 'env-from-secret' : undefined;
  if (refused) {
    throw new ActionError('unsupported', `input "${refused}": a TrainJob has no place for it`, {
      remedy: 'put it into the runtime that spec.runtimeRef names, or submit a JobSet',
    });
  }
  setPods([trainerTemplate(object)], { ...variables, labels: {}, secrets: [] });
  patchNodes(
    object,
    { labels },
    {
      ...(nodeSelector ? { nodeSelector } : {}),
      ...(tolerations.length > 0 ? { tolerations } : {}),
      ...(serviceAccount === undefined ? {} : { serviceAccountName: serviceAccount }),
    },
  );
}

/** Patches the runtime's pods; Trainer refuses that, in its own words, where the runtime has no job of that name. */
function patchNodes(object: KubernetesObject, metadata: Fields, pod: Fields): void {
  const spec = needFields('TrainJob', object, 'spec');
  const template = { metadata, ...(Object.keys(pod).length > 0 ? { spec: pod } : {}) };
  const replicatedJobs = [{ name: node, template: { spec: { template } } }];
  const patch = { manager, trainingRuntimeSpec: { template: { spec: { replicatedJobs } } } };
  spec['runtimePatches'] = [...listIn(spec, 'runtimePatches').filter((one) => one['manager'] !== manager), patch];
}
