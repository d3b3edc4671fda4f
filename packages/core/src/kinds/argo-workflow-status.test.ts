import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import type { Status } from '../run/state.ts';
import { failedTrials } from './argo-workflow-status.ts';
import { argoWorkflow } from './argo-workflow.ts';
import type { KubernetesObject } from './kind.ts';

/*
 * The statuses are those that the workflow controller 4.0.7 wrote on the real cluster, watched with
 * `kubectl get workflows --watch -o json` while busybox ran what each case says; of the nodes only the fields that are
 * read are kept. The workflow that was reopened is what `FormulateRetryWorkflow` of argo-workflows 4.0.7 made of the
 * failed one, which is what `argo retry` sends.
 */
interface Recorded {
  name: string;
  spec: object;
  status: { nodes?: Record<string, object>; [field: string]: unknown };
}
const recorded = JSON.parse(readFileSync(new URL('fixtures/argo-workflow.json', import.meta.url), 'utf8')) as Record<string, Recorded>;

function workflow(what: string, change: { spec?: object; status?: object } = {}): KubernetesObject {
  const { name, spec, status } = recorded[what] as Recorded;
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    metadata: { name },
    spec: { ...spec, ...change.spec },
    status: { ...status, ...change.status },
  };
}

const noNode =
  '0/1 nodes are available: 1 Insufficient example.com/none. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';

// As sweeps run: a step withParam, of five trials two at a time; the first exits with 3, the second ends well.
describe('of a sweep', () => {
  it.each<[string, Partial<Status>, number]>([
    ['a sweep with a failed trial', { state: 'failed', message: 'trial(0:i:0): main: Error (exit code 3)' }, 1],
    ['a sweep whose time is over', { state: 'failed', reason: 'deadline' }, 1],
    ['a sweep that was stopped', { state: 'cancelled', message: "Stopped with strategy 'Stop'" }, 3],
  ])('%s', (what, status, failed) => {
    expect(argoWorkflow.status(workflow(what))).toMatchObject(status);
    expect(failedTrials(workflow(what))).toBe(failed);
  });

  it('a trial that is tried again has failed once, and only when all its tries have', () => {
    const node = (displayName: string, phase: string, more: object = {}): object => ({ displayName, phase, type: 'Pod', ...more });
    const tries = {
      a: node('trial(0:i:0)(0)', 'Failed', { nodeFlag: { retried: true } }),
      b: node('trial(0:i:0)(1)', 'Running', { nodeFlag: { retried: true } }),
    };
    const nodes = { ...tries, c: node('trial(0:i:0)', 'Running', { type: 'Retry' }), d: node('[0]', 'Failed', { type: 'StepGroup' }) };
    expect(failedTrials(workflow('a sweep with a failed trial', { status: { nodes } }))).toBe(0);
    const ended = { ...nodes, c: node('trial(0:i:0)', 'Failed', { type: 'Retry' }) };
    expect(failedTrials(workflow('a sweep with a failed trial', { status: { nodes: ended } }))).toBe(1);
  });
});

describe('the status of a Workflow', () => {
  it.each<[string, Status]>([
    ['just made', { state: 'queued' }],
    ['its first pod waits', { state: 'queued' }],
    ['its first pod is being started', { state: 'queued' }],
    ['cannot be scheduled', { state: 'queued', message: `nogpu: Unschedulable: ${noNode}` }],
    ['its step runs', { state: 'running', progress: 0, startedAt: '2026-11-21T14:43:38Z' }],
    ['between two tasks', { state: 'running', progress: 2 / 3, startedAt: '2026-11-21T14:43:37Z' }],
    ['done, with outputs', { state: 'succeeded', progress: 1, startedAt: '2026-11-21T14:43:37Z', endedAt: '2026-11-21T14:44:07Z' }],
    ['memoized and container set', { state: 'succeeded', progress: 1, startedAt: '2026-11-21T14:46:14Z', endedAt: '2026-11-21T14:46:34Z' }],
    ['failed, its exit handler waits', { state: 'running', progress: 1 / 3, startedAt: '2026-11-21T14:43:38Z' }],
    [
      'failed',
      { state: 'failed', message: 'b: main: Error (exit code 3)', startedAt: '2026-11-21T14:43:38Z', endedAt: '2026-11-21T14:44:18Z' },
    ],
    ['tried again', { state: 'running', progress: 0, startedAt: '2026-11-21T14:43:39Z' }],
    [
      'tried too often',
      {
        state: 'failed',
        reason: 'retries',
        message: 'No more retries left; retries(0): main: Error (exit code 3)',
        startedAt: '2026-11-21T14:43:39Z',
        endedAt: '2026-11-21T14:43:59Z',
      },
    ],
    ['made suspended', { state: 'suspended' }],
    ['released', { state: 'running', startedAt: '2026-11-21T14:43:41Z' }],
    ['released, its pod waits', { state: 'queued' }],
    ['waits at a step', { state: 'suspended', message: 'approve waits to be resumed', startedAt: '2026-11-21T14:43:40Z' }],
    ['waits at a step while a pod runs', { state: 'suspended', message: 'approve waits to be resumed', startedAt: '2026-11-21T14:46:14Z' }],
    ['being stopped', { state: 'running', progress: 0, startedAt: '2026-11-21T14:43:44Z' }],
    [
      'terminated',
      {
        state: 'cancelled',
        message: "Stopped with strategy 'Terminate'",
        startedAt: '2026-11-21T14:43:44Z',
        endedAt: '2026-11-21T14:44:34Z',
      },
    ],
    [
      'stopped at a step',
      { state: 'cancelled', message: "Stopped with strategy 'Stop'", startedAt: '2026-11-21T14:43:40Z', endedAt: '2026-11-21T14:46:26Z' },
    ],
    [
      'stopped while suspended',
      { state: 'cancelled', message: "Stopped with strategy 'Stop'", startedAt: '2026-11-21T14:43:42Z', endedAt: '2026-11-21T14:44:56Z' },
    ],
    [
      'stopped, and its program ended well',
      { state: 'succeeded', progress: 1, startedAt: '2026-11-21T14:43:43Z', endedAt: '2026-11-21T14:44:44Z' },
    ],
    [
      'over its deadline',
      {
        state: 'failed',
        reason: 'deadline',
        message: 'late: Pod was active on the node longer than the specified deadline',
        startedAt: '2026-11-21T14:43:45Z',
        endedAt: '2026-11-21T14:44:03Z',
      },
    ],
    [
      'over its deadline in a step that is tried again',
      {
        state: 'failed',
        reason: 'deadline',
        message: 'b(0): Pod was active on the node longer than the specified deadline',
        startedAt: '2026-11-21T14:46:15Z',
        endedAt: '2026-11-21T14:46:35Z',
      },
    ],
    [
      'without a parameter',
      {
        state: 'failed',
        message: 'invalid spec: spec.arguments.data.value or spec.arguments.data.valueFrom is required',
        startedAt: '2026-11-21T14:46:14Z',
        endedAt: '2026-11-21T14:46:14Z',
      },
    ],
    [
      'from a template that is not there',
      {
        state: 'failed',
        message: 'workflowtemplates.argoproj.io "nothere" not found',
        startedAt: '2026-11-21T14:46:14Z',
        endedAt: '2026-11-21T14:46:14Z',
      },
    ],
    ['reopened by argo retry', { state: 'queued' }],
    ['reopened, its step goes on', { state: 'running', progress: 1 / 2, startedAt: '2026-11-21T15:05:09Z' }],
  ])('%s', (what, expected) => {
    expect(argoWorkflow.status(workflow(what))).toEqual(expected);
  });
});

describe('what else a Workflow can say', () => {
  it.each<[string, KubernetesObject, Status]>([
    ['no phase', workflow('just made', { status: { phase: '' } }), { state: 'queued' }],
    ['held by a lock', workflow('just made', { status: { phase: 'Pending', message: 'waits' } }), { state: 'queued', message: 'waits' }],
    [
      'a phase of a later version',
      workflow('just made', { status: { phase: 'Paused' } }),
      { state: 'unknown', message: 'the phase is Paused' },
    ],
    [
      'ended by its phase, whatever finishedAt says',
      workflow('its step runs', { status: { finishedAt: '2026-11-21T14:44:18Z' } }),
      { state: 'running', progress: 0, startedAt: '2026-11-21T14:43:38Z' },
    ],
    [
      'its nodes are in a database',
      workflow('its first pod waits', { status: { nodes: undefined, offloadNodeStatusVersion: 'fnv:1' } }),
      { state: 'running', progress: 0, startedAt: '2026-11-21T14:43:37Z' },
    ],
    [
      'its nodes are packed in a way that cannot be read',
      workflow('failed', { status: { nodes: undefined, compressedNodes: 'AAAA' } }),
      {
        state: 'failed',
        message: "child 'failing-2507294098' failed",
        startedAt: '2026-11-21T14:43:38Z',
        endedAt: '2026-11-21T14:44:18Z',
      },
    ],
  ])('%s', (_, object, expected) => {
    expect(argoWorkflow.status(object)).toEqual(expected);
  });

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
    ['brotli', brotliCompressSync],
  ])('is read where its nodes are packed with %s', (_, compress) => {
    for (const what of ['failed', 'waits at a step', 'over its deadline']) {
      const compressedNodes = compress(JSON.stringify(recorded[what]?.status.nodes)).toString('base64');
      const packed = workflow(what, { status: { nodes: undefined, compressedNodes } });
      expect(argoWorkflow.status(packed)).toEqual(argoWorkflow.status(workflow(what)));
    }
  });
});

describe('the outputs of a Workflow', () => {
  it("are the global ones, the whole workflow's, and those of its tasks", () => {
    expect(argoWorkflow.outputs?.(workflow('done, with outputs'))).toEqual([
      { name: 'best', value: '0.93' },
      { name: 'accuracy', value: '0.93' },
      { name: 'prepare.size', value: '42' },
      { name: 'evaluate.accuracy', value: '0.93' },
      { name: 'evaluate.global', value: '0.93' },
    ]);
  });

  it('are there for a memoized step, which has no pod', () => {
    expect(argoWorkflow.outputs?.(workflow('memoized and container set'))).toEqual([
      { name: 'm1.x', value: '7' },
      { name: 'm2.x', value: '7' },
    ]);
  });
});
