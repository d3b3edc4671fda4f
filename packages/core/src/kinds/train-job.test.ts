import { describe, expect, it } from '@jest/globals';
import type { Status } from '../run/state.ts';
import type { KubernetesObject, PodSettings } from './kind.ts';
import { trainJob } from './train-job.ts';

// The statuses are those that Kubeflow Trainer 2.3.0 wrote on the real cluster (Kubernetes 1.35.4, JobSet 0.12.0), watched
// with `kubectl get trainjobs --watch -o json` while busybox ran what each case says, two nodes each; those marked with a
// link are made after upstream's types.
const jobs = (counts: object = {}, more: object = {}): object => ({
  jobsStatus: [{ active: 0, failed: 0, name: 'node', ready: 0, succeeded: 0, suspended: 0, ...counts }],
  ...more,
});
const time = '2026-11-21T15:05:07Z';
const condition = (type: string, reason: string, message: string, status = 'True'): object => ({
  lastTransitionTime: time,
  message,
  reason,
  status,
  type,
});
const failedJobs = 'jobset failed due to one or more job failures (first failed job: tbad-node-0)';
const late = 'TrainJob exceeded its active deadline';
const held = condition('Suspended', 'Suspended', 'TrainJob is suspended');
const resumed = condition('Suspended', 'Resumed', 'TrainJob is resumed', 'False');
const running: Status = { state: 'running' };

interface Case {
  what: string;
  status: object | undefined;
  labels?: Record<string, string>;
  before?: Status;
  expected: Status;
}

const cases: Case[] = [
  { what: 'just made', status: undefined, expected: { state: 'queued' } },
  { what: 'its Job is made', status: jobs(), expected: { state: 'queued' } },
  { what: 'its pods wait', status: jobs({ active: 1 }), expected: { state: 'queued' } },
  { what: 'its pods run', status: jobs({ active: 1, ready: 1 }), expected: running },
  { what: 'its pods have ended and are not counted yet', status: jobs({ active: 1 }), before: running, expected: running },
  {
    what: 'Complete',
    status: jobs({ succeeded: 1 }, { conditions: [condition('Complete', 'AllJobsCompleted', 'jobset completed successfully')] }),
    expected: { state: 'succeeded', progress: 1, endedAt: time },
  },
  {
    what: 'a node failed',
    status: jobs({ failed: 1 }, { conditions: [condition('Failed', 'FailedJobs', failedJobs)] }),
    expected: { state: 'failed', message: `FailedJobs: ${failedJobs}`, endedAt: time },
  },
  {
    what: 'over its deadline, its pods are being stopped',
    status: jobs({ active: 1, ready: 1 }, { conditions: [condition('Failed', 'DeadlineExceeded', late)] }),
    expected: { state: 'failed', reason: 'deadline', message: `DeadlineExceeded: ${late}`, endedAt: time },
  },
  {
    what: 'made suspended',
    status: { conditions: [held] },
    expected: { state: 'suspended', message: 'Suspended: TrainJob is suspended' },
  },
  {
    what: 'suspended by Kueue',
    labels: { 'kueue.x-k8s.io/queue-name': 'team-a' },
    status: jobs({ suspended: 1 }, { conditions: [held] }),
    expected: { state: 'queued', message: 'waits in the queue team-a' },
  },
  {
    what: 'resumed: the condition stays, as False',
    status: jobs({ suspended: 1 }, { conditions: [resumed] }),
    expected: { state: 'queued' },
  },
  { what: 'resumed and runs', status: jobs({ active: 1, ready: 1 }, { conditions: [resumed] }), expected: running },
  {
    what: 'resumed, then Complete',
    status: jobs({ succeeded: 1 }, { conditions: [resumed, condition('Complete', 'AllJobsCompleted', 'jobset completed successfully')] }),
    expected: { state: 'succeeded', progress: 1, endedAt: time },
  },
  // https://github.com/kubeflow/trainer/blob/v2.3.0/pkg/apis/trainer/v1alpha1/trainjob_types.go, "TrainerStatus"
  {
    what: 'it says how far it is',
    status: jobs({ active: 1, ready: 1 }, { trainerStatus: { progressPercentage: 40, lastUpdatedTime: time } }),
    expected: { ...running, progress: 0.4 },
  },
  // https://github.com/kubeflow/trainer/blob/v2.3.0/pkg/controller/trainjob_controller.go, "unsupported runtime"
  {
    what: 'its runtime is of no kind that Trainer knows',
    status: { conditions: [condition('Failed', 'TrainingRuntimeNotSupported', 'unsupported runtime: Nope.example.com')] },
    expected: {
      state: 'failed',
      reason: 'config',
      message: 'TrainingRuntimeNotSupported: unsupported runtime: Nope.example.com',
      endedAt: time,
    },
  },
];

function trainJobWith(status: object | undefined, labels: Record<string, string> = {}, spec: object = {}): KubernetesObject {
  const made = { apiVersion: 'trainer.kubeflow.org/v1alpha1', kind: 'TrainJob', metadata: { name: 'digits', labels } };
  return { ...made, spec: { runtimeRef: { name: 'plain' }, ...spec }, ...(status ? { status } : {}) };
}

describe('the status of a TrainJob', () => {
  it.each(cases)('is $expected.state: $what', ({ status, labels, before, expected }) => {
    expect(trainJob.status(trainJobWith(status, labels), before)).toEqual(expected);
  });

  it('gives the metrics that the trainer told', () => {
    const metrics = [{ name: 'loss', value: '0.25' }];
    expect(trainJob.outputs?.(trainJobWith({ trainerStatus: { metrics, lastUpdatedTime: time } }))).toEqual(metrics);
    expect(trainJob.outputs?.(trainJobWith(undefined))).toEqual([]);
  });
});

describe('what is put into a TrainJob', () => {
  const settings: PodSettings = {
    labels: { 'slashtrain.dev/sha': 'abc' },
    ours: new Map([['SLASHTRAIN_RUN', 'digits']]),
    offered: new Map(),
    given: [{ name: 'SEED', value: '1' }],
    tags: {},
    secrets: [],
  };

  it('goes to the trainer: parameters, images and env', () => {
    const made = trainJobWith(undefined, {}, { trainer: { numNodes: 2, args: ['$(params.epochs)'], env: [{ name: 'A', value: 'b' }] } });
    trainJob.setParameters(made, new Map([['epochs', '20']]));
    trainJob.setPods?.(made, settings);
    const [container] = trainJob.podTemplates(made)[0]?.template.spec?.containers ?? [];
    expect(container?.name).toBe('node');
    if (container) container.image = 'r/i@sha256:1';
    expect(made['spec']).toMatchObject({
      trainer: {
        numNodes: 2,
        args: ['20'],
        image: 'r/i@sha256:1',
        env: expect.arrayContaining([
          { name: 'A', value: 'b' },
          { name: 'SEED', value: '1' },
          { name: 'SLASHTRAIN_RUN', value: 'digits' },
        ]) as unknown,
      },
    });
  });

  it('has a trainer where the manifest has none', () => {
    const made = trainJobWith(undefined);
    const [container] = trainJob.podTemplates(made)[0]?.template.spec?.containers ?? [];
    expect(made['spec']).not.toHaveProperty('trainer');
    if (container) container.resources = { limits: { 'nvidia.com/gpu': 1 } };
    expect(made['spec']).toHaveProperty('trainer', { resourcesPerNode: { limits: { 'nvidia.com/gpu': 1 } } });
  });

  it("patches the runtime's pods, beside the patches of others", () => {
    const theirs = { manager: 'example.com/theirs' };
    const made = trainJobWith(undefined, {}, { runtimePatches: [theirs] });
    const toleration = { key: 'gpu', operator: 'Exists' };
    trainJob.setPods?.(made, { ...settings, nodeSelector: { gpu: 'a100' } });
    trainJob.setPods?.(made, { ...settings, nodeSelector: { gpu: 'a100' }, tolerations: [toleration], serviceAccount: 'trainer' });
    const pod = {
      metadata: { labels: settings.labels },
      spec: { nodeSelector: { gpu: 'a100' }, tolerations: [toleration], serviceAccountName: 'trainer' },
    };
    const replicatedJobs = [{ name: 'node', template: { spec: { template: pod } } }];
    expect(made['spec']).toHaveProperty('runtimePatches', [
      theirs,
      { manager: 'slashtrain.dev/submit', trainingRuntimeSpec: { template: { spec: { replicatedJobs } } } },
    ]);
  });

  it.each([
    ['priority-class', { priorityClass: 'high' }],
    ['env-from-secret', { secrets: ['s3'] }],
  ])('has no place for %s, and says so', (input, more) => {
    expect(() => trainJob.setPods?.(trainJobWith(undefined), { ...settings, ...more })).toThrow(`input "${input}"`);
  });

  it('ends at its deadline by its controller', () => {
    const made = trainJobWith(undefined);
    trainJob.setDeadline(made, 3600);
    expect(made['spec']).toHaveProperty('activeDeadlineSeconds', 3600);
  });
});
