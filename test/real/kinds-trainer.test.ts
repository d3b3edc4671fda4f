import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KubernetesObject, PodSettings, Resource } from '@slashtrain/core/kinds/kind';
import { trainJob } from '@slashtrain/core/kinds/train-job';
import { pods as podResource } from '@slashtrain/core/kubernetes/client';
import { RealKinds } from '../support/kinds.ts';
import { unique } from '../support/targets.ts';

/* TrainJobs of two nodes as Kubeflow Trainer runs them, by a runtime of the test's own. */
const real = await RealKinds.open('kinds-trainer');
const isThere = await real.has([trainJob.resource, trainJob.operator ?? '']);
const { group, version } = trainJob.resource;
const runtimes: Resource = { group, version, plural: 'clustertrainingruntimes', kind: 'ClusterTrainingRuntime' };
const runtime = unique('slashtrain');
beforeAll(() => real.begin());
afterAll(() => real.end());

const job = (script: string, more: object = {}): KubernetesObject =>
  real.object(trainJob, { runtimeRef: { name: runtime }, trainer: { numNodes: 2, command: ['/bin/sh', '-c', script], ...more } });
const settings: PodSettings = {
  labels: { 'slashtrain.dev/sha': 'abc' },
  ours: new Map([['SLASHTRAIN_RUN', 'digits']]),
  offered: new Map(),
  given: [{ name: 'WORD', value: 'hello' }],
  tags: {},
  secrets: [],
  tolerations: [{ key: 'gpu', operator: 'Exists' }],
};

if (isThere) {
  describe('a TrainJob', () => {
    beforeAll(async () => {
      const template = real.pod('exit 9', { name: 'node' });
      const replicatedJob = {
        name: 'node',
        template: {
          metadata: { labels: { 'trainer.kubeflow.org/trainjob-ancestor-step': 'trainer' } },
          spec: { backoffLimit: 0, template },
        },
      };
      await real.client.create<KubernetesObject>(runtimes, {
        apiVersion: `${group}/${version}`,
        kind: runtimes.kind,
        metadata: { name: runtime },
        spec: { mlPolicy: { numNodes: 1 }, template: { spec: { replicatedJobs: [replicatedJob] } } },
      });
    });
    afterAll(() => real.client.delete(runtimes, '', runtime));

    it('runs two nodes to their end, with parameters, env, labels, tolerations and a deadline', async () => {
      const object = job('echo "$WORD $(params.word) $SLASHTRAIN_RUN $JOB_COMPLETION_INDEX"; sleep 3');
      trainJob.setParameters(object, new Map([['word', 'there']]));
      trainJob.setPods?.(object, settings);
      trainJob.setDeadline(object, 240);
      await real.backend.check(trainJob, object);
      const reference = await real.start(trainJob, object);
      const [lines, statuses] = await Promise.all([real.lines(reference), real.follow(reference)]);
      expect(statuses.map(({ state }) => state)).toEqual(['queued', 'running', 'succeeded']);
      expect(lines).toEqual(['hello there digits 0', 'hello there digits 1']);
      const { items } = await real.client.list(podResource, real.namespace, { labelSelector: trainJob.podSelector(object) });
      expect(items).toHaveLength(2);
      for (const { metadata, spec } of items) {
        expect(metadata.labels).toMatchObject(settings.labels);
        expect((spec as { tolerations: object[] }).tolerations).toContainEqual({ key: 'gpu', operator: 'Exists' });
      }
      const { pods } = await real.backend.pods(reference);
      expect(pods.map(({ rank }) => rank).toSorted()).toEqual([0, 1]);
    });

    it('fails with its node, and is explained by it; one over its deadline is ended', async () => {
      const late = job('sleep 600');
      trainJob.setDeadline(late, 6);
      const [bad, slow] = await Promise.all([real.start(trainJob, job('sleep 1; exit 3')), real.start(trainJob, late)]);
      const explained = real.explained(bad, ({ reason }) => reason === 'crash');
      const [ofBad, ofSlow] = await Promise.all([real.follow(bad), real.follow(slow)]);
      expect(ofBad.at(-1)).toMatchObject({ state: 'failed', message: expect.stringContaining('FailedJobs') as unknown });
      expect(await explained).toMatchObject({ message: expect.stringContaining('exited with code 3') as unknown });
      expect(ofSlow.at(-1)).toMatchObject({ state: 'failed', reason: 'deadline' });
    });

    it('starts when it is released, and is cancelled with its pods', async () => {
      const object = job('sleep 600');
      trainJob.suspension?.set(object);
      const reference = await real.start(trainJob, object);
      await real.until(reference, ({ state }) => state === 'suspended');
      await real.client.patch(trainJob.resource, real.namespace, reference.name, trainJob.suspension?.release ?? {});
      const statuses = await real.follow(reference, ({ state }) => (state === 'running' ? real.backend.cancel(reference, 0) : undefined));
      expect(statuses.at(-1)).toMatchObject({ state: 'deleted' });
      await real.untilNoPods(trainJob.podSelector(object));
    });

    it('is refused before it is made, in the cluster’s words: no such runtime, no such field', async () => {
      const without = real.object(trainJob, { runtimeRef: { name: 'nope' } });
      // With Kueue on the cluster its webhook says so first.
      await expect(real.backend.check(trainJob, without)).rejects.toThrow(/runtime ['"]nope['"] not found|"nope" not found/u);
      const wrong = job('true', { numNode: 2 });
      await expect(real.backend.check(trainJob, wrong)).rejects.toThrow('unknown field "spec.trainer.numNode"');
    });
  });
}
