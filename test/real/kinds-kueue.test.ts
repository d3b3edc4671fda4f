import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { job } from '@slashtrain/core/kinds/job';
import { jobSet } from '@slashtrain/core/kinds/job-set';
import type { Kind, KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { putIntoQueue } from '@slashtrain/core/kinds/kueue';
import { pytorchJob, tfJob } from '@slashtrain/core/kinds/training-operator';
import { RealKinds } from '../support/kinds.ts';
import { unique } from '../support/targets.ts';

/* Kueue as it holds runs back: flavors and queues of the test's own, a quota of 20 thousandths of a CPU. */
const real = await RealKinds.open('kinds-kueue');
const version = (await real.client.discover('kueue.x-k8s.io', 'v1beta2')) ? 'v1beta2' : 'v1beta1';
const resource = (kind: string, plural: string): Resource => ({ group: 'kueue.x-k8s.io', version, plural, kind });
const flavors = resource('ResourceFlavor', 'resourceflavors');
const clusterQueues = resource('ClusterQueue', 'clusterqueues');
const localQueues = resource('LocalQueue', 'localqueues');
const priorities = resource('WorkloadPriorityClass', 'workloadpriorityclasses');
const isThere = await real.has([clusterQueues, 'Kueue (https://kueue.sigs.k8s.io/docs/installation/)']);
const name = unique('slashtrain');
/** Kinds of the training operator, with the field of their replicas, a role that may be alone, and its container. */
const others: [Kind, string, string, string][] = [];
for (const one of [
  [pytorchJob, 'pytorchReplicaSpecs', 'Master', 'pytorch'],
  [tfJob, 'tfReplicaSpecs', 'Worker', 'tensorflow'],
] as [Kind, string, string, string][]) {
  if (await real.has([one[0].resource, one[0].operator ?? ''])) others.push(one);
}
beforeAll(() => real.begin());
afterAll(() => real.end());

async function make(of: Resource, spec: object, more: object = {}, metadata: object = {}): Promise<void> {
  const object = { apiVersion: `${of.group}/${of.version}`, kind: of.kind, metadata: { name, ...metadata }, ...more };
  await real.client.create<KubernetesObject>(of, Object.keys(spec).length > 0 ? { ...object, spec } : object);
}

/** A run that asks for so many thousandths of a CPU. */
function asking(kind: Kind, milli: number, script: string, labels: Record<string, string> = {}): KubernetesObject {
  const template = real.pod(script, { resources: { requests: { cpu: `${milli}m` } } });
  const spec = { backoffLimit: 0, template };
  const object = real.object(kind, kind === job ? spec : { replicatedJobs: [{ name: 'workers', template: { spec } }] }, { labels });
  putIntoQueue(kind, object, name);
  return object;
}

if (isThere) {
  describe('a run in a queue', () => {
    beforeAll(async () => {
      await make(flavors, {});
      await make(clusterQueues, {
        namespaceSelector: {},
        preemption: { withinClusterQueue: 'LowerPriority' },
        resourceGroups: [{ coveredResources: ['cpu'], flavors: [{ name, resources: [{ name: 'cpu', nominalQuota: '20m' }] }] }],
      });
      await make(localQueues, { clusterQueue: name }, {}, { namespace: real.namespace });
      await make(priorities, {}, { value: 1000, description: 'goes before others' });
    });
    afterAll(async () => {
      await real.client.delete(localQueues, real.namespace, name);
      for (const made of [clusterQueues, flavors, priorities]) await real.client.delete(made, '', name);
    });

    it('is admitted; the next waits for its quota and says so, and runs when there is room', async () => {
      const first = await real.start(job, asking(job, 15, 'sleep 600'));
      await real.until(first, ({ state }) => state === 'running');
      const second = await real.start(jobSet, asking(jobSet, 15, 'echo done'));
      const explained = await real.explained(second, ({ reason }) => reason === 'quota');
      expect(explained).toMatchObject({
        message: expect.stringContaining('insufficient unused quota for cpu') as unknown,
        retryable: true,
      });
      expect((await real.backend.look(second)).status).toMatchObject({ state: 'queued', message: `waits in the queue ${name}` });
      // What a look without a watch sees is the same.
      const { evidence } = await real.backend.pods(second);
      expect(evidence).toContainEqual(expect.objectContaining({ source: 'workload', reason: 'WaitingForQuota' }));
      await real.backend.cancel(first, 0);
      expect((await real.follow(second)).at(-1)).toMatchObject({ state: 'succeeded' });
    });

    it('never fits, or has no queue, and is told so', async () => {
      const large = await real.start(job, asking(job, 40, 'true'));
      const lost = asking(job, 1, 'true');
      putIntoQueue(job, lost, 'nope');
      const nowhere = await real.start(job, lost);
      const [ofLarge, ofNowhere] = await Promise.all([
        real.explained(large, ({ reason }) => reason === 'quota'),
        real.explained(nowhere, ({ reason }) => reason === 'quota'),
      ]);
      expect(ofLarge).toMatchObject({
        message: expect.stringContaining('> maximum capacity (20m)') as unknown,
        remedy: expect.stringContaining('never fits') as unknown,
        retryable: false,
      });
      expect(ofNowhere).toMatchObject({ message: expect.stringContaining("LocalQueue nope doesn't exist") as unknown, retryable: false });
      await Promise.all([large, nowhere].map((reference) => real.backend.cancel(reference, 0)));
    });

    // A table without a row is an error.
    if (others.length > 0) {
      it.each(others.map(([kind, ...more]) => [kind.resource.kind, kind, ...more] as const))(
        'a %s is held as a whole: it waits for its quota and says so, and runs when there is room',
        async (_, kind, field, role, container) => {
          const { spec } = real.pod('echo done', { name: container, resources: { requests: { cpu: '15m' } } });
          const object = real.object(kind, {
            [field]: { [role]: { replicas: 1, template: { spec: { ...spec, restartPolicy: undefined } } } },
          });
          putIntoQueue(kind, object, name);
          const first = await real.start(job, asking(job, 15, 'sleep 600'));
          await real.until(first, ({ state }) => state === 'running');
          const held = await real.start(kind, object);
          const explained = await real.explained(held, ({ reason }) => reason === 'quota');
          expect(explained).toMatchObject({ message: expect.stringContaining('insufficient unused quota for cpu') as unknown });
          expect((await real.backend.pods(held)).pods).toEqual([]);
          await real.backend.cancel(first, 0);
          expect((await real.follow(held)).at(-1)).toMatchObject({ state: 'succeeded' });
        },
      );
    }

    it('is preempted, stands in the queue again with a note, and runs when the other has ended', async () => {
      const low = await real.start(job, asking(job, 15, 'sleep 600'));
      await real.until(low, ({ state }) => state === 'running');
      const states: string[] = [];
      const following = real.follow(low, ({ state }) => {
        if (state !== states.at(-1)) states.push(state);
        return state === 'running' && states.includes('queued') ? real.backend.cancel(low, 0) : undefined;
      });
      const high = await real.start(job, asking(job, 15, 'sleep 8', { 'kueue.x-k8s.io/priority-class': name }));
      const explained = await real.explained(low, ({ reason }) => reason === 'preempted');
      expect(explained).toMatchObject({ message: expect.stringContaining('back in the queue') as unknown, retryable: true });
      expect((await real.follow(high)).at(-1)).toMatchObject({ state: 'succeeded' });
      await following;
      expect(states).toEqual(['running', 'queued', 'running', 'deleted']);
    });
  });
}
