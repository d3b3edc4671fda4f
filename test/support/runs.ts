import { createHash } from 'node:crypto';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { job } from '@slashtrain/core/kinds/job';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import { formatReference, type RunReference } from '@slashtrain/core/run/reference';
import type { RunRecord } from '@slashtrain/core/run/record';
import type { Repository } from '@slashtrain/testing/github/github';
import { unique } from './targets.ts';

/** A run as submit-pipeline leaves it, made without submit-pipeline: a Job, and the record of it. */
export async function startJob(
  client: KubernetesClient,
  repository: Repository,
  namespace: string,
  spec: object,
  more: Partial<RunRecord> = {},
): Promise<{ run: string; reference: RunReference; sha: string }> {
  const name = unique('train-1a2b3c4');
  const sha = repository.head();
  const store = recordStore(client);
  const record: RunRecord = {
    version: 1,
    repository: { id: repository.id, fullName: repository.fullName },
    sha,
    tree: repository.tree(sha),
    pipeline: 'default',
    request: createHash('sha256').update(name).digest('hex'),
    asked: [{ id: 'comment:1', runAttempt: 1 }],
    attempt: 1,
    actor: 'ada',
    createdAt: new Date().toISOString(),
    images: [],
    parameters: [],
    kind: { plural: 'jobs', group: 'batch' },
    state: 'queued',
    ...more,
  };
  const made = await client.create<KubernetesObject>(job.resource, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace },
    spec,
  });
  const reference = { plural: 'jobs', group: 'batch', namespace, name, uid: made?.metadata.uid ?? '' };
  const run = formatReference(reference);
  if (!(await store.create(namespace, name, { ...record, run }))) throw new Error(`there is a record ${name}`);
  return { run, reference, sha };
}
