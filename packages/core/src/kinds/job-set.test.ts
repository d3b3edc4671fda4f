import { describe, expect, it } from '@jest/globals';
import type { Status } from '../run/state.ts';
import { jobSet } from './job-set.ts';
import type { KubernetesObject } from './kind.ts';

// The statuses are those that the JobSet controller 0.12.0 wrote on the real cluster (Kubernetes 1.35.4), watched with
// `kubectl get jobsets --watch -o json` while busybox ran what each case says.
const group = (counts: object = {}): object => ({ active: 0, failed: 0, name: 'workers', ready: 0, succeeded: 0, suspended: 0, ...counts });
const jobs = (counts?: object, more: object = {}): object => ({ replicatedJobsStatus: [group(counts)], restarts: 0, ...more });
const time = '2026-11-21T15:04:02Z';
const condition = (type: string, reason: string, message: string, status = 'True'): object => ({
  lastTransitionTime: time,
  message,
  reason,
  status,
  type,
});
const failedJobs = 'jobset failed due to one or more job failures (first failed job: bad-workers-0)';
const atDeadline = 'applying FailJobSet failure policy action (first failed job: late-workers-0)';
const maxRestarts = 'jobset failed due to reaching max number of restarts (first failed job: restarts-workers-0)';
const restarting = condition(
  'RestartingJobSet',
  'DefaultFailurePolicy',
  'applying RestartJobSet failure policy action (first failed job: restarts-workers-0)',
);
const suspended = condition('Suspended', 'SuspendedJobs', 'jobset is suspended');
const resumed = condition('Suspended', 'ResumeJobs', 'jobset is resumed', 'False');
const failed = (reason: string, message: string): object =>
  jobs({ failed: 1 }, { conditions: [condition('Failed', reason, message)], terminalState: 'Failed' });
const running: Status = { state: 'running' };
const ourRule = { name: 'slashtrainDeadline', action: 'FailJobSet', onJobFailureReasons: ['DeadlineExceeded'] };

interface Case {
  what: string;
  status: object | undefined;
  spec?: object;
  labels?: Record<string, string>;
  before?: Status;
  expected: Status;
}

const two = { replicatedJobs: [{ name: 'workers', replicas: 2 }] };
const cases: Case[] = [
  { what: 'just made', status: undefined, expected: { state: 'queued' } },
  { what: 'its Job is made', status: jobs(), expected: { state: 'queued' } },
  { what: 'its pod waits, or its image is missing', status: jobs({ active: 1 }), expected: { state: 'queued' } },
  { what: 'its pods run', status: jobs({ active: 1, ready: 1 }), expected: running },
  { what: 'one of its two Jobs runs', status: jobs({ active: 2, ready: 1 }), spec: two, expected: { ...running, progress: 0 } },
  { what: 'its pod has ended and is not counted yet', status: jobs({ active: 1 }), before: running, expected: running },
  { what: 'its Job has ended and is not counted yet', status: jobs(), before: running, expected: running },
  { what: 'one of two Jobs is done', status: jobs({ active: 1, succeeded: 1 }), spec: two, expected: { ...running, progress: 0.5 } },
  {
    what: 'Completed',
    status: jobs(
      { succeeded: 2 },
      { conditions: [condition('Completed', 'AllJobsCompleted', 'jobset completed successfully')], terminalState: 'Completed' },
    ),
    expected: { state: 'succeeded', progress: 1, endedAt: time },
  },
  {
    what: 'resumed, then Completed: the condition stays, as False',
    status: jobs(
      { succeeded: 1 },
      { conditions: [resumed, condition('Completed', 'AllJobsCompleted', 'jobset completed successfully')], terminalState: 'Completed' },
    ),
    expected: { state: 'succeeded', progress: 1, endedAt: time },
  },
  {
    what: 'a Job failed',
    status: failed('FailedJobs', failedJobs),
    expected: { state: 'failed', message: `FailedJobs: ${failedJobs}`, endedAt: time },
  },
  {
    what: 'its Job failed and is made again',
    status: jobs({}, { conditions: [restarting], restarts: 1, restartsCountTowardsMax: 1 }),
    expected: running,
  },
  {
    what: 'failed too often',
    status: failed('ReachedMaxRestarts', maxRestarts),
    expected: { state: 'failed', reason: 'retries', message: `ReachedMaxRestarts: ${maxRestarts}`, endedAt: time },
  },
  {
    what: 'over its deadline, by our rule',
    spec: { ...two, failurePolicy: { maxRestarts: 2, rules: [ourRule] } },
    status: failed('FailJobSetFailurePolicyAction', atDeadline),
    expected: { state: 'failed', reason: 'deadline', message: `FailJobSetFailurePolicyAction: ${atDeadline}`, endedAt: time },
  },
  {
    what: 'ended by one of two rules',
    spec: { ...two, failurePolicy: { rules: [ourRule, { name: 'theirs', action: 'FailJobSet' }] } },
    status: failed('FailJobSetFailurePolicyAction', atDeadline),
    expected: { state: 'failed', message: `FailJobSetFailurePolicyAction: ${atDeadline}`, endedAt: time },
  },
  {
    what: 'made suspended',
    status: jobs({ suspended: 1 }, { conditions: [suspended] }),
    expected: { state: 'suspended', message: 'SuspendedJobs: jobset is suspended' },
  },
  {
    what: 'suspended by Kueue',
    labels: { 'kueue.x-k8s.io/queue-name': 'team-a' },
    status: jobs({ suspended: 1 }, { conditions: [suspended] }),
    expected: { state: 'queued', message: 'waits in the queue team-a' },
  },
  { what: 'resumed, its pod waits', status: jobs({ active: 1 }, { conditions: [resumed] }), expected: { state: 'queued' } },
  { what: 'resumed and runs', status: jobs({ active: 1, ready: 1 }, { conditions: [resumed] }), expected: running },
];

function jobSetWith(status: object | undefined, spec: object = {}, labels: Record<string, string> = {}): KubernetesObject {
  return {
    apiVersion: 'jobset.x-k8s.io/v1alpha2',
    kind: 'JobSet',
    metadata: { name: 'digits', labels },
    spec,
    ...(status ? { status } : {}),
  };
}

describe('the status of a JobSet', () => {
  it.each(cases)('is $expected.state: $what', ({ status, spec, labels, before, expected }) => {
    expect(jobSet.status(jobSetWith(status, spec, labels), before)).toEqual(expected);
  });
});

describe('what is put into a JobSet', () => {
  const pod = { spec: { containers: [{ name: 'main', args: ['--epochs=$(params.epochs)'] }] } };
  const object = (more: object = {}): KubernetesObject =>
    jobSetWith(undefined, {
      replicatedJobs: [
        { name: 'leader', template: { spec: { template: structuredClone(pod) } } },
        { name: 'workers', replicas: 2, template: { spec: { template: structuredClone(pod) } } },
      ],
      ...more,
    });

  it('has the parameters in all its Jobs', () => {
    const made = object();
    jobSet.setParameters(made, new Map([['epochs', '20']]));
    expect(jobSet.podTemplates(made).map(({ path, template }) => [path, template.spec?.containers?.[0]?.args])).toEqual([
      ['spec.replicatedJobs[0].template.spec.template', ['--epochs=20']],
      ['spec.replicatedJobs[1].template.spec.template', ['--epochs=20']],
    ]);
  });

  it('ends at its deadline although it restarts: on the Jobs, their pods, and as the first rule', () => {
    const theirs = { name: 'theirs', action: 'RestartJobSet' };
    const made = object({ failurePolicy: { maxRestarts: 3, rules: [theirs] } });
    jobSet.setDeadline(made, 600);
    jobSet.setDeadline(made, 3600);
    const deadlines = jobSet.podTemplates(made).map(({ template }) => template.spec?.activeDeadlineSeconds);
    expect(deadlines).toEqual([3600, 3600]);
    expect(made['spec']).toMatchObject({
      replicatedJobs: [{ template: { spec: { activeDeadlineSeconds: 3600 } } }, { template: { spec: { activeDeadlineSeconds: 3600 } } }],
      failurePolicy: { maxRestarts: 3, rules: [ourRule, theirs] },
    });
  });

  it('stays at least as long as asked', () => {
    const made = object({ ttlSecondsAfterFinished: 60 });
    jobSet.setTtl(made, 86_400);
    expect(made['spec']).toHaveProperty('ttlSecondsAfterFinished', 86_400);
  });

  it.each([
    ['no Jobs', {}, 'the JobSet has no "spec.replicatedJobs"'],
    ['a Job that is none', { replicatedJobs: [7] }, 'the JobSet\'s spec.replicatedJobs[0] has no "template"'],
    [
      'a Job without pods',
      { replicatedJobs: [{ template: { spec: {} } }] },
      'the JobSet\'s spec.replicatedJobs[0].template.spec has no "template"',
    ],
  ])('is refused with %s', (_, spec, message) => {
    expect(() => jobSet.podTemplates(jobSetWith(undefined, spec))).toThrow(message);
  });
});
