import { job } from '@slashtrain/core/kinds/job';
import { checkExternalId } from '@slashtrain/core/run/check';
import type { StoredRecord } from '@slashtrain/core/records/store';
import { seedRun } from '../../support/records.ts';
import { startJob } from '../../support/runs.ts';
import { recordAnnotation, type RunRecord } from '@slashtrain/core/run/record';
import type { Place } from '../subject.ts';
import { type Pull, pullRequest } from './pulls.ts';

export async function recordsIn({ world, repository, namespace }: Place): Promise<StoredRecord[]> {
  return world.records.find(namespace, { repositoryId: repository.id });
}

export const recordOf = async ({ world, namespace }: Place, name: string): Promise<RunRecord | undefined> =>
  (await world.records.get(namespace, name))?.record;

/** A check as submit-pipeline leaves it, and its id on the record. */
async function withCheck({ world, repository }: Place, stored: StoredRecord): Promise<StoredRecord> {
  const { sha, pipeline } = stored.record;
  const { id } = repository.addCheck({
    name: `train: ${pipeline}`,
    headSha: sha,
    externalId: checkExternalId(stored),
    status: 'queued',
    app: world.github.actions,
  });
  return (await world.records.update(stored, (record) => ({ ...record, checkRunId: id }))) ?? stored;
}

/** A Job as submit-pipeline makes it, with record and check. */
export async function submitted(place: Place, spec: object): Promise<{ stored: StoredRecord; run: string; name: string }> {
  const { world, repository, namespace } = place;
  const { run, reference } = await startJob(world.client, repository, namespace, spec, { pullRequest: 1, pipeline: 'digits' });
  const stored = await world.records.get(namespace, reference.name);
  if (!stored) throw new Error('no record');
  await world.client.patch(job.resource, namespace, reference.name, { metadata: { annotations: { [recordAnnotation]: stored.uid } } });
  return { stored: await withCheck(place, stored), run, name: reference.name };
}

/** A run with metrics, and a baseline at the base commit. */
export async function trained(place: Place, accuracy: number): Promise<{ pull: Pull; stored: StoredRecord }> {
  const { world, repository, namespace } = place;
  await seedRun(world.records, repository, { sha: repository.head(), metrics: { accuracy: [0.8, 0.9] } }, namespace);
  const pull = pullRequest(place);
  const stored = await seedRun(
    world.records,
    repository,
    { sha: pull.sha, pullRequest: pull.number, metrics: { accuracy: [0.8, accuracy] } },
    namespace,
  );
  return { pull, stored };
}
