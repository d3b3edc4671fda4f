import { ActionError } from '../action/errors.ts';
import type { Status } from '../run/state.ts';
import { holds, words, type Condition } from './conditions.ts';
import { fieldsIn, isFields, needFields, type Fields } from './fields.ts';
import { job } from './job.ts';
import type { Kind, KubernetesObject, PodTemplate } from './kind.ts';
import { mpiJob } from './mpi-job.ts';
import { substitute } from './parameters.ts';
import { jaxJob, mpiJobV1, paddleJob, pytorchJob, tfJob, xgboostJob } from './training-operator.ts';

/** The fields of an Experiment's status that matter here (https://github.com/kubeflow/katib/blob/v0.19.0/pkg/apis/controller/experiments/v1beta1/experiment_types.go). */
interface ExperimentStatus {
  conditions?: Condition[];
  startTime?: string | null;
  completionTime?: string | null;
  trialsSucceeded?: number;
  trialsFailed?: number;
  trialsKilled?: number;
  trialsRunning?: number;
  trialsEarlyStopped?: number;
  trialMetricsUnavailable?: number;
  currentOptimalTrial?: {
    bestTrialName?: string;
    parameterAssignments?: { name: string; value: string }[];
    observation?: { metrics?: { name: string; min?: string; max?: string; latest?: string }[] };
  };
}

/** What a trial can be: kinds whose object holds all of its pods. */
const trialKinds: readonly Kind[] = [job, pytorchJob, tfJob, xgboostJob, paddleJob, jaxJob, mpiJob, mpiJobV1];

export const katibExperiment: Kind = {
  resource: { group: 'kubeflow.org', version: 'v1beta1', plural: 'experiments', kind: 'Experiment' },
  operator: 'Katib (https://www.kubeflow.org/docs/components/katib/installation/)',
  // https://github.com/kubeflow/katib/blob/v0.19.0/pkg/webhook/v1beta1/experiment/validator/validator.go, "ValidateExperiment"
  nameLimit: 40,
  // Each trial has the deadline; an Experiment itself has none, only `maxTrialCount`.
  deadlineBy: 'pods',
  // https://kueue.sigs.k8s.io/docs/tasks/run/ has no Experiment; the label may stand in the trial's own metadata.
  kueue: 'none',
  podTemplates: templates,
  setParameters: (object, parameters) => substitute(object, templates(object), parameters),
  setDeadline(object, seconds) {
    const { kind, trial } = trialOf(object);
    kind.setDeadline(trial, seconds);
  },
  // Katib deletes a trial's job at its end, with its logs, unless it is retained; the job's own TTL deletes it then.
  setTtl(object, seconds) {
    const { kind, trial } = trialOf(object);
    kind.setTtl(trial, seconds);
    needFields(object.kind, object, 'spec', 'trialTemplate')['retain'] = true;
  },
  outputs,
  status: ({ spec, status = {} }) => statusOf(status as ExperimentStatus, spec),
  // The pod that suggests parameters has the experiment's label, too: https://github.com/kubeflow/katib/blob/v0.19.0/pkg/controller.v1beta1/util/labels.go
  podSelector: ({ metadata }) => `katib.kubeflow.org/experiment=${metadata.name ?? ''},!katib.kubeflow.org/suggestion`,
  // https://github.com/kubeflow/katib/blob/v0.19.0/pkg/webhook/v1beta1/pod/utils.go, "getSidecarContainerName"; of the other,
  // metrics-logger-and-collector, the log is the program's, whose output went into a file.
  helperContainers: new Set(['metrics-collector']),
  cancel: { how: 'delete' },
};

function trialOf(object: KubernetesObject): { kind: Kind; trial: KubernetesObject } {
  const template = needFields(object.kind, object, 'spec', 'trialTemplate');
  if (fieldsIn(template, 'configMap')) {
    throw new ActionError('unsupported', `the ${object.kind} takes its trials from a ConfigMap, where nothing can be checked or put in`, {
      remedy: 'write the trial out under spec.trialTemplate.trialSpec',
    });
  }
  const trial = needFields(object.kind, object, 'spec', 'trialTemplate', 'trialSpec');
  const kind = trialKinds.find(({ resource }) => trial['kind'] === resource.kind && trial['apiVersion'] === versionOf(resource));
  if (!kind) {
    throw new ActionError(
      'unsupported',
      `spec.trialTemplate.trialSpec is ${JSON.stringify(trial['apiVersion'])} ${JSON.stringify(trial['kind'])}, whose pods are not known`,
      { remedy: `use one of ${trialKinds.map(({ resource }) => `${versionOf(resource)} ${resource.kind}`).join(', ')}` },
    );
  }
  return { kind, trial: trial as KubernetesObject };
}

function versionOf({ group, version }: Kind['resource']): string {
  return `${group}/${version}`;
}

function templates(object: KubernetesObject): PodTemplate[] {
  const { kind, trial } = trialOf(object);
  return kind.podTemplates(trial).map(({ path, template }) => ({ path: `spec.trialTemplate.trialSpec.${path}`, template }));
}

function statusOf(now: ExperimentStatus, spec: unknown): Status {
  const started = now.startTime ? { startedAt: now.startTime } : {};
  const ended = ({ lastTransitionTime }: Condition): { endedAt?: string } => {
    const endedAt = now.completionTime ?? lastTransitionTime;
    return endedAt === undefined ? {} : { endedAt };
  };
  const failed = holds(now.conditions, 'Failed');
  if (failed) {
    const isRetries = failed.message?.endsWith('max failed count has reached') === true;
    return { state: 'failed', ...(isRetries ? { reason: 'retries' } : {}), ...words(failed), ...started, ...ended(failed) };
  }
  const succeeded = holds(now.conditions, 'Succeeded');
  if (succeeded) {
    const said = words(succeeded);
    if (now.currentOptimalTrial?.bestTrialName) return { state: 'succeeded', progress: 1, ...said, ...started, ...ended(succeeded) };
    // Without `maxFailedTrialCount` failed trials only count to `maxTrialCount`: "Succeeded" when all of them failed.
    return { state: 'failed', message: `no trial has reported its metric; ${said.message ?? ''}`, ...started, ...ended(succeeded) };
  }
  const done = count(now.trialsSucceeded, now.trialsFailed, now.trialsKilled, now.trialsEarlyStopped, now.trialMetricsUnavailable);
  // The condition Running holds as well while all trials wait for their pods.
  if (done + count(now.trialsRunning) === 0) return { state: 'queued' };
  const most = isFields(spec) ? spec['maxTrialCount'] : undefined;
  return { state: 'running', ...started, ...(typeof most === 'number' && most > 0 ? { progress: Math.min(1, done / most) } : {}) };
}

function count(...trials: (number | undefined)[]): number {
  return trials.reduce<number>((sum, one) => sum + (one ?? 0), 0);
}

/** The best trial so far, its parameters, and its metrics as Katib compares them. */
function outputs({ spec, status }: KubernetesObject): { name: string; value: string }[] {
  const { currentOptimalTrial: best } = (status ?? {}) as ExperimentStatus;
  if (!best?.bestTrialName) return [];
  return [
    { name: 'best-trial', value: best.bestTrialName },
    ...(best.parameterAssignments ?? []).map(({ name, value }) => ({ name: `parameter-${name}`, value })),
    ...(best.observation?.metrics ?? []).flatMap(({ name, ...values }) => {
      const value = values[strategyFor(name, fieldsIn(spec, 'objective'))] ?? '';
      const shown = value === '' || value === 'unavailable' ? values.latest : value;
      return shown === undefined || shown === 'unavailable' ? [] : [{ name: `metric-${name}`, value: shown }];
    }),
  ];
}

/** https://github.com/kubeflow/katib/blob/v0.19.0/pkg/controller.v1beta1/experiment/util/status_util.go, "getObjectiveMetricValue" */
function strategyFor(metric: string, objective: Fields | undefined): 'min' | 'max' | 'latest' {
  const { metricStrategies: strategies } = objective ?? {};
  const own: unknown = (Array.isArray(strategies) ? (strategies as Fields[]) : []).find(({ name }) => name === metric)?.['value'];
  return own === 'min' || own === 'max' ? own : 'latest';
}
