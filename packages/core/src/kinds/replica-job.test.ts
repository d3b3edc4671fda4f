import { describe, expect, it } from '@jest/globals';
import type { Status } from '../run/state.ts';
import type { Kind, KubernetesObject } from './kind.ts';
import { mpiJob } from './mpi-job.ts';
import { jaxJob, mpiJobV1, paddleJob, pytorchJob, tfJob, xgboostJob } from './training-operator.ts';

// What training-operator 1.9.3 wrote on the real cluster (Kubernetes 1.35.4) on 2026-11-21, watched with
// `kubectl get pytorchjobs --watch -o json` and so on while busybox ran what each case says. Left out: replicaStatuses,
// lastUpdateTime.
const at = '2026-11-21T15:00:5';
const startedAt = '2026-11-21T15:00:44Z';
const condition = (type: string, status: string, reason: string, message: string, time = `${at}3Z`): object => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: time,
});
const created = condition('Created', 'True', 'PyTorchJobCreated', 'PyTorchJob ok is created.', startedAt);
const running = condition('Running', 'True', 'PyTorchJobRunning', 'PyTorchJob ok is running.', `${at}1Z`);
const noLonger = condition('Running', 'False', 'PyTorchJobRunning', 'PyTorchJob ok is running.', `${at}1Z`);
const late = 'has failed because it was active longer than specified deadline';
const started = { startTime: startedAt };
const completed = { ...started, completionTime: `${at}4Z` };
const ended = { startedAt, endedAt: `${at}4Z` };

interface Case {
  what: string;
  kind: Kind;
  status: object | undefined;
  labels?: Record<string, string>;
  expected: Status;
}

const recorded: Case[] = [
  { what: 'just made', kind: pytorchJob, status: undefined, expected: { state: 'queued' } },
  { what: 'its pods wait', kind: pytorchJob, status: { conditions: [created], ...started }, expected: { state: 'queued' } },
  {
    what: 'its pods run',
    kind: pytorchJob,
    status: { conditions: [created, running], ...started },
    expected: { state: 'running', startedAt },
  },
  {
    what: 'its master failed with a code that is tried again',
    kind: pytorchJob,
    status: {
      conditions: [
        created,
        condition('Restarting', 'True', 'PyTorchJobRestarting', 'job retry is restarting because Master replica(s) failed.'),
      ],
      ...started,
    },
    expected: { state: 'running', startedAt },
  },
  {
    what: 'all went well',
    kind: pytorchJob,
    status: {
      conditions: [created, noLonger, condition('Succeeded', 'True', 'PyTorchJobSucceeded', 'PyTorchJob ok is successfully completed.')],
      ...completed,
    },
    expected: { state: 'succeeded', progress: 1, ...ended },
  },
  {
    what: 'its master failed',
    kind: pytorchJob,
    status: {
      conditions: [
        created,
        noLonger,
        condition('Failed', 'True', 'PyTorchJobFailed', 'PyTorchJob fail is failed because 1 Master replica(s) failed.'),
      ],
      ...completed,
    },
    expected: {
      state: 'failed',
      message: 'PyTorchJobFailed: PyTorchJob fail is failed because 1 Master replica(s) failed.',
      ...ended,
    },
  },
  {
    what: 'its master failed with a code that is not tried again',
    kind: pytorchJob,
    status: {
      conditions: [
        created,
        noLonger,
        condition('Failed', 'True', 'PyTorchJobFailed', 'job "permanent" is failing because "Master" replica(s) failed.'),
      ],
      ...started,
    },
    expected: {
      state: 'failed',
      message: 'PyTorchJobFailed: job "permanent" is failing because "Master" replica(s) failed.',
      startedAt,
      endedAt: `${at}3Z`,
    },
  },
  {
    what: 'failed too often',
    kind: pytorchJob,
    status: {
      conditions: [
        created,
        noLonger,
        condition('Failed', 'True', 'PyTorchJobFailed', 'Job backoff has failed because it has reached the specified backoff limit'),
      ],
      ...completed,
    },
    expected: {
      state: 'failed',
      reason: 'retries',
      message: 'PyTorchJobFailed: Job backoff has failed because it has reached the specified backoff limit',
      ...ended,
    },
  },
  {
    what: 'over its deadline, by its pod',
    kind: pytorchJob,
    status: { conditions: [created, noLonger, condition('Failed', 'True', 'PyTorchJobFailed', `Job late ${late}`)], ...completed },
    expected: { state: 'failed', reason: 'deadline', message: `PyTorchJobFailed: Job late ${late}`, ...ended },
  },
  {
    what: 'made suspended',
    kind: pytorchJob,
    status: { conditions: [created, condition('Suspended', 'True', 'PyTorchJobSuspended', 'PyTorchJob held is suspended.')] },
    expected: { state: 'suspended', message: 'PyTorchJobSuspended: PyTorchJob held is suspended.' },
  },
  {
    what: 'suspended while it ran',
    kind: pytorchJob,
    status: {
      conditions: [
        created,
        condition('Running', 'False', 'PyTorchJobSuspended', 'PyTorchJob paused is suspended.'),
        condition('Suspended', 'True', 'PyTorchJobSuspended', 'PyTorchJob paused is suspended.'),
      ],
      ...started,
    },
    expected: { state: 'suspended', message: 'PyTorchJobSuspended: PyTorchJob paused is suspended.' },
  },
  {
    what: 'suspended by Kueue',
    kind: pytorchJob,
    labels: { 'kueue.x-k8s.io/queue-name': 'team-a' },
    status: { conditions: [created, condition('Suspended', 'True', 'PyTorchJobSuspended', 'PyTorchJob held is suspended.')] },
    expected: { state: 'queued', message: 'waits in the queue team-a' },
  },
  {
    what: 'resumed, its pod waits',
    kind: pytorchJob,
    status: {
      conditions: [created, condition('Suspended', 'False', 'PyTorchJobResumed', 'PyTorchJob held is resumed.')],
      ...started,
    },
    expected: { state: 'queued' },
  },
  {
    what: 'resumed and done',
    kind: pytorchJob,
    status: {
      conditions: [
        created,
        condition('Suspended', 'False', 'PyTorchJobResumed', 'PyTorchJob held is resumed.'),
        noLonger,
        condition('Succeeded', 'True', 'PyTorchJobSucceeded', 'PyTorchJob held is successfully completed.'),
      ],
      ...completed,
    },
    expected: { state: 'succeeded', progress: 1, ...ended },
  },
  {
    what: 'its chief waits while the others run',
    kind: tfJob,
    status: { conditions: [created], ...started, replicaStatuses: { Chief: {}, PS: { active: 1 }, Worker: { active: 1 } } },
    expected: { state: 'queued' },
  },
  {
    what: 'its chief is done, its parameter server ran on',
    kind: tfJob,
    status: {
      conditions: [created, noLonger, condition('Succeeded', 'True', 'TFJobSucceeded', 'TFJob train-fix/tfj-ok successfully completed.')],
      ...completed,
    },
    expected: { state: 'succeeded', progress: 1, ...ended },
  },
  ...(
    [
      [tfJob, 'TFJobFailed', 'TFJob train-fix/tfj-fail has failed because 1 Worker replica(s) failed.'],
      [xgboostJob, 'XGBoostJobFailed', 'XGBoostJob xgb-fail is failed because 1 Master replica(s) failed.'],
      [paddleJob, 'PaddleJobFailed', 'PaddleJob pad-fail is failed because 1 Worker replica(s) failed.'],
      [jaxJob, 'JAXJobFailed', 'JAXJob jax-fail is failed because 1 Worker replica(s) failed.'],
    ] as const
  ).map(([kind, reason, message]): Case => ({
    what: 'a replica failed',
    kind,
    status: { conditions: [created, noLonger, condition('Failed', 'True', reason, message)], ...completed },
    expected: { state: 'failed', message: `${reason}: ${message}`, ...ended },
  })),
  {
    what: 'over its deadline while its launcher waited for an image',
    kind: mpiJobV1,
    status: { conditions: [created, condition('Failed', 'True', 'MPIJobFailed', `Job late ${late}`)], ...completed },
    expected: { state: 'failed', reason: 'deadline', message: `MPIJobFailed: Job late ${late}`, ...ended },
  },
];

// From upstream's source, which says what is written; no run of these is on record.
const derived: Case[] = [
  {
    // https://github.com/kubeflow/training-operator/blob/v1.9.3/pkg/controller.v1/tensorflow/tfjob_controller.go, "UpdateJobStatus"
    what: 'its chief succeeded and a worker failed at the same time',
    kind: tfJob,
    status: {
      conditions: [
        created,
        condition('Succeeded', 'True', 'TFJobSucceeded', 'TFJob a/b successfully completed.'),
        condition('Failed', 'True', 'TFJobFailed', 'TFJob a/b has failed because 1 Worker replica(s) failed.'),
      ],
      ...completed,
    },
    expected: { state: 'failed', message: 'TFJobFailed: TFJob a/b has failed because 1 Worker replica(s) failed.', ...ended },
  },
  // https://github.com/kubeflow/training-operator/blob/v1.9.3/pkg/controller.v1/mpi/mpijob_controller.go, "updateMPIJobStatus"
  {
    what: "its launcher's own deadline passed",
    kind: mpiJobV1,
    status: { conditions: [condition('Failed', 'True', 'DeadlineExceeded', 'MPIJob a/b has failed')], ...completed },
    expected: { state: 'failed', reason: 'deadline', message: 'DeadlineExceeded: MPIJob a/b has failed', ...ended },
  },
  {
    what: 'its workers were evicted',
    kind: mpiJobV1,
    status: { conditions: [condition('Failed', 'True', 'MPIJobEvicted', '1/2 workers are evicted')], ...completed },
    expected: { state: 'failed', reason: 'evicted', message: 'MPIJobEvicted: 1/2 workers are evicted', ...ended },
  },
  // https://github.com/kubeflow/mpi-operator/blob/v0.7.0/pkg/controller/mpi_job_controller.go, "updateMPIJobFailedStatus"
  {
    what: 'its launcher was evicted too often',
    kind: mpiJob,
    status: { conditions: [condition('Failed', 'True', 'BackoffLimitExceeded/Evicted', 'x')], ...completed },
    expected: { state: 'failed', reason: 'evicted', message: 'BackoffLimitExceeded/Evicted: x', ...ended },
  },
];

// What mpi-operator 0.7.0 wrote on 2026-11-21 for an API server (Kubernetes 1.35.4) with the Job controller and without
// nodes: the phases of the pods were patched in. Left out is as above.
const mpiCreated = condition('Created', 'True', 'MPIJobCreated', 'MPIJob t/ok is created.', startedAt);
const mpiRunning = (status: string): object => condition('Running', status, 'MPIJobRunning', 'MPIJob t/ok is running.', `${at}1Z`);
const mpiRecorded: Case[] = [
  {
    what: 'its workers run, its launcher waits',
    kind: mpiJob,
    status: { conditions: [mpiCreated], ...started },
    expected: { state: 'queued' },
  },
  {
    what: 'all of it runs',
    kind: mpiJob,
    status: { conditions: [mpiCreated, mpiRunning('True')], ...started },
    expected: { state: 'running', startedAt },
  },
  {
    what: 'its launcher is done',
    kind: mpiJob,
    status: {
      conditions: [
        mpiCreated,
        mpiRunning('False'),
        condition('Succeeded', 'True', 'MPIJobSucceeded', 'MPIJob t/ok successfully completed.'),
      ],
      ...completed,
    },
    expected: { state: 'succeeded', progress: 1, ...ended },
  },
  {
    what: 'its launcher failed too often',
    kind: mpiJob,
    status: {
      conditions: [
        mpiCreated,
        mpiRunning('False'),
        condition('Failed', 'True', 'BackoffLimitExceeded/', 'Job has reached the specified backoff limit: '),
      ],
      ...completed,
    },
    expected: {
      state: 'failed',
      reason: 'retries',
      message: 'BackoffLimitExceeded/: Job has reached the specified backoff limit: ',
      ...ended,
    },
  },
  {
    what: 'over its deadline',
    kind: mpiJob,
    status: {
      conditions: [
        mpiCreated,
        mpiRunning('False'),
        condition('Failed', 'True', 'DeadlineExceeded', 'Job was active longer than specified deadline'),
      ],
      ...completed,
    },
    expected: {
      state: 'failed',
      reason: 'deadline',
      message: 'DeadlineExceeded: Job was active longer than specified deadline',
      ...ended,
    },
  },
  {
    what: 'a worker of it was evicted',
    kind: mpiJob,
    status: {
      conditions: [mpiCreated, mpiRunning('False'), condition('Failed', 'True', 'MPIJobEvicted', '1/2 workers are evicted', `${at}8Z`)],
      ...started,
    },
    expected: { state: 'failed', reason: 'evicted', message: 'MPIJobEvicted: 1/2 workers are evicted', startedAt, endedAt: `${at}8Z` },
  },
  {
    what: 'made suspended',
    kind: mpiJob,
    status: {
      conditions: [
        mpiCreated,
        condition('Suspended', 'True', 'MPIJobSuspended', 'MPIJob suspended'),
        condition('Running', 'False', 'MPIJobSuspended', 'MPIJob t/held is suspended.'),
      ],
    },
    expected: { state: 'suspended', message: 'MPIJobSuspended: MPIJob suspended' },
  },
  {
    what: 'resumed, its pods wait',
    kind: mpiJob,
    status: {
      conditions: [
        mpiCreated,
        condition('Running', 'False', 'MPIJobSuspended', 'MPIJob t/held is suspended.'),
        condition('Suspended', 'False', 'MPIJobResumed', 'MPIJob resumed'),
      ],
      ...started,
    },
    expected: { state: 'queued' },
  },
];

function statusIn(kind: Kind, status: object | undefined, labels: Record<string, string> = {}): Status {
  const { group, version, kind: name } = kind.resource;
  return kind.status({
    apiVersion: `${group}/${version}`,
    kind: name,
    metadata: { name: 'digits', labels },
    ...(status === undefined ? {} : { status }),
  });
}

describe('the status of a training job', () => {
  it.each(recorded.map((one) => ({ ...one, name: one.kind.resource.kind })))(
    'of a recorded $name is $expected.state: $what',
    ({ kind, status, labels, expected }) => {
      expect(statusIn(kind, status, labels)).toEqual(expected);
    },
  );

  it.each(mpiRecorded)('of a recorded MPIJob v2beta1 is $expected.state: $what', ({ kind, status, expected }) => {
    expect(statusIn(kind, status)).toEqual(expected);
  });

  it.each(derived.map((one) => ({ ...one, name: `${one.kind.resource.kind} ${one.kind.resource.version}` })))(
    'of a $name as upstream writes it is $expected.state: $what',
    ({ kind, status, labels, expected }) => {
      expect(statusIn(kind, status, labels)).toEqual(expected);
    },
  );
});

const all: [string, Kind, string][] = [
  ['PyTorchJob', pytorchJob, 'pytorchReplicaSpecs'],
  ['TFJob', tfJob, 'tfReplicaSpecs'],
  ['XGBoostJob', xgboostJob, 'xgbReplicaSpecs'],
  ['PaddleJob', paddleJob, 'paddleReplicaSpecs'],
  ['JAXJob', jaxJob, 'jaxReplicaSpecs'],
  ['MPIJob v1', mpiJobV1, 'mpiReplicaSpecs'],
  ['MPIJob v2beta1', mpiJob, 'mpiReplicaSpecs'],
];

function objectOf(kind: Kind, spec: object): KubernetesObject {
  return { apiVersion: 'kubeflow.org/v1', kind: kind.resource.kind, metadata: { name: 'digits', uid: 'u-1' }, spec };
}

describe.each(all)('what is put into a %s', (_, kind, field) => {
  const pod = (): object => ({ spec: { containers: [{ name: 'main', args: ['$(params.epochs)'] }] } });
  const object = (runPolicy?: object): KubernetesObject =>
    objectOf(kind, {
      [field]: { Master: { template: pod() }, Worker: { replicas: 2, template: pod() } },
      ...(runPolicy ? { runPolicy } : {}),
    });

  it('goes into the pods of all its replicas', () => {
    const made = object();
    kind.setParameters(made, new Map([['epochs', '3']]));
    expect(kind.podTemplates(made)).toEqual(
      ['Master', 'Worker'].map((role) => ({
        path: `spec.${field}.${role}.template`,
        template: { spec: { containers: [{ name: 'main', args: ['3'] }] } },
      })),
    );
  });

  it('has the deadline on itself and on its pods, and is kept with what ended and nothing that runs', () => {
    const made = object({ backoffLimit: 2 });
    kind.setDeadline(made, 3600);
    kind.setTtl(made, 86_400);
    expect(made['spec']).toMatchObject({
      runPolicy: { backoffLimit: 2, activeDeadlineSeconds: 3600, ttlSecondsAfterFinished: 86_400, cleanPodPolicy: 'Running' },
      [field]: {
        Master: { template: { spec: { activeDeadlineSeconds: 3600 } } },
        Worker: { template: { spec: { activeDeadlineSeconds: 3600 } } },
      },
    });
  });

  it('waits until it is released', () => {
    const made = object();
    kind.suspension?.set(made);
    expect(made['spec']).toHaveProperty('runPolicy.suspend', true);
    expect(kind.suspension?.release).toEqual({ spec: { runPolicy: { suspend: false } } });
  });
});

describe('what a training job is given', () => {
  it.each([
    ['All', 'Running'],
    ['Running', 'Running'],
    ['None', 'None'],
  ])('of cleanPodPolicy %s becomes %s', (own, expected) => {
    const made = objectOf(pytorchJob, { runPolicy: { cleanPodPolicy: own }, pytorchReplicaSpecs: {} });
    pytorchJob.setTtl(made, 60);
    expect(made['spec']).toHaveProperty('runPolicy.cleanPodPolicy', expected);
  });

  it('has the cleanPodPolicy that an MPIJob v1 says in its old place', () => {
    const made = objectOf(mpiJobV1, { cleanPodPolicy: 'None', mpiReplicaSpecs: {} });
    mpiJobV1.setTtl(made, 60);
    expect(made['spec']).toEqual({ cleanPodPolicy: 'None', runPolicy: { ttlSecondsAfterFinished: 60 }, mpiReplicaSpecs: {} });
  });

  it.each([
    ['no spec', undefined, 'the PyTorchJob has no "spec"'],
    ['no replicas', {}, 'the PyTorchJob has no "spec.pytorchReplicaSpecs"'],
    ['a replica without pod', { pytorchReplicaSpecs: { Master: {} } }, 'the PyTorchJob has no "spec.pytorchReplicaSpecs.Master.template"'],
    ['replicas of another kind', { tfReplicaSpecs: {} }, 'the PyTorchJob has no "spec.pytorchReplicaSpecs"'],
  ])('is refused with %s', (_, spec, message) => {
    expect(() => pytorchJob.podTemplates(objectOf(pytorchJob, spec as object))).toThrow(message);
  });

  it('is refused with a run policy that is none', () => {
    const made = objectOf(pytorchJob, { runPolicy: ['suspend'], pytorchReplicaSpecs: {} });
    expect(() => pytorchJob.setTtl(made, 60)).toThrow('"spec.runPolicy" of the PyTorchJob is no map');
  });

  it.each(all)('finds the pods of a %s and of no other kind of the same name', (_, kind) => {
    const selectors = all.map(([, { podSelector }]) => podSelector(objectOf(kind, {})));
    expect(new Set(selectors).size).toBe(all.length);
    expect(kind.podSelector(objectOf(kind, {}))).toMatch(
      /^training\.kubeflow\.org\/job-name=digits,training\.kubeflow\.org\/operator-name=[a-z-]+$/u,
    );
  });
});
