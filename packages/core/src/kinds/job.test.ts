import { describe, expect, it } from '@jest/globals';
import type { Status } from '../run/state.ts';
import { job } from './job.ts';
import type { KubernetesObject } from './kind.ts';

// The statuses are those that kube-controller-manager 1.35.4 wrote on the real cluster, watched with
// `kubectl get jobs --watch -o json` while busybox ran what each case says; UIDs and probe times are left out.
const started = { startTime: '2026-11-21T12:01:47Z', terminating: 0 };
const waiting = { active: 1, ready: 0, ...started, uncountedTerminatedPods: {} };
const running = { active: 1, ready: 1, ...started, uncountedTerminatedPods: {} };
const condition = (type: string, reason: string, message: string, time = '2026-11-21T12:02:03Z', status = 'True'): object => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: time,
});
const reached = 'Reached expected number of succeeded pods';
const limit = 'Job has reached the specified backoff limit';
const late = 'Job was active longer than specified deadline';
const exit42 = 'Container main for pod jobcases/policy-7lw8x failed with exit code 42 matching FailJob rule at index 0';
const startedAt = started.startTime;

interface Case {
  what: string;
  status: object | undefined;
  spec?: object;
  labels?: Record<string, string>;
  before?: Status;
  expected: Status;
}

const cases: Case[] = [
  { what: 'just made', status: undefined, expected: { state: 'queued' } },
  { what: 'seen by no controller', status: {}, expected: { state: 'queued' } },
  { what: 'its pod waits for a node', status: waiting, expected: { state: 'queued' } },
  { what: 'its pod runs', status: running, expected: { state: 'running', startedAt } },
  {
    what: 'its pod has ended and is not counted yet',
    status: waiting,
    before: { state: 'running', startedAt },
    expected: { state: 'running', startedAt },
  },
  {
    what: 'started again after it was suspended, its new pod waits',
    status: { ...waiting, startTime: '2026-11-21T13:00:00Z' },
    before: { state: 'running', startedAt },
    expected: { state: 'queued' },
  },
  {
    what: 'has succeeded and is not Complete',
    status: {
      ...started,
      ready: 0,
      conditions: [condition('SuccessCriteriaMet', 'CompletionsReached', reached)],
      uncountedTerminatedPods: { succeeded: ['379e777c-c246-4d5b-a550-f4483f8ac755'] },
    },
    expected: { state: 'running', startedAt },
  },
  {
    what: 'Complete',
    status: {
      ...started,
      completionTime: '2026-11-21T12:01:53Z',
      conditions: [condition('SuccessCriteriaMet', 'CompletionsReached', reached), condition('Complete', 'CompletionsReached', reached)],
      ready: 0,
      succeeded: 1,
      uncountedTerminatedPods: {},
    },
    expected: { state: 'succeeded', progress: 1, startedAt, endedAt: '2026-11-21T12:01:53Z' },
  },
  {
    what: 'its first pod failed, the next is not made yet',
    status: { ...started, failed: 1, ready: 0, uncountedTerminatedPods: {} },
    expected: { state: 'running', startedAt },
  },
  { what: 'its second pod waits', status: { ...waiting, failed: 1 }, expected: { state: 'running', startedAt } },
  {
    what: 'has failed too often and is not Failed',
    status: {
      ...started,
      failed: 1,
      ready: 0,
      conditions: [condition('FailureTarget', 'BackoffLimitExceeded', limit)],
      uncountedTerminatedPods: { failed: ['8ad3d9ad-9900-40ec-96db-b6bd69d4a255'] },
    },
    expected: { state: 'running', startedAt },
  },
  {
    what: 'failed too often',
    status: {
      ...started,
      failed: 2,
      ready: 0,
      conditions: [condition('FailureTarget', 'BackoffLimitExceeded', limit), condition('Failed', 'BackoffLimitExceeded', limit)],
      uncountedTerminatedPods: {},
    },
    expected: { state: 'failed', reason: 'retries', message: `BackoffLimitExceeded: ${limit}`, startedAt, endedAt: '2026-11-21T12:02:03Z' },
  },
  {
    what: 'over its deadline, its pod is being stopped',
    status: { ...started, failed: 1, ready: 0, terminating: 1, conditions: [condition('FailureTarget', 'DeadlineExceeded', late)] },
    expected: { state: 'running', startedAt },
  },
  {
    what: 'over its deadline',
    status: {
      ...started,
      failed: 1,
      ready: 0,
      conditions: [condition('FailureTarget', 'DeadlineExceeded', late), condition('Failed', 'DeadlineExceeded', late)],
    },
    expected: { state: 'failed', reason: 'deadline', message: `DeadlineExceeded: ${late}`, startedAt, endedAt: '2026-11-21T12:02:03Z' },
  },
  {
    what: 'failed by its pod failure policy',
    status: {
      ...started,
      failed: 1,
      ready: 0,
      conditions: [condition('FailureTarget', 'PodFailurePolicy', exit42), condition('Failed', 'PodFailurePolicy', exit42)],
    },
    expected: { state: 'failed', reason: 'crash', message: `PodFailurePolicy: ${exit42}`, startedAt, endedAt: '2026-11-21T12:02:03Z' },
  },
  {
    what: 'made suspended',
    status: {
      ready: 0,
      terminating: 0,
      conditions: [condition('Suspended', 'JobSuspended', 'Job suspended')],
      uncountedTerminatedPods: {},
    },
    expected: { state: 'suspended', message: 'JobSuspended: Job suspended' },
  },
  {
    what: 'suspended while it ran',
    status: { ...started, ready: 0, terminating: 1, conditions: [condition('Suspended', 'JobSuspended', 'Job suspended')] },
    before: { state: 'running', startedAt },
    expected: { state: 'suspended', message: 'JobSuspended: Job suspended' },
  },
  {
    what: 'suspended by Kueue',
    labels: { 'kueue.x-k8s.io/queue-name': 'team-a' },
    status: { ready: 0, conditions: [condition('Suspended', 'JobSuspended', 'Job suspended')] },
    expected: { state: 'queued', message: 'waits in the queue team-a' },
  },
  {
    what: 'resumed: the condition stays, as False',
    status: { ...running, conditions: [condition('Suspended', 'JobResumed', 'Job resumed', '2026-11-21T12:02:58Z', 'False')] },
    expected: { state: 'running', startedAt },
  },
  {
    what: 'two of three indexes done',
    spec: { completions: 3, completionMode: 'Indexed' },
    status: { ...running, completedIndexes: '0,1', succeeded: 2 },
    expected: { state: 'running', startedAt, progress: 2 / 3 },
  },
  // https://github.com/kubernetes/api/blob/v0.23.0/batch/v1/types.go: no "ready" before Kubernetes 1.24.
  { what: 'active on an old cluster', status: { active: 1, startTime: startedAt }, expected: { state: 'running', startedAt } },
];

function jobWith(status: object | undefined, spec: object = {}, labels: Record<string, string> = {}): KubernetesObject {
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'digits', labels }, spec, ...(status ? { status } : {}) };
}

describe('the status of a Job', () => {
  it.each(cases)('is $expected.state: $what', ({ status, spec, labels, before, expected }) => {
    expect(job.status(jobWith(status, spec, labels), before)).toEqual(expected);
  });
});

describe('what is put into a Job', () => {
  const object = (): KubernetesObject => jobWith(undefined, { template: { spec: { containers: [{ name: 'main' }] } } });

  it('has the deadline on itself and on its pods', () => {
    const made = object();
    job.setDeadline(made, 3600);
    expect(made['spec']).toEqual({
      activeDeadlineSeconds: 3600,
      template: { spec: { containers: [{ name: 'main' }], activeDeadlineSeconds: 3600 } },
    });
  });

  it.each([
    ['nothing', undefined, 86_400],
    ['less', 60, 86_400],
    ['more', 1_000_000, 1_000_000],
  ])('stays at least as long as asked where the manifest says %s', (_, own, expected) => {
    const made = jobWith(undefined, own === undefined ? {} : { ttlSecondsAfterFinished: own });
    job.setTtl(made, 86_400);
    expect(made['spec']).toHaveProperty('ttlSecondsAfterFinished', expected);
  });

  it.each([
    ['no spec', { apiVersion: 'batch/v1', kind: 'Job', metadata: {} }, 'the Job has no "spec"'],
    ['a list as spec', { apiVersion: 'batch/v1', kind: 'Job', metadata: {}, spec: [] }, 'the Job has no "spec"'],
    ['no template', { apiVersion: 'batch/v1', kind: 'Job', metadata: {}, spec: {} }, 'the Job has no "spec.template"'],
  ])('is refused with %s', (_, made, message) => {
    expect(() => job.podTemplates(made)).toThrow(message);
  });

  it('is found by its own pods and by no older namesake of them', () => {
    expect(job.podSelector({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'digits', uid: 'u-1' } })).toBe(
      'batch.kubernetes.io/controller-uid=u-1',
    );
  });
});
