import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rayJob } from '@slashtrain/core/kinds/ray-job';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { RealKinds } from '../support/kinds.ts';

/* RayJobs as far as KubeRay takes them without an image of Ray: what comes after is tried on upstream's types. */
const real = await RealKinds.open('kinds-ray');
const isThere = await real.has([rayJob.resource, rayJob.operator ?? '']);
beforeAll(() => real.begin());
afterAll(() => real.end());

function job(more: object = {}): KubernetesObject {
  const resources = { requests: { cpu: '10m', memory: '50Mi' }, limits: { cpu: '100m', memory: '100Mi' } };
  const head = { name: 'ray-head', image: `${real.target.registry}/no-such-ray:2`, resources };
  const object = real.object(rayJob, {
    entrypoint: 'python -c 1',
    rayClusterSpec: { rayVersion: '2.46.0', headGroupSpec: { rayStartParams: {}, template: { spec: { containers: [head] } } } },
    ...more,
  });
  rayJob.finish?.(object);
  return object;
}

if (isThere) {
  describe('a RayJob', () => {
    it('waits for an image that is missing, says so, and ends at its deadline for that reason', async () => {
      const object = job();
      rayJob.setDeadline(object, 20);
      await real.backend.check(rayJob, object);
      const reference = await real.start(rayJob, object);
      const explained = real.explained(reference, ({ reason }) => reason === 'image-pull');
      const statuses = real.follow(reference);
      expect(await explained).toMatchObject({ message: expect.stringContaining('no-such-ray') as unknown });
      expect((await real.backend.look(reference)).status.state).toBe('queued');
      expect((await statuses).at(-1)).toMatchObject({ state: 'failed', reason: 'deadline', endedAt: expect.any(String) as unknown });
    });

    it('that its controller refuses has failed; one that is held starts when it is released, and is cancelled', async () => {
      const held = job();
      rayJob.suspension?.set(held);
      const [refused, waiting] = await Promise.all([real.start(rayJob, job({ backoffLimit: -1 })), real.start(rayJob, held)]);
      expect((await real.follow(refused)).at(-1)).toMatchObject({
        state: 'failed',
        reason: 'config',
        message: expect.stringContaining('backoffLimit must be a positive integer') as unknown,
      });
      await real.until(waiting, ({ state }) => state === 'suspended');
      await real.client.patch(rayJob.resource, real.namespace, waiting.name, rayJob.suspension?.release ?? {});
      await real.explained(waiting, ({ reason }) => reason === 'image-pull');
      await real.backend.cancel(waiting, 0);
      expect((await real.follow(waiting)).at(-1)).toMatchObject({ state: 'deleted' });
      await real.untilNoPods(rayJob.podSelector(held));
    });
  });
}
