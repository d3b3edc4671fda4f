import { ActionError } from '../action/errors.ts';
import type { Status } from '../run/state.ts';
import { holds, words, type Condition } from './conditions.ts';
import type { Kind, KubernetesObject, PodTemplate } from './kind.ts';
import { heldBack } from './kueue.ts';
import { substitute } from './parameters.ts';

/** The fields of a batch/v1 Job that matter here (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/). */
interface Job extends KubernetesObject {
  spec?: {
    template?: PodTemplate['template'];
    completions?: number;
    suspend?: boolean;
    activeDeadlineSeconds?: number;
    ttlSecondsAfterFinished?: number;
  };
  status?: {
    conditions?: Condition[];
    startTime?: string;
    completionTime?: string;
    active?: number;
    ready?: number;
    succeeded?: number;
    failed?: number;
    uncountedTerminatedPods?: { succeeded?: string[]; failed?: string[] };
  };
}

// https://github.com/kubernetes/api/blob/v0.36.3/batch/v1/types.go, "JobReason…"
const reasons = {
  BackoffLimitExceeded: 'retries',
  MaxFailedIndexesExceeded: 'retries',
  FailedIndexes: 'retries',
  DeadlineExceeded: 'deadline',
  PodFailurePolicy: 'crash',
} as const;

export const job: Kind = {
  resource: { group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job' },
  // A label value holds 63 characters, and an indexed Job's pods have "-<index>" after its name.
  nameLimit: 57,
  deadlineBy: 'controller',
  kueue: 'run',
  suspension: {
    set: (object) => void (asJob(object).spec.suspend = true),
    release: { spec: { suspend: false } },
  },
  podTemplates: (object) => templates(object),
  setParameters: (object, parameters) => substitute(object, templates(object), parameters),
  setDeadline(object, seconds) {
    const { spec } = asJob(object);
    spec.activeDeadlineSeconds = seconds;
    for (const { template } of templates(object)) template.spec = { ...template.spec, activeDeadlineSeconds: seconds };
  },
  setTtl(object, seconds) {
    const { spec } = asJob(object);
    spec.ttlSecondsAfterFinished = Math.max(spec.ttlSecondsAfterFinished ?? 0, seconds);
  },
  status: (object, before) => status(object, before),
  podSelector: ({ metadata }) =>
    metadata.uid ? `batch.kubernetes.io/controller-uid=${metadata.uid}` : `batch.kubernetes.io/job-name=${metadata.name ?? ''}`,
  cancel: { how: 'delete' },
};

function asJob(object: KubernetesObject): Job & { spec: NonNullable<Job['spec']> } {
  const { spec } = object;
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) throw new ActionError('manifest', 'the Job has no "spec"');
  return object as Job & { spec: NonNullable<Job['spec']> };
}

function templates(object: KubernetesObject): PodTemplate[] {
  const { spec } = asJob(object);
  const { template } = spec;
  if (typeof template !== 'object' || template === null) throw new ActionError('manifest', 'the Job has no "spec.template"');
  return [{ path: 'spec.template', template }];
}

function status({ spec, status: now = {}, metadata }: Job, before: Status | undefined): Status {
  const condition = (type: string): Condition | undefined => holds(now.conditions, type);
  const { startTime } = now;
  const started = startTime === undefined ? {} : { startedAt: startTime };

  const complete = condition('Complete');
  if (complete) {
    const endedAt = now.completionTime ?? complete.lastTransitionTime;
    return { state: 'succeeded', progress: 1, ...started, ...(endedAt === undefined ? {} : { endedAt }) };
  }
  const failed = condition('Failed');
  if (failed) {
    const reason = reasons[failed.reason as keyof typeof reasons] as (typeof reasons)[keyof typeof reasons] | undefined;
    return {
      state: 'failed',
      ...(reason === undefined ? {} : { reason }),
      ...words(failed),
      ...started,
      ...(failed.lastTransitionTime === undefined ? {} : { endedAt: failed.lastTransitionTime }),
    };
  }
  const suspended = condition('Suspended');
  if (suspended) return heldBack(metadata, words(suspended));
  const { active = 0, ready, succeeded = 0, failed: failedPods = 0, uncountedTerminatedPods: uncounted } = now;
  // A pod that waits for a node or its image is active, too; `ready` (since Kubernetes 1.24) tells them apart.
  const runs = ready === undefined ? active > 0 : ready > 0;
  const hasRun = succeeded + failedPods + (uncounted?.succeeded?.length ?? 0) + (uncounted?.failed?.length ?? 0) > 0;
  const isEnding = condition('SuccessCriteriaMet') !== undefined || condition('FailureTarget') !== undefined;
  // Between a pod's end and its being counted, the Job looks as before the pod's start.
  const wentOn = before?.state === 'running' && before.startedAt === startTime && active > 0;
  if (!runs && !hasRun && !isEnding && !wentOn) return { state: 'queued' };
  const completions = spec?.completions ?? 1;
  return { state: 'running', ...started, ...(completions > 1 ? { progress: Math.min(1, succeeded / completions) } : {}) };
}
