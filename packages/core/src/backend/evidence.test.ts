import { describe, expect, it } from '@jest/globals';
import type { Pod } from '../kubernetes/pod.ts';
import { evidenceOf, podResult } from './evidence.ts';
import { outputsOf } from './outputs.ts';

// The statuses are those of the kubelet and scheduler 1.35.4 on the real cluster, shortened to what is read;
// those marked with a link are made after upstream's types.
function podWith(status: Pod['status'], spec: Pod['spec'] = {}): Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', uid: 'u' }, spec, ...(status ? { status } : {}) };
}
const completed = {
  containerID: 'containerd://a',
  exitCode: 0,
  reason: 'Completed',
  startedAt: '2026-11-21T12:01:48Z',
  finishedAt: '2026-11-21T12:01:51Z',
};
const failed = {
  containerID: 'containerd://b',
  exitCode: 3,
  reason: 'Error',
  startedAt: '2026-11-21T12:01:59Z',
  finishedAt: '2026-11-21T12:02:00Z',
};
const killed = { ...failed, exitCode: 137, reason: 'OOMKilled' };
const noGpu =
  '0/1 nodes are available: 1 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';

describe('why a pod does not run', () => {
  it.each<[string, Pod, unknown[]]>([
    [
      'succeeded',
      podWith({
        phase: 'Succeeded',
        containerStatuses: [{ name: 'main', restartCount: 0, state: { terminated: completed }, lastState: {} }],
      }),
      [],
    ],
    ['just made', podWith(undefined), []],
    [
      'is being started',
      podWith({
        phase: 'Pending',
        containerStatuses: [{ name: 'main', restartCount: 0, state: { waiting: { reason: 'ContainerCreating' } } }],
      }),
      [],
    ],
    [
      'finds no GPU',
      podWith({
        phase: 'Pending',
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: noGpu, lastTransitionTime: '2026-11-21T12:01:48Z' },
        ],
      }),
      [{ source: 'pod', object: 'p', reason: 'Unschedulable', message: noGpu, time: '2026-11-21T12:01:48Z' }],
    ],
    [
      'has no image',
      podWith({
        phase: 'Pending',
        containerStatuses: [
          {
            name: 'main',
            restartCount: 0,
            lastState: {},
            state: {
              waiting: {
                reason: 'ErrImageNeverPull',
                message: 'Container image "localhost/nope:1" is not present with pull policy of Never',
              },
            },
          },
        ],
      }),
      [
        {
          source: 'container',
          object: 'p',
          container: 'main',
          reason: 'ErrImageNeverPull',
          message: 'Container image "localhost/nope:1" is not present with pull policy of Never',
        },
      ],
    ],
    [
      'failed',
      podWith({
        phase: 'Failed',
        conditions: [{ type: 'Ready', status: 'False', reason: 'PodFailed', lastTransitionTime: '2026-11-21T12:02:01Z' }],
        containerStatuses: [{ name: 'main', restartCount: 0, state: { terminated: failed }, lastState: {} }],
      }),
      [
        {
          source: 'container',
          object: 'p',
          container: 'main',
          reason: 'Error',
          message: '',
          exitCode: 3,
          startedAt: '2026-11-21T12:01:59Z',
          time: '2026-11-21T12:02:00Z',
        },
      ],
    ],
    [
      'crashes again and again',
      podWith({
        phase: 'Running',
        containerStatuses: [
          {
            name: 'main',
            restartCount: 1,
            lastState: { terminated: killed },
            state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container' } },
          },
        ],
      }),
      [
        {
          source: 'container',
          object: 'p',
          container: 'main',
          reason: 'OOMKilled',
          message: '',
          exitCode: 137,
          startedAt: '2026-11-21T12:01:59Z',
          time: '2026-11-21T12:02:00Z',
        },
        {
          source: 'container',
          object: 'p',
          container: 'main',
          reason: 'CrashLoopBackOff',
          message: 'back-off 10s restarting failed container',
          exitCode: 137,
        },
      ],
    ],
    [
      // https://github.com/kubernetes/api/blob/v0.36.3/core/v1/types.go, DisruptionTarget and PodReason…
      'was evicted',
      podWith({
        phase: 'Failed',
        reason: 'Evicted',
        message: 'The node was low on resource: memory.',
        conditions: [
          {
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'TerminationByKubelet',
            message: 'low on memory',
            lastTransitionTime: '2026-11-21T12:02:01Z',
          },
        ],
      }),
      [
        { source: 'pod', object: 'p', reason: 'Evicted', message: 'The node was low on resource: memory.', time: '2026-11-21T12:02:01Z' },
        { source: 'pod', object: 'p', reason: 'TerminationByKubelet', message: 'low on memory', time: '2026-11-21T12:02:01Z' },
      ],
    ],
    [
      'was spared: a condition that is False counts for nothing',
      podWith({ phase: 'Running', conditions: [{ type: 'DisruptionTarget', status: 'False', reason: 'PreemptionByScheduler' }] }),
      [],
    ],
    [
      'waits for an init container that failed',
      podWith({
        phase: 'Failed',
        initContainerStatuses: [{ name: 'fetch', restartCount: 0, state: { terminated: failed } }],
        containerStatuses: [{ name: 'main', restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } }],
      }),
      [
        {
          source: 'container',
          object: 'p',
          container: 'fetch',
          reason: 'Error',
          message: '',
          exitCode: 3,
          startedAt: '2026-11-21T12:01:59Z',
          time: '2026-11-21T12:02:00Z',
        },
      ],
    ],
  ])('when it %s', (_, pod, expected) => {
    expect(evidenceOf(pod)).toEqual(expected);
  });
});

describe('what a pod was', () => {
  it('is told from its containers, init containers and earlier lives', () => {
    const pod = podWith(
      {
        phase: 'Failed',
        initContainerStatuses: [{ name: 'fetch', restartCount: 0, state: { terminated: completed } }],
        containerStatuses: [
          {
            name: 'main',
            restartCount: 1,
            state: { terminated: failed },
            lastState: { terminated: { ...failed, startedAt: '2026-11-21T12:01:55Z' } },
          },
        ],
      },
      { nodeName: 'n1', containers: [{ name: 'main', resources: { limits: { 'nvidia.com/gpu': '2', cpu: '4' } } }] },
    );
    expect(podResult(pod)).toEqual({
      name: 'p',
      uid: 'u',
      phase: 'Failed',
      node: 'n1',
      startedAt: '2026-11-21T12:01:48Z',
      endedAt: '2026-11-21T12:02:00Z',
      gpus: 2,
      containers: [
        { name: 'fetch', exitCode: 0, reason: 'Completed', restarts: 0 },
        { name: 'main', exitCode: 3, reason: 'Error', restarts: 1 },
      ],
    });
  });

  it('has no end while it runs', () => {
    const pod = podWith({
      phase: 'Running',
      containerStatuses: [{ name: 'main', restartCount: 0, state: { running: { startedAt: '2026-11-21T12:01:48Z' } } }],
    });
    expect(podResult(pod)).toEqual({
      name: 'p',
      uid: 'u',
      phase: 'Running',
      startedAt: '2026-11-21T12:01:48Z',
      gpus: 0,
      containers: [{ name: 'main', restarts: 0 }],
    });
  });

  // Names that device plugins give: NVIDIA (also MIG), AMD, Intel.
  it.each([
    [{ limits: { 'nvidia.com/gpu': 4 } }, 4],
    [{ requests: { 'nvidia.com/gpu': '4' }, limits: { 'nvidia.com/gpu': '4' } }, 4],
    [{ limits: { 'nvidia.com/mig-1g.5gb': '1' } }, 1],
    [{ limits: { 'amd.com/gpu': '8' } }, 8],
    [{ limits: { 'gpu.intel.com/i915': '1' } }, 1],
    [{ limits: { cpu: '8', memory: '1Gi', 'example.com/gpustat-quota': '5' } }, 0],
  ])('%j are %i GPUs', (resources, gpus) => {
    expect(podResult(podWith({}, { containers: [{ name: 'main', resources }] })).gpus).toBe(gpus);
  });
});

describe('small outputs', () => {
  const ended = (name: string, message: string, exitCode = 0): Pod =>
    podWith({ containerStatuses: [{ name, restartCount: 0, state: { terminated: { exitCode, message } } }] });

  it.each<[string, Pod[], { name: string; value: string }[]]>([
    ['a text', [ended('main', 's3://models/1\n')], [{ name: 'main', value: 's3://models/1' }]],
    [
      'an object',
      [ended('main', '{"model-uri":"s3://m","epochs":20,"deep":{"a":1},"__proto__":"x"}')],
      [
        { name: 'model-uri', value: 's3://m' },
        { name: 'epochs', value: '20' },
        { name: 'deep', value: '{"a":1}' },
        { name: '__proto__', value: 'x' },
      ],
    ],
    ['a list is a text', [ended('main', '[1]')], [{ name: 'main', value: '[1]' }]],
    ['the latest counts', [ended('main', '{"a":"old"}'), ended('main', '{"a":"new"}')], [{ name: 'a', value: 'new' }]],
    ["a failure's words are none", [ended('main', 'Traceback', 1)], []],
    ['nothing', [ended('main', '')], []],
  ])('%s', (_, pods, expected) => {
    expect(outputsOf(pods)).toEqual(expected);
  });
});
