import { describe, expect, it } from '@jest/globals';
import { instancesOf, type ContainerStatus } from './pod.ts';

// As containerd's kubelet 1.35.4 showed a container with restartPolicy OnFailure that ended twice, on the real cluster.
const first = { exitCode: 1, reason: 'Error', containerID: 'containerd://a' };
const second = { ...first, containerID: 'containerd://b' };
const [a, b] = ['containerd://a', 'containerd://b'];

describe('the logs that the kubelet gives out', () => {
  it.each<[string, Omit<ContainerStatus, 'name'>, unknown[]]>([
    ['waits for its image', { restartCount: 0, state: { waiting: { reason: 'ErrImagePull' } }, lastState: {} }, []],
    [
      'runs',
      { restartCount: 0, containerID: a, state: { running: {} }, lastState: {} },
      [{ id: a, restart: 0, previous: false, over: false }],
    ],
    [
      'has ended',
      { restartCount: 0, containerID: a, state: { terminated: first }, lastState: {} },
      [{ id: a, restart: 0, previous: false, over: true }],
    ],
    [
      'runs again',
      { restartCount: 1, containerID: b, state: { running: {} }, lastState: { terminated: first } },
      [
        { id: a, restart: 0, previous: true, over: true },
        { id: b, restart: 1, previous: false, over: false },
      ],
    ],
    [
      'has ended again',
      { restartCount: 1, containerID: b, state: { terminated: second }, lastState: { terminated: first } },
      [
        { id: a, restart: 0, previous: true, over: true },
        { id: b, restart: 1, previous: false, over: true },
      ],
    ],
    [
      'waits for its next start: its last life counts as the present one',
      { restartCount: 1, containerID: b, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: second } },
      [{ id: b, restart: 1, previous: false, over: true }],
    ],
    [
      'ended without having begun (StartError)',
      { restartCount: 1, state: { terminated: { exitCode: 128 } }, lastState: { terminated: first } },
      [{ id: a, restart: 1, previous: false, over: true }],
    ],
    [
      'runs on a cluster without container ids',
      { restartCount: 2, state: { running: {} } },
      [{ id: 'restart-2', restart: 2, previous: false, over: false }],
    ],
  ])('when it %s', (_, status, expected) => {
    expect(instancesOf({ name: 'main', ...status })).toEqual(expected);
  });
});
