import { ActionError } from '../action/errors.ts';
import type { Status } from '../run/state.ts';
import { words } from './conditions.ts';
import { isFields, listIn, needFields } from './fields.ts';
import type { Kind, KubernetesObject, PodTemplate } from './kind.ts';
import { substitute } from './parameters.ts';
import { keepFor, limitPods } from './time.ts';

/** The fields of a Volcano Job's status that matter here (https://github.com/volcano-sh/apis/blob/v1.13.0/pkg/apis/batch/v1alpha1/job.go, "JobStatus"). */
interface VolcanoStatus {
  state?: { phase?: string; reason?: string; message?: string; lastTransitionTime?: string };
  /** One for each phase that it entered; `status` is the phase. */
  conditions?: { status?: string; lastTransitionTime?: string }[];
  failed?: number;
  retryCount?: number;
}

export const volcanoJob: Kind = {
  resource: { group: 'batch.volcano.sh', version: 'v1alpha1', plural: 'jobs', kind: 'Job' },
  operator: 'Volcano (https://volcano.sh/en/docs/installation/)',
  // Its webhook refuses pods "<name>-<task>-<index>" of more than 63 characters; this leaves 22 for "-<task>-<index>"
  // (https://github.com/volcano-sh/volcano/blob/v1.15.1/pkg/webhooks/admission/jobs/validate/admit_job.go, "validateK8sPodNameLength").
  nameLimit: 41,
  // It has no deadline of its own. A policy that restarts the job begins each pod's time anew, at most `maxRetry` times.
  deadlineBy: 'pods',
  // https://kueue.sigs.k8s.io/docs/tasks/run/ has no Volcano Job, and pods admitted one by one are no gang.
  kueue: 'none',
  setQueue: (object, queue) => void (needFields(object.kind, object, 'spec')['queue'] = queue),
  podTemplates: templates,
  setParameters: (object, parameters) => substitute(object, templates(object), parameters),
  setDeadline: (object, seconds) => limitPods(templates(object), seconds),
  setTtl: (object, seconds) => keepFor(needFields(object.kind, object, 'spec'), seconds),
  status: ({ spec, status = {} }) => statusOf(status as VolcanoStatus, spec),
  podSelector: ({ metadata }) => `volcano.sh/job-name=${metadata.name ?? ''}`,
  // An AbortJob command (bus.volcano.sh) is another object, with another right, and leaves a job that anybody may resume.
  cancel: { how: 'delete' },
};

function templates(object: KubernetesObject): PodTemplate[] {
  const tasks = listIn(needFields(object.kind, object, 'spec'), 'tasks');
  if (tasks.length === 0) throw new ActionError('manifest', 'the Job of Volcano has no "spec.tasks"');
  return tasks.map((task, index) => {
    const path = `spec.tasks[${index}]`;
    return { path: `${path}.template`, template: needFields(`Job's ${path}`, task, 'template') };
  });
}

function statusOf({ state = {}, conditions = [], failed = 0, retryCount = 0 }: VolcanoStatus, spec: unknown): Status {
  const said = words(state);
  const startedAt = conditions.find(({ status }) => status === 'Running')?.lastTransitionTime;
  const started = startedAt === undefined ? {} : { startedAt };
  const times = { ...started, ...(state.lastTransitionTime === undefined ? {} : { endedAt: state.lastTransitionTime }) };
  switch (state.phase ?? '') {
    case '':
    case 'Pending':
      return { state: 'queued', ...said };
    case 'Running':
    case 'Restarting':
    case 'Completing':
    case 'Aborting':
    case 'Terminating':
      return { state: 'running', ...said, ...started };
    case 'Completed':
      return { state: 'succeeded', progress: 1, ...said, ...times };
    case 'Failed':
      return { state: 'failed', ...(retryCount >= maxRetry(spec) ? { reason: 'retries' } : {}), ...said, ...times };
    case 'Aborted':
    case 'Terminated':
      // A policy such as "PodFailed: TerminateJob" ends it so, too; failed pods stay, and are counted.
      return { state: failed > 0 ? 'failed' : 'cancelled', ...said, ...times };
    default:
      return { state: 'unknown', message: `its phase is ${JSON.stringify(state.phase)}` };
  }
}

function maxRetry(spec: unknown): number {
  const own = isFields(spec) ? spec['maxRetry'] : undefined;
  return typeof own === 'number' ? own : 3;
}
