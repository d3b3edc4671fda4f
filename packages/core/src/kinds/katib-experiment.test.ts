import { describe, expect, it } from '@jest/globals';
import type { Status } from '../run/state.ts';
import { katibExperiment } from './katib-experiment.ts';
import type { KubernetesObject } from './kind.ts';

// Upstream's own fixture, which was taken from runs of Katib: "kale-automl-pfzaut" of
// https://github.com/kubeflow/katib/blob/v0.19.0/pkg/ui/v1beta1/frontend/cypress/fixtures/experiments.json
const created = {
  type: 'Created',
  status: 'True',
  reason: 'ExperimentCreated',
  message: 'Experiment is created',
  lastUpdateTime: '2022-04-14T13:51:30Z',
  lastTransitionTime: '2022-04-14T13:51:30Z',
};
const running = {
  type: 'Running',
  status: 'False',
  reason: 'ExperimentRunning',
  message: 'Experiment is running',
  lastUpdateTime: '2022-04-14T14:16:50Z',
  lastTransitionTime: '2022-04-14T14:16:50Z',
};
const succeeded = {
  type: 'Succeeded',
  status: 'True',
  reason: 'ExperimentMaxTrialsReached',
  message: 'Experiment has succeeded because max trial count has reached',
  lastUpdateTime: '2022-04-14T14:16:50Z',
  lastTransitionTime: '2022-04-14T14:16:50Z',
};
const best = {
  bestTrialName: 'kale-automl-pfzaut-ab5a9937',
  parameterAssignments: [
    { name: 'bootstrap', value: 'True' },
    { name: 'max_features', value: '0.1' },
  ],
  observation: {
    metrics: [{ name: 'mean_squared_log_error', min: '0.3525149502461068', max: '0.3525149502461068', latest: '0.3525149502461068' }],
  },
};
const startTime = '2022-04-14T13:51:30Z';
const completionTime = '2022-04-14T14:16:50Z';
const done = { conditions: [created, running, succeeded], startTime, completionTime, trials: 2, trialsSucceeded: 2 };
const times = { startedAt: startTime, endedAt: completionTime };

// What follows differs from it as upstream's source says:
// https://github.com/kubeflow/katib/blob/v0.19.0/pkg/controller.v1beta1/experiment/util/status_util.go
const runs = { conditions: [created, { ...running, status: 'True' }], startTime, completionTime: null };
const failed = (message: string): object => ({ ...succeeded, type: 'Failed', reason: 'ExperimentFailed', message });
const maxFailed = 'Experiment has failed because max failed count has reached';

const cases: { what: string; status: object | undefined; expected: Status }[] = [
  { what: 'just made', status: undefined, expected: { state: 'queued' } },
  { what: 'created', status: { conditions: [created], startTime, completionTime: null }, expected: { state: 'queued' } },
  { what: 'Running, and its trials wait', status: { ...runs, trials: 3, trialsPending: 3 }, expected: { state: 'queued' } },
  {
    what: 'its first trial runs',
    status: { ...runs, trials: 3, trialsPending: 2, trialsRunning: 1 },
    expected: { state: 'running', progress: 0, startedAt: startTime },
  },
  {
    what: 'between two trials',
    status: { ...runs, trials: 4, trialsPending: 1, trialsSucceeded: 1, trialsEarlyStopped: 1, trialMetricsUnavailable: 1 },
    expected: { state: 'running', progress: 3 / 12, startedAt: startTime },
  },
  {
    what: 'all trials are done',
    status: { ...done, currentOptimalTrial: best },
    expected: { state: 'succeeded', progress: 1, message: `${succeeded.reason}: ${succeeded.message}`, ...times },
  },
  {
    what: 'all trials are done, and none has a metric',
    status: { ...done, trialsSucceeded: 0, trialsFailed: 2, currentOptimalTrial: { observation: {} } },
    expected: { state: 'failed', message: `no trial has reported its metric; ${succeeded.reason}: ${succeeded.message}`, ...times },
  },
  {
    what: 'too many trials failed',
    status: { ...done, conditions: [created, running, failed(maxFailed)], trialsFailed: 3 },
    expected: { state: 'failed', reason: 'retries', message: `ExperimentFailed: ${maxFailed}`, ...times },
  },
  {
    what: 'nothing suggests parameters',
    status: { ...done, conditions: [created, failed('Suggestion has failed')], completionTime: null },
    expected: { state: 'failed', message: 'ExperimentFailed: Suggestion has failed', ...times },
  },
  {
    what: 'restarted with more trials: what succeeded has gone',
    status: {
      ...done,
      conditions: [created, { ...running, status: 'True' }, { ...succeeded, type: 'Restarting', reason: 'ExperimentRestarting' }],
      trialsRunning: 1,
      currentOptimalTrial: best,
    },
    expected: { state: 'running', progress: 2 / 12, startedAt: startTime },
  },
];

function experimentWith(spec: object, status?: object): KubernetesObject {
  return { apiVersion: 'kubeflow.org/v1beta1', kind: 'Experiment', metadata: { name: 'digits' }, spec, ...(status ? { status } : {}) };
}

describe('the status of a Katib Experiment', () => {
  it.each(cases)('is $expected.state: $what', ({ status, expected }) => {
    expect(katibExperiment.status(experimentWith({ maxTrialCount: 12 }, status))).toEqual(expected);
  });
});

describe('the outputs of a Katib Experiment', () => {
  const outputs = (objective: object, metrics: object[]): unknown =>
    katibExperiment.outputs?.(experimentWith({ objective }, { currentOptimalTrial: { ...best, observation: { metrics } } }));
  const known = [
    { name: 'best-trial', value: 'kale-automl-pfzaut-ab5a9937' },
    { name: 'parameter-bootstrap', value: 'True' },
    { name: 'parameter-max_features', value: '0.1' },
  ];

  it('are the best trial, its parameters and its metrics', () => {
    expect(outputs({}, best.observation.metrics)).toEqual([
      ...known,
      { name: 'metric-mean_squared_log_error', value: '0.3525149502461068' },
    ]);
  });

  it.each([
    ['min', { min: '1', max: '3', latest: '2' }, '1'],
    ['max', { min: '1', max: '3', latest: '2' }, '3'],
    ['latest', { min: '1', max: '3', latest: '2' }, '2'],
    ['max', { min: 'unavailable', max: 'unavailable', latest: 'green' }, 'green'],
  ])('have a metric as its strategy %s reads %o', (value, metric, expected) => {
    const objective = { metricStrategies: [{ name: 'accuracy', value }] };
    expect(outputs(objective, [{ name: 'accuracy', ...metric }])).toEqual([...known, { name: 'metric-accuracy', value: expected }]);
  });

  it('leave out a metric that nobody has seen', () => {
    expect(outputs({}, [{ name: 'accuracy', min: 'unavailable', max: 'unavailable', latest: 'unavailable' }])).toEqual(known);
  });

  it.each([undefined, {}, { currentOptimalTrial: { observation: {} } }])('are none with the status %o', (status) => {
    expect(katibExperiment.outputs?.(experimentWith({}, status))).toEqual([]);
  });
});

describe('what is put into a Katib Experiment', () => {
  const pod = (): object => ({ spec: { containers: [{ name: 'main', args: ['--lr=${trialParameters.lr}', '$(params.epochs)'] }] } });
  const withTrial = (trialSpec: unknown, more: object = {}): KubernetesObject =>
    experimentWith({ trialTemplate: { trialSpec, trialParameters: [{ name: 'lr', reference: 'lr' }], ...more } });
  const job = (): object => ({ apiVersion: 'batch/v1', kind: 'Job', spec: { template: pod() } });
  const pytorch = (): object => ({
    apiVersion: 'kubeflow.org/v1',
    kind: 'PyTorchJob',
    spec: { pytorchReplicaSpecs: { Master: { template: pod() }, Worker: { template: pod() } } },
  });

  it.each([
    ['Job', job, ['spec.trialTemplate.trialSpec.spec.template']],
    ['PyTorchJob', pytorch, ['Master', 'Worker'].map((role) => `spec.trialTemplate.trialSpec.spec.pytorchReplicaSpecs.${role}.template`)],
  ])('goes into the pods of a trial that is a %s, beside what Katib puts in', (_, trial, paths) => {
    const made = withTrial(trial());
    katibExperiment.setParameters(made, new Map([['epochs', '3']]));
    katibExperiment.setDeadline(made, 600);
    const containers = [{ name: 'main', args: ['--lr=${trialParameters.lr}', '3'] }];
    expect(katibExperiment.podTemplates(made)).toEqual(
      paths.map((path) => ({ path, template: { spec: { containers, activeDeadlineSeconds: 600 } } })),
    );
  });

  it('keeps the jobs of its ended trials, until their own time is over', () => {
    const made = withTrial(job());
    katibExperiment.setTtl(made, 86_400);
    expect(made['spec']).toMatchObject({ trialTemplate: { retain: true, trialSpec: { spec: { ttlSecondsAfterFinished: 86_400 } } } });
  });

  it.each([
    ['no trial template', experimentWith({}), 'the Experiment has no "spec.trialTemplate"'],
    ['no trial', experimentWith({ trialTemplate: {} }), 'the Experiment has no "spec.trialTemplate.trialSpec"'],
    ['a trial whose pods are not known', withTrial({ apiVersion: 'tekton.dev/v1', kind: 'PipelineRun' }), '"tekton.dev/v1" "PipelineRun"'],
    ['a trial from a ConfigMap', withTrial(job(), { configMap: { configMapName: 'trials' } }), 'takes its trials from a ConfigMap'],
    ['a trial without pods', withTrial({ apiVersion: 'batch/v1', kind: 'Job', spec: {} }), 'the Job has no "spec.template"'],
  ])('is refused with %s', (_, made, message) => {
    expect(() => katibExperiment.podTemplates(made)).toThrow(message);
  });

  it('finds the pods of its trials, and not the one that suggests parameters', () => {
    expect(katibExperiment.podSelector(experimentWith({}))).toBe('katib.kubeflow.org/experiment=digits,!katib.kubeflow.org/suggestion');
  });
});
