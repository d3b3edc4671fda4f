import { describe, expect, it } from '@jest/globals';
import type { Status } from '../run/state.ts';
import type { KubernetesObject } from './kind.ts';
import { rayJob } from './ray-job.ts';

// Statuses without a jobStatus are those that KubeRay 1.6.1 wrote on the real cluster for RayJobs whose image is missing;
// those with one need Ray, and are made after upstream's types and controller:
// https://github.com/ray-project/kuberay/blob/v1.6.1/ray-operator/apis/ray/v1/rayjob_types.go
const startTime = '2026-11-21T15:50:14Z';
const endTime = '2026-11-21T15:50:39Z';
const at = (jobDeploymentStatus: string, more: object = {}): object => ({
  failed: 0,
  jobDeploymentStatus,
  rayClusterStatus: { desiredCPU: '0', head: {} },
  rayJobInfo: {},
  succeeded: 0,
  ...more,
});
const started = { jobId: 'a-dv44p', rayClusterName: 'a-m5vb9', startTime };
const late = 'The RayJob has passed the activeDeadlineSeconds. StartTime: 2026-11-21 15:50:14 +0000 UTC. ActiveDeadlineSeconds: 25';
const invalid = 'The RayJob spec is invalid: backoffLimit must be a positive integer';
const running: Status = { state: 'running', startedAt: startTime };

interface Case {
  what: string;
  status: object | undefined;
  labels?: Record<string, string>;
  before?: Status;
  expected: Status;
}

const cases: Case[] = [
  { what: 'just made', status: undefined, expected: { state: 'queued' } },
  { what: 'its Ray cluster starts', status: at('Initializing', started), expected: { state: 'queued' } },
  { what: 'waits for an interactive job', status: at('Waiting', started), expected: { state: 'queued' } },
  { what: 'made suspended', status: at('Suspending', started), expected: { state: 'queued' } },
  { what: 'suspended', status: at('Suspended', { startTime }), expected: { state: 'suspended' } },
  {
    what: 'suspended by Kueue',
    labels: { 'kueue.x-k8s.io/queue-name': 'team-a' },
    status: at('Suspended', { startTime }),
    expected: { state: 'queued', message: 'waits in the queue team-a' },
  },
  {
    what: 'over its deadline before it had an image',
    status: at('Failed', { ...started, endTime, reason: 'DeadlineExceeded', message: late, failed: 1 }),
    expected: { state: 'failed', reason: 'deadline', message: late, startedAt: startTime, endedAt: endTime },
  },
  {
    what: 'refused by its controller',
    status: at('ValidationFailed', { reason: 'ValidationFailed', message: invalid }),
    expected: { state: 'failed', reason: 'config', message: invalid },
  },
  { what: 'its job is submitted', status: at('Running', { ...started, jobStatus: 'PENDING' }), expected: running },
  { what: 'its job runs', status: at('Running', { ...started, jobStatus: 'RUNNING' }), expected: running },
  { what: 'is tried again', status: at('Retrying', { ...started, jobStatus: 'FAILED' }), expected: running },
  {
    what: 'suspended while it ran',
    status: at('Suspending', { ...started, jobStatus: 'RUNNING' }),
    before: running,
    expected: { state: 'running' },
  },
  {
    what: 'Complete, its job SUCCEEDED',
    status: at('Complete', { ...started, endTime, jobStatus: 'SUCCEEDED', message: 'Job finished successfully.' }),
    expected: { state: 'succeeded', progress: 1, message: 'Job finished successfully.', startedAt: startTime, endedAt: endTime },
  },
  {
    what: 'Complete, its job STOPPED',
    status: at('Complete', { ...started, endTime, jobStatus: 'STOPPED' }),
    expected: { state: 'cancelled', startedAt: startTime, endedAt: endTime },
  },
  {
    what: 'its job FAILED',
    status: at('Failed', { ...started, endTime, jobStatus: 'FAILED', reason: 'AppFailed', message: 'exit code 1' }),
    expected: { state: 'failed', reason: 'crash', message: 'exit code 1', startedAt: startTime, endedAt: endTime },
  },
  {
    // https://github.com/ray-project/kuberay/issues/2314
    what: 'Failed while its job is said to run',
    status: at('Failed', { ...started, endTime, jobStatus: 'RUNNING', reason: 'SubmissionFailed', message: 'Job submission has failed.' }),
    expected: { state: 'failed', reason: 'retries', message: 'Job submission has failed.', startedAt: startTime, endedAt: endTime },
  },
  {
    what: 'Complete without a job',
    status: at('Complete', started),
    expected: { state: 'unknown', message: 'Complete, and its job is ""' },
  },
  { what: 'a word of a later version', status: at('Parked'), expected: { state: 'unknown', message: 'jobDeploymentStatus is "Parked"' } },
];

const template = (name: string, env: object[] = []): object => ({ spec: { containers: [{ name, image: 'ray:2', env }] } });
function rayJobWith(status: object | undefined, more: object = {}, labels: Record<string, string> = {}): KubernetesObject {
  const rayClusterSpec = {
    headGroupSpec: { template: template('ray-head', [{ name: 'LR', value: '$(params.lr)' }]) },
    workerGroupSpecs: [{ groupName: 'w', template: template('ray-worker') }],
  };
  const spec = { entrypoint: 'python train.py', rayClusterSpec, ...more };
  return { apiVersion: 'ray.io/v1', kind: 'RayJob', metadata: { name: 'digits', labels }, spec, ...(status ? { status } : {}) };
}

describe('the status of a RayJob', () => {
  it.each(cases)('is $expected.state: $what', ({ status, labels, before, expected }) => {
    expect(rayJob.status(rayJobWith(status, {}, labels), before)).toEqual(expected);
  });
});

describe('what is put into a RayJob', () => {
  it('labels the pods of head, workers and submitter, and gives the cluster back at the end', () => {
    const made = rayJobWith(undefined);
    rayJob.finish?.(made);
    rayJob.finish?.(made);
    const templates = rayJob.podTemplates(made);
    expect(templates.map(({ path, template: { metadata } }) => [path, metadata?.labels])).toEqual(
      ['spec.rayClusterSpec.headGroupSpec.template', 'spec.rayClusterSpec.workerGroupSpecs[0].template', 'spec.submitterPodTemplate'].map(
        (path) => [path, { 'slashtrain.dev/run': 'digits' }],
      ),
    );
    expect(templates[2]?.template.spec).toMatchObject({
      restartPolicy: 'Never',
      containers: [{ name: 'ray-job-submitter', image: 'ray:2' }],
    });
    expect(made['spec']).toMatchObject({ shutdownAfterJobFinishes: true });
    expect(rayJob.podSelector(made)).toBe('slashtrain.dev/run=digits');
  });

  it.each([
    ['its own clean-up', { deletionStrategy: { deletionRules: [] } }, undefined],
    ['a cluster that is to stay', { shutdownAfterJobFinishes: false }, false],
  ])('keeps %s', (_, more, expected) => {
    const made = rayJobWith(undefined, { submissionMode: 'HTTPMode', ...more });
    rayJob.finish?.(made);
    expect((made['spec'] as { shutdownAfterJobFinishes?: boolean }).shutdownAfterJobFinishes).toBe(expected);
    expect(made['spec']).not.toHaveProperty('submitterPodTemplate');
  });

  it('has its deadline on itself and on its pods', () => {
    const made = rayJobWith(undefined);
    rayJob.setDeadline(made, 3600);
    expect(made['spec']).toHaveProperty('activeDeadlineSeconds', 3600);
    expect(rayJob.podTemplates(made).map(({ template: { spec } }) => spec?.activeDeadlineSeconds)).toEqual([3600, 3600]);
  });

  it('takes plain words in what a shell reads, and anything in env', () => {
    const made = rayJobWith(undefined, { entrypoint: 'python train.py --epochs=$(params.epochs)' });
    rayJob.setParameters(
      made,
      new Map([
        ['epochs', '20'],
        ['lr', '$(rm -rf /)'],
      ]),
    );
    expect(made['spec']).toHaveProperty('entrypoint', 'python train.py --epochs=20');
    expect(rayJob.podTemplates(made)[0]?.template.spec?.containers?.[0]?.env).toEqual([{ name: 'LR', value: '$$(rm -rf /)' }]);
  });

  it.each(['20; id', '$(id)', '`id`', "'", 'a b', '20\nid'])('refuses %j in what a shell reads', (value) => {
    for (const key of ['entrypoint', 'runtimeEnvYAML']) {
      const made = rayJobWith(undefined, { [key]: 'x: $(params.epochs)' });
      const given = new Map([
        ['epochs', value],
        ['lr', '1'],
      ]);
      expect(() => rayJob.setParameters(made, given)).toThrow(`stands in spec.${key}, which a shell reads`);
    }
  });

  it('is refused on a cluster that runs already', () => {
    const made = rayJobWith(undefined, { clusterSelector: { 'ray.io/cluster': 'shared' } });
    expect(() => rayJob.podTemplates(made)).toThrow('spec.clusterSelector');
  });
});
