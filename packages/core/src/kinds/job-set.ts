import { ActionError } from '../action/errors.ts';
import type { Status } from '../run/state.ts';
import { holds, words, type Condition } from './conditions.ts';
import { fieldsIn, listIn, needFields, type Fields } from './fields.ts';
import type { Kind, KubernetesObject, PodTemplate } from './kind.ts';
import { heldBack } from './kueue.ts';
import { substitute } from './parameters.ts';

/** The fields of a JobSet's status that matter here (https://github.com/kubernetes-sigs/jobset/blob/v0.12.0/api/jobset/v1alpha2/jobset_types.go). */
export interface JobSetStatus {
  conditions?: Condition[];
  restarts?: number;
  terminalState?: string;
  replicatedJobsStatus?: ReplicatedJobStatus[];
}

/** How many Jobs of one group are how far. `ready` counts those whose pods are all ready or done. */
export interface ReplicatedJobStatus {
  name: string;
  ready: number;
  succeeded: number;
  failed: number;
  active: number;
  suspended: number;
}

/**
 * The rule that ends a JobSet whose Job has reached its deadline. Without it a JobSet that restarts its Jobs would begin
 * the time anew, and one that does not would not say why it failed.
 */
const deadlineRule = { name: 'slashtrainDeadline', action: 'FailJobSet', onJobFailureReasons: ['DeadlineExceeded'] };

export const jobSet: Kind = {
  resource: { group: 'jobset.x-k8s.io', version: 'v1alpha2', plural: 'jobsets', kind: 'JobSet' },
  operator: 'JobSet (https://jobset.sigs.k8s.io/docs/installation/)',
  // A pod is "<name>-<replicated job>-<job index>-<pod index>-xxxxx" and has 63 characters at most.
  nameLimit: 40,
  // It has no deadline of its own, but its Jobs have, whose controller is Kubernetes' own.
  deadlineBy: 'controller',
  kueue: 'run',
  suspension: {
    set: (object) => void (needFields('JobSet', object, 'spec')['suspend'] = true),
    release: { spec: { suspend: false } },
  },
  podTemplates,
  setParameters: (object, parameters) => substitute(object, podTemplates(object), parameters),
  setDeadline(object, seconds) {
    for (const { spec } of jobsOf(object)) spec['activeDeadlineSeconds'] = seconds;
    for (const { template } of podTemplates(object)) template.spec = { ...template.spec, activeDeadlineSeconds: seconds };
    const spec = needFields('JobSet', object, 'spec');
    const others = failureRules(spec).filter(({ name }) => name !== deadlineRule.name);
    spec['failurePolicy'] = { ...fieldsIn(spec, 'failurePolicy'), rules: [deadlineRule, ...others] };
  },
  setTtl(object, seconds) {
    const spec = needFields('JobSet', object, 'spec');
    const own = spec['ttlSecondsAfterFinished'];
    spec['ttlSecondsAfterFinished'] = Math.max(typeof own === 'number' ? own : 0, seconds);
  },
  status: ({ metadata, spec, status = {} }, before) => {
    const now = status as JobSetStatus;
    const end = endOf(now, spec);
    if (end) return end;
    const suspended = holds(now.conditions, 'Suspended');
    if (suspended) return heldBack(metadata, words(suspended));
    const ran = (now.restarts ?? 0) > 0 || before?.state === 'running';
    return progressOf(now.replicatedJobsStatus ?? [], jobCount(spec), ran);
  },
  podSelector: ({ metadata }) => jobSetPods(metadata.name ?? ''),
  cancel: { how: 'delete' },
};

/** The pods of the JobSet of this name. */
export function jobSetPods(name: string): string {
  return `jobset.sigs.k8s.io/jobset-name=${name}`;
}

function endOf({ conditions, terminalState }: JobSetStatus, spec: unknown): Status | undefined {
  const at = (time: string | undefined): { endedAt?: string } => (time === undefined ? {} : { endedAt: time });
  const completed = holds(conditions, 'Completed');
  if (completed || terminalState === 'Completed') return { state: 'succeeded', progress: 1, ...at(completed?.lastTransitionTime) };
  const failed = holds(conditions, 'Failed');
  if (!failed && terminalState !== 'Failed') return undefined;
  const reason = failureReason(failed?.reason, spec);
  return { state: 'failed', ...(reason ? { reason } : {}), ...(failed ? words(failed) : {}), ...at(failed?.lastTransitionTime) };
}

/** The reasons are those of https://github.com/kubernetes-sigs/jobset/blob/v0.12.0/pkg/constants/constants.go. */
function failureReason(reason: string | undefined, spec: unknown): Status['reason'] {
  if (reason === 'ReachedMaxRestarts') return 'retries';
  // The condition does not name the rule: it is ours where there is no other that could be meant.
  const ending = failureRules(spec).filter(({ action }) => action === 'FailJobSet');
  const isOurs = ending.length === 1 && ending[0]?.['name'] === deadlineRule.name;
  return reason === 'FailJobSetFailurePolicyAction' && isOurs ? 'deadline' : undefined;
}

/**
 * Queued or running, from the groups of Jobs.
 * @param total how many Jobs there will be, where that is known
 * @param ran it has run before: Jobs that are made again look like ones that never started
 */
export function progressOf(groups: readonly ReplicatedJobStatus[], total: number | undefined, ran: boolean): Status {
  const sum = (of: (group: ReplicatedJobStatus) => number): number => groups.reduce((all, group) => all + (of(group) || 0), 0);
  const succeeded = sum((group) => group.succeeded);
  // An active Job can have pods that wait for a node or an image; a ready one has none of them.
  if (!ran && sum((group) => group.ready + group.failed) + succeeded === 0) return { state: 'queued' };
  return { state: 'running', ...(total !== undefined && total > 1 ? { progress: Math.min(1, succeeded / total) } : {}) };
}

function jobCount(spec: unknown): number {
  return listIn(spec, 'replicatedJobs').reduce((sum, { replicas }) => sum + (typeof replicas === 'number' ? replicas : 1), 0);
}

/** The Jobs' specifications, with where each stands. */
function jobsOf(object: KubernetesObject): { path: string; spec: Fields }[] {
  const { replicatedJobs } = needFields('JobSet', object, 'spec');
  if (!Array.isArray(replicatedJobs) || replicatedJobs.length === 0) {
    throw new ActionError('manifest', 'the JobSet has no "spec.replicatedJobs"');
  }
  return replicatedJobs.map((job: unknown, index) => {
    const place = `spec.replicatedJobs[${index}]`;
    return { path: `${place}.template.spec`, spec: needFields(`JobSet's ${place}`, job, 'template', 'spec') };
  });
}

function podTemplates(object: KubernetesObject): PodTemplate[] {
  return jobsOf(object).map(({ path, spec }) => ({
    path: `${path}.template`,
    template: needFields(`JobSet's ${path}`, spec, 'template'),
  }));
}

function failureRules(spec: unknown): Fields[] {
  return listIn(fieldsIn(spec, 'failurePolicy'), 'rules');
}
