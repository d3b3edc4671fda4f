import { job } from '@slashtrain/core/kinds/job';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { Place } from '../subject.ts';
import { image, type World } from '../world.ts';

export function jobSpec(command: string[], suspend = false): object {
  const container = { name: 'train', image, command };
  return {
    suspend,
    backoffLimit: 0,
    template: { spec: { terminationGracePeriodSeconds: 1, restartPolicy: 'Never', containers: [container] } },
  };
}

export async function jobsIn({ client }: World, namespace: string): Promise<KubernetesObject[]> {
  return (await client.list(job.resource, namespace)).items;
}

/** Makes an object of the same name that is not ours. */
export async function replaceJob(place: Place, name: string): Promise<void> {
  const { world, namespace } = place;
  await world.client.delete(job.resource, namespace, name, { graceSeconds: 0 });
  for (let tries = 0; tries < 200; tries += 1) {
    const made = await world.client.create(job.resource, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, namespace },
      spec: jobSpec(['node', '-e', ''], true),
    });
    if (made) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error(`the Job ${name} does not go`);
}
