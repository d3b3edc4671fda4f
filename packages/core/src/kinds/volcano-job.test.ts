import { describe, expect, it } from '@jest/globals';
import type { Status } from '../run/state.ts';
import type { KubernetesObject } from './kind.ts';
import { volcanoJob } from './volcano-job.ts';

// No controller has written these: the fields are those of volcano.sh/apis v1.13.0, pkg/apis/batch/v1alpha1/job.go
// ("JobStatus"), and which phase follows from what is read from volcano v1.15.1, pkg/controllers/job/state.
const [pendingAt, runningAt, endedAt] = ['2026-08-20T10:00:00Z', '2026-08-20T10:01:00Z', '2026-08-20T10:05:00Z'];
const pending = { status: 'Pending', lastTransitionTime: pendingAt };
const running = { status: 'Running', lastTransitionTime: runningAt };
const ended = (phase: string, more: object = {}): object => ({
  state: { phase, lastTransitionTime: endedAt },
  conditions: [pending, running, { status: phase, lastTransitionTime: endedAt }],
  minAvailable: 2,
  ...more,
});
const times = { startedAt: runningAt, endedAt };

const cases: { what: string; status: object | undefined; spec?: object; expected: Status }[] = [
  { what: 'just made', status: undefined, expected: { state: 'queued' } },
  { what: 'without a state', status: { minAvailable: 2 }, expected: { state: 'queued' } },
  {
    what: 'its gang waits',
    status: { state: { phase: 'Pending', lastTransitionTime: pendingAt }, conditions: [pending], pending: 2 },
    expected: { state: 'queued' },
  },
  {
    what: 'its gang waits, and a plugin says why',
    status: { state: { phase: 'Pending', reason: 'PodGroupPending', message: 'PodGroup is not ready' } },
    expected: { state: 'queued', message: 'PodGroupPending: PodGroup is not ready' },
  },
  {
    what: 'its gang runs',
    status: { state: { phase: 'Running', lastTransitionTime: runningAt }, conditions: [pending, running], running: 2 },
    expected: { state: 'running', startedAt: runningAt },
  },
  ...['Restarting', 'Completing', 'Aborting', 'Terminating'].map((phase) => ({
    what: phase,
    status: { state: { phase }, conditions: [pending, running], terminating: 2 },
    expected: { state: 'running', startedAt: runningAt } as const,
  })),
  { what: 'Completed', status: ended('Completed', { succeeded: 2 }), expected: { state: 'succeeded', progress: 1, ...times } },
  { what: 'Failed for want of successes', status: ended('Failed', { failed: 2 }), expected: { state: 'failed', ...times } },
  {
    what: 'Failed after its retries',
    status: ended('Failed', { retryCount: 3 }),
    spec: { maxRetry: 3 },
    expected: { state: 'failed', reason: 'retries', ...times },
  },
  {
    what: 'Failed after fewer retries than it has',
    status: ended('Failed', { retryCount: 3 }),
    spec: { maxRetry: 5 },
    expected: { state: 'failed', ...times },
  },
  { what: 'Aborted by a command', status: ended('Aborted'), expected: { state: 'cancelled', ...times } },
  { what: 'Terminated by a command', status: ended('Terminated'), expected: { state: 'cancelled', ...times } },
  {
    what: 'Terminated by the policy that ends it when a pod fails',
    status: ended('Terminated', { failed: 1 }),
    expected: { state: 'failed', ...times },
  },
  { what: 'a phase that is new', status: ended('Hibernating'), expected: { state: 'unknown', message: 'its phase is "Hibernating"' } },
];

function jobWith(spec: object | undefined, status?: object): KubernetesObject {
  return {
    apiVersion: 'batch.volcano.sh/v1alpha1',
    kind: 'Job',
    metadata: { name: 'digits' },
    ...(spec === undefined ? {} : { spec }),
    ...(status ? { status } : {}),
  };
}

describe('the status of a Volcano Job', () => {
  it.each(cases)('is $expected.state: $what', ({ status, spec, expected }) => {
    expect(volcanoJob.status(jobWith(spec ?? {}, status))).toEqual(expected);
  });
});

describe('what is put into a Volcano Job', () => {
  const object = (): KubernetesObject =>
    jobWith({
      minAvailable: 2,
      tasks: [
        { name: 'ps', replicas: 1, template: { spec: { containers: [{ name: 'main', args: ['$(params.epochs)'] }] } } },
        { name: 'worker', replicas: 1, template: { spec: { containers: [{ name: 'main' }] } } },
      ],
    });

  it('goes into the pods of all its tasks, its deadline too', () => {
    const made = object();
    volcanoJob.setParameters(made, new Map([['epochs', '3']]));
    volcanoJob.setDeadline(made, 3600);
    expect(volcanoJob.podTemplates(made)).toEqual([
      { path: 'spec.tasks[0].template', template: { spec: { containers: [{ name: 'main', args: ['3'] }], activeDeadlineSeconds: 3600 } } },
      { path: 'spec.tasks[1].template', template: { spec: { containers: [{ name: 'main' }], activeDeadlineSeconds: 3600 } } },
    ]);
  });

  it('has its queue, which is Volcano’s own, and is kept', () => {
    const made = object();
    volcanoJob.setQueue?.(made, 'team-a');
    volcanoJob.setTtl(made, 86_400);
    expect(made['spec']).toMatchObject({ queue: 'team-a', ttlSecondsAfterFinished: 86_400 });
  });

  it.each([
    ['no spec', undefined, 'the Job has no "spec"'],
    ['no tasks', { tasks: [] }, 'the Job of Volcano has no "spec.tasks"'],
    ['a task without pod', { tasks: [{ name: 'ps' }] }, 'the Job\'s spec.tasks[0] has no "template"'],
  ])('is refused with %s', (_, spec, message) => {
    expect(() => volcanoJob.podTemplates(jobWith(spec))).toThrow(message);
  });
});
