import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jobSet } from '@slashtrain/core/kinds/job-set';
import { RealKinds } from '../support/kinds.ts';

/* JobSets as their controller runs them. */
const real = await RealKinds.open('kinds-jobset');
const isThere = await real.has([jobSet.resource, jobSet.operator ?? '']);
beforeAll(() => real.begin());
afterAll(() => real.end());

const spec = (script: string, more: object = {}): object => ({
  replicatedJobs: [{ name: 'workers', replicas: 2, template: { spec: { backoffLimit: 0, template: real.pod(script) } } }],
  ...more,
});

it('a version that the server does not have is refused by name', async () => {
  const other = { ...jobSet, resource: { ...jobSet.resource, version: 'v1alpha0' } };
  await expect(real.backend.check(other, real.object(other, spec('true')))).rejects.toThrow(/does not know jobsets\.jobset\.x-k8s\.io/u);
});

if (isThere)
  describe('a JobSet', () => {
    it('runs two Jobs to their end, with parameters, deadline, and the lines of both', async () => {
      const object = real.object(jobSet, spec('echo "$(params.word) $JOB_COMPLETION_INDEX"; sleep 3'));
      jobSet.setParameters(object, new Map([['word', 'hello']]));
      jobSet.setDeadline(object, 240);
      jobSet.setTtl(object, 86_400);
      await real.backend.check(jobSet, object);
      const reference = await real.start(jobSet, object);
      const [lines, statuses] = await Promise.all([real.lines(reference), real.follow(reference)]);
      expect(statuses.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1])).toEqual([
        'queued',
        'running',
        'succeeded',
      ]);
      expect(statuses.at(-1)).toMatchObject({ progress: 1, endedAt: expect.any(String) as unknown });
      expect(lines).toEqual(['hello 0', 'hello 0']);
      const { pods } = await real.backend.pods(reference);
      expect(pods.map(({ phase }) => phase)).toEqual(['Succeeded', 'Succeeded']);
    });

    it('fails with its pod, and is explained by it; one over its deadline ends although it restarts', async () => {
      const late = real.object(jobSet, spec('sleep 600', { failurePolicy: { maxRestarts: 3 } }));
      jobSet.setDeadline(late, 5);
      const [bad, slow] = await Promise.all([real.start(jobSet, real.object(jobSet, spec('sleep 1; exit 3'))), real.start(jobSet, late)]);
      const explained = real.explained(bad, ({ reason }) => reason === 'crash');
      const [ofBad, ofSlow] = await Promise.all([real.follow(bad), real.follow(slow)]);
      expect(ofBad.at(-1)).toMatchObject({ state: 'failed', message: expect.stringContaining('FailedJobs') as unknown });
      expect(await explained).toMatchObject({ message: expect.stringContaining('exited with code 3') as unknown });
      expect(ofSlow.at(-1)).toMatchObject({ state: 'failed', reason: 'deadline' });
    });

    it('starts when it is released, and is cancelled with its pods', async () => {
      const object = real.object(jobSet, spec('sleep 600'));
      jobSet.suspension?.set(object);
      const reference = await real.start(jobSet, object);
      await real.until(reference, ({ state }) => state === 'suspended');
      await real.client.patch(jobSet.resource, real.namespace, reference.name, jobSet.suspension?.release ?? {});
      const statuses = await real.follow(reference, ({ state }) => (state === 'running' ? real.backend.cancel(reference, 0) : undefined));
      expect(statuses.at(-1)).toMatchObject({ state: 'deleted' });
      await real.untilNoPods(jobSet.podSelector(object));
    });
  });
