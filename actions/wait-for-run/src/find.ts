import { ActionError } from '@slashtrain/core/action/errors';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { parseReference } from '@slashtrain/core/run/reference';

/** Which run: by its reference, or by what it was made for. */
export type Wanted =
  { run: string } | { repositoryId: number; pullRequest: number | undefined; sha: string; pipeline: string; namespace: string };

/**
 * Finds the record of the wanted run. Of several attempts, the newest.
 * @throws ActionError `not-found` that names what was asked and where, `mismatch` where the name is another run's by now
 */
export async function findRecord(
  wanted: Wanted,
  records: RecordStore,
  client: Pick<KubernetesClient, 'server' | 'context'>,
): Promise<StoredRecord> {
  const where = `on ${client.server} (context ${client.context})`;
  if ('run' in wanted) {
    const { namespace, name } = parseReference(wanted.run);
    const stored = await records.get(namespace, name);
    if (!stored) {
      throw new ActionError('not-found', `no record of the run ${wanted.run} ${where}`, {
        remedy: 'check that kubeconfig and kube-context are those of submit-pipeline',
      });
    }
    if (stored.record.run !== wanted.run) {
      throw new ActionError(
        'mismatch',
        `the run ${wanted.run} was replaced by another run: ${stored.record.run ?? 'one that is being made'}`,
      );
    }
    return stored;
  }
  const { namespace, pullRequest, ...query } = wanted;
  const found = await records.find(namespace, { ...query, ...(pullRequest === undefined ? {} : { pullRequest }) });
  const newest = found.sort((a, b) => b.record.createdAt.localeCompare(a.record.createdAt) || b.record.attempt - a.record.attempt)[0];
  if (!newest) {
    throw new ActionError('not-found', `no run of pipeline "${wanted.pipeline}" for ${wanted.sha} in namespace "${namespace}" ${where}`, {
      remedy: 'run submit-pipeline first, or pass its output "run"',
    });
  }
  return newest;
}
