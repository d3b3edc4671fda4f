import { expect, it } from '@jest/globals';
import { ActionError } from '../action/errors.ts';
import type { KubernetesClient } from './client.ts';
import { readContainer } from './container-log.ts';
import type { Pod } from './pod.ts';
import { PodView } from './pod-view.ts';
import { Slots } from './slots.ts';

const ended: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ml', uid: 'u' },
  status: {
    phase: 'Failed',
    containerStatuses: [{ name: 'main', restartCount: 0, containerID: 'containerd://a', state: { terminated: { exitCode: 143 } } }],
  },
};

/** A server that has the pod or not, and no log of it. @returns how often the log was asked for */
async function read(isThere: boolean, final: AbortSignal, whenAsked: () => void = () => undefined): Promise<number> {
  let asked = 0;
  const client = {
    get: () => Promise.resolve(isThere ? ended : undefined),
    async *log() {
      asked += 1;
      whenAsked();
      if (asked > 20) throw new Error('it is asked for ever');
      throw new ActionError('not-found', 'pods "p" not found');
    },
  } as Partial<KubernetesClient> as KubernetesClient;
  await readContainer(new PodView(client, ended), 'main', {
    client,
    log: { debug: () => undefined, warning: () => undefined },
    timing: { now: () => 0, random: () => 0, pause: () => Promise.resolve() },
    slots: new Slots(1),
    emit: () => Promise.resolve(),
    signal: new AbortController().signal,
    final,
    live: AbortSignal.abort(),
    silenceSeconds: 60,
    turnSeconds: 5,
    lingerSeconds: 10,
    credentialSeconds: 300,
  });
  return asked;
}

it('ends with a pod that had ended and was removed before its log was read', async () => {
  expect(await read(false, new AbortController().signal)).toBe(2);
});

it('ends without the log of a pod that stays, once nothing more can come', async () => {
  const final = new AbortController();
  let asked = 0;
  expect(await read(true, final.signal, () => (asked += 1) === 3 && final.abort())).toBe(3);
});
