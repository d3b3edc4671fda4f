import { ActionError } from '../action/errors.ts';
import { labels } from '../run/record.ts';
import type { Reason, Status } from '../run/state.ts';
import { fieldsIn, isFields, listIn, needFields, type Fields } from './fields.ts';
import type { Kind, KubernetesObject, PodTemplate } from './kind.ts';
import { heldBack } from './kueue.ts';
import { substitute, type Place } from './parameters.ts';

/** The fields of a RayJob's status that matter here (https://github.com/ray-project/kuberay/blob/v1.6.1/ray-operator/apis/ray/v1/rayjob_types.go). */
interface RayJobStatus {
  jobDeploymentStatus?: string;
  jobStatus?: string;
  reason?: string;
  message?: string;
  startTime?: string;
  endTime?: string;
}

/** "JobFailedReason" of the same file. */
const reasons: ReadonlyMap<string, Reason> = new Map([
  ['DeadlineExceeded', 'deadline'],
  ['PreRunningDeadlineExceeded', 'deadline'],
  ['AppFailed', 'crash'],
  ['SubmissionFailed', 'retries'],
  ['ValidationFailed', 'config'],
]);

export const rayJob: Kind = {
  resource: { group: 'ray.io', version: 'v1', plural: 'rayjobs', kind: 'RayJob' },
  operator: 'KubeRay (https://docs.ray.io/en/latest/cluster/kubernetes/getting-started/kuberay-operator-installation.html)',
  // https://github.com/ray-project/kuberay/blob/v1.6.1/ray-operator/controllers/ray/utils/constant.go, MaxRayJobNameLength
  nameLimit: 47,
  deadlineBy: 'controller',
  kueue: 'run',
  suspension: {
    set: (object) => void (specOf(object)['suspend'] = true),
    release: { spec: { suspend: false } },
  },
  podTemplates,
  setParameters: (object, parameters) => substitute(object, podTemplates(object), parameters, shellTexts(specOf(object))),
  setDeadline(object, seconds) {
    specOf(object)['activeDeadlineSeconds'] = seconds;
    for (const { template } of podTemplates(object)) template.spec = { ...template.spec, activeDeadlineSeconds: seconds };
  },
  // The RayJob stays until somebody deletes it; its own TTL is the Ray cluster's, whose GPUs nobody should hold for a day.
  setTtl: () => undefined,
  finish,
  status: ({ metadata, status = {} }, before) => statusOf(status as RayJobStatus, before, (said) => heldBack(metadata, said)),
  // The Ray cluster's name is random, and the submitter's pods have other labels: ours are on all of them.
  podSelector: ({ metadata }) => `${labels.run}=${metadata.name ?? ''}`,
  cancel: { how: 'delete' },
};

/** `jobDeploymentStatus` comes first: a failed RayJob can keep `jobStatus: RUNNING` (https://github.com/ray-project/kuberay/issues/2314). */
function statusOf(
  { jobDeploymentStatus = '', jobStatus, ...now }: RayJobStatus,
  before: Status | undefined,
  held: (said: { message?: string }) => Status,
): Status {
  const said = now.message ? { message: now.message } : {};
  const reason = reasons.get(now.reason ?? '');
  const times = { ...(now.startTime ? { startedAt: now.startTime } : {}), ...(now.endTime ? { endedAt: now.endTime } : {}) };
  const failed: Status = { state: 'failed', ...(reason ? { reason } : {}), ...said, ...times };
  switch (jobDeploymentStatus) {
    case '':
    case 'Initializing':
    case 'Waiting':
      return { state: 'queued', ...said };
    case 'Suspending':
      // One that was made suspended passes by here before it has ever run.
      if (before?.state !== 'running') return { state: 'queued', ...said };
      return { state: 'running', ...said };
    case 'Running':
    case 'Retrying':
      return { state: 'running', ...said, ...(now.startTime ? { startedAt: now.startTime } : {}) };
    case 'Suspended':
      return held(said);
    case 'Complete':
      if (jobStatus === 'SUCCEEDED') return { state: 'succeeded', progress: 1, ...said, ...times };
      if (jobStatus === 'STOPPED') return { state: 'cancelled', ...said, ...times };
      return jobStatus === 'FAILED' ? failed : { state: 'unknown', message: `Complete, and its job is ${JSON.stringify(jobStatus ?? '')}` };
    case 'Failed':
    case 'ValidationFailed':
      return failed;
    default:
      return { state: 'unknown', message: `jobDeploymentStatus is ${JSON.stringify(jobDeploymentStatus)}` };
  }
}

function specOf(object: KubernetesObject): Fields {
  const spec = needFields('RayJob', object, 'spec');
  if (isFields(spec['clusterSelector']) && Object.keys(spec['clusterSelector']).length > 0) {
    throw new ActionError(
      'unsupported',
      'the RayJob has "spec.clusterSelector": on a Ray cluster that runs already nothing can be checked',
      {
        remedy: 'give it a cluster of its own: spec.rayClusterSpec',
      },
    );
  }
  return spec;
}

function podTemplates(object: KubernetesObject): PodTemplate[] {
  const spec = specOf(object);
  const cluster = needFields('RayJob', object, 'spec', 'rayClusterSpec');
  needFields('RayJob', object, 'spec', 'rayClusterSpec', 'headGroupSpec', 'template');
  const groups: [string, unknown][] = [
    ['headGroupSpec', cluster['headGroupSpec']],
    ...listIn(cluster, 'workerGroupSpecs').map((group, index): [string, unknown] => [`workerGroupSpecs[${index}]`, group]),
  ];
  const templates = groups.map(([path, group]) => ({
    path: `spec.rayClusterSpec.${path}.template`,
    template: needFields(`RayJob's spec.rayClusterSpec.${path}`, group, 'template'),
  }));
  const submitter = fieldsIn(spec, 'submitterPodTemplate');
  return submitter ? [...templates, { path: 'spec.submitterPodTemplate', template: submitter }] : templates;
}

/**
 * Entry point and runtime environment go through a shell on their way to Ray: KubeRay joins them into a `bash -c`
 * (https://github.com/ray-project/kuberay/blob/v1.6.1/ray-operator/controllers/ray/common/job.go, BuildJobSubmitCommand).
 */
function shellTexts(spec: Fields): Place[] {
  return ['entrypoint', 'runtimeEnvYAML'].map((key) => ({
    read: () => spec[key],
    write: (value) => {
      spec[key] = value;
    },
    encode: (value, name) => {
      if (/^[A-Za-z0-9_./:=@%+,-]*$/u.test(value)) return value;
      throw new ActionError(
        'input',
        `the parameter "${name}" is ${JSON.stringify(value.slice(0, 100))}, and stands in spec.${key}, which a shell reads`,
        {
          remedy: `allowed there: letters, digits and _./:=@%+,-; for other text put $(params.${name}) into an env variable of the head's container, and read that`,
        },
      );
    },
  }));
}

/** Labels all pods for {@link rayJob.podSelector}, the submitter's too, and lets nobody hold a finished run's GPUs. */
function finish(object: KubernetesObject): void {
  const spec = specOf(object);
  spec['shutdownAfterJobFinishes'] ??= spec['deletionStrategy'] === undefined ? true : undefined;
  if (spec['shutdownAfterJobFinishes'] === undefined) delete spec['shutdownAfterJobFinishes'];
  const mode = spec['submissionMode'] ?? 'K8sJobMode';
  if (mode === 'K8sJobMode') spec['submitterPodTemplate'] ??= submitter(object);
  for (const { template } of podTemplates(object)) {
    template.metadata = { ...template.metadata, labels: { ...template.metadata?.labels, [labels.run]: object.metadata.name ?? '' } };
  }
}

/** What KubeRay would make by itself (the same file, GetSubmitterTemplate), written out so that it can be labelled. */
function submitter(object: KubernetesObject): PodTemplate['template'] {
  const head = podTemplates(object)[0]?.template;
  const image = head?.spec?.containers?.[0]?.image;
  const resources = { requests: { cpu: '500m', memory: '200Mi' }, limits: { cpu: '1', memory: '1Gi' } };
  return {
    ...(head?.metadata?.labels ? { metadata: { labels: { ...head.metadata.labels } } } : {}),
    spec: { restartPolicy: 'Never', containers: [{ name: 'ray-job-submitter', ...(image === undefined ? {} : { image }), resources }] },
  };
}
