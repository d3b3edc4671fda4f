import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { checkIdentity, recordOfRun, recordsFor } from '@slashtrain/core/records/find';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import type { Subject } from './baseline/find.ts';
import type { FetchInputs } from './inputs.ts';
import type { Parts } from './main.ts';
import { newestWithMetrics } from './sources/run.ts';

/** What is judged, and where its record and its baseline's are. */
export interface OpenSubject {
  subject: Subject;
  /** Absent where metrics come from files and no cluster is named. */
  cluster?: { records: RecordStore; namespace: string };
  /** The run's record. Absent where metrics come from files and no run is named. */
  stored?: StoredRecord;
}

/**
 * Finds the run that is meant: by its reference, or the newest with metrics of commit, pull request and pipeline.
 * @throws ActionError `not-found`, `mismatch` with both SHAs, `input` where no cluster is named
 */
export async function openSubject(inputs: FetchInputs, { host, context }: Parts): Promise<OpenSubject> {
  const { run, sha, pullRequest, pipeline, kubeconfig, kubeContext, namespace } = inputs;
  const { environment, log, workspace, signal } = host;
  const isNamed = kubeconfig ?? environment['KUBECONFIG'] ?? environment['KUBERNETES_SERVICE_HOST'];
  if (inputs.source === 'files' && run === undefined && !isNamed) return { subject: subjectOf(inputs) };

  const client = await openKubernetes({ kubeconfig, context: kubeContext, namespace, environment, folder: workspace, log, signal });
  const records = recordStore(client);
  const cluster = { records, namespace: client.namespace };
  if (run !== undefined) {
    const stored = await recordOfRun(run, records, client);
    checkIdentity(stored, { sha, pullRequest, pipeline }, context);
    return { subject: subjectOf(stored.record), cluster: { records, namespace: stored.namespace }, stored };
  }
  if (inputs.source === 'files') return { subject: subjectOf(inputs), cluster };

  const query = {
    namespace: client.namespace,
    repositoryId: context.repositoryId,
    pipeline: pipeline ?? 'default',
    ...(sha === undefined ? {} : { sha }),
    ...(pullRequest === undefined ? {} : { pullRequest }),
  };
  const stored = await newestWithMetrics(await recordsFor(query, records, client), records);
  return { subject: subjectOf(stored.record), cluster, stored };
}

function subjectOf(from: { sha?: string | undefined; pullRequest?: number | undefined; pipeline?: string | undefined }): Subject {
  return {
    sha: from.sha ?? '',
    ...(from.pullRequest === undefined ? {} : { pullRequest: from.pullRequest }),
    pipeline: from.pipeline ?? 'default',
  };
}
