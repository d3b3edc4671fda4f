import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { checkIdentity, newestFirst, recordOfRun, recordsFor } from '@slashtrain/core/records/find';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { parseReference } from '@slashtrain/core/run/reference';
import type { Subject } from './baseline/find.ts';
import type { FetchInputs } from './inputs.ts';
import type { Parts } from './main.ts';
import { newestWithMetrics } from './sources/run.ts';

/** What is judged, and where its record and its baseline's are. */
export interface OpenSubject {
  subject: Subject;
  /** Absent where no cluster is needed and none is named. */
  cluster?: { client: KubernetesClient; records: RecordStore; namespace: string };
  /** The run's record. Absent where metrics come from elsewhere and no run is known. */
  stored?: StoredRecord;
  /** Other runs of the commit, newest first; the run itself may be among them. */
  siblings?: StoredRecord[];
  /** The run's name, as the trackers' runs have it. */
  runName?: string;
}

/**
 * Finds the run that is meant: by its reference, or the newest with metrics of commit, pull request and pipeline.
 * @throws ActionError `not-found`, `mismatch` with both SHAs, `input` where no cluster is named
 */
export async function openSubject(inputs: FetchInputs, { host, context }: Parts): Promise<OpenSubject> {
  const { run, sha, pullRequest, pipeline, kubeconfig, kubeContext, namespace } = inputs;
  const { environment, log, workspace, signal } = host;
  const isNamed = kubeconfig ?? environment['KUBECONFIG'] ?? environment['KUBERNETES_SERVICE_HOST'];
  const needsRecords = inputs.sources.includes('run') || inputs.sources.includes('katib');
  if (!needsRecords && !isNamed && sha !== undefined) {
    const name = run === undefined ? undefined : parseReference(run).name;
    return { subject: subjectOf(inputs), ...(name === undefined ? {} : { runName: name }) };
  }

  const client = await openKubernetes({ kubeconfig, context: kubeContext, namespace, environment, folder: workspace, log, signal });
  const records = recordStore(client);
  const cluster = { client, records, namespace: client.namespace };
  if (run !== undefined) {
    const stored = await recordOfRun(run, records, client);
    checkIdentity(stored, { sha, pullRequest, pipeline }, context);
    const siblings = await siblingsOf(stored, records);
    return {
      subject: subjectOf(stored.record),
      cluster: { client, records, namespace: stored.namespace },
      stored,
      siblings,
      runName: stored.name,
    };
  }
  if (sha !== undefined && inputs.sources.every((source) => source === 'files')) return { subject: subjectOf(inputs), cluster };

  const query = {
    namespace: client.namespace,
    repositoryId: context.repositoryId,
    pipeline: pipeline ?? 'default',
    ...(sha === undefined ? {} : { sha }),
    ...(pullRequest === undefined ? {} : { pullRequest }),
  };
  const found = needsRecords ? await recordsFor(query, records, client) : newestFirst(await records.find(client.namespace, query));
  const [first, ...others] = found;
  // A tracker may know more than the records.
  if (!first) return { subject: subjectOf(inputs), cluster };
  const stored = await newestWithMetrics([first, ...others], records);
  return { subject: subjectOf(stored.record), cluster, stored, siblings: found, runName: stored.name };
}

/** The runs of the same commit, pull request and pipeline, newest first. */
async function siblingsOf({ namespace, record }: StoredRecord, records: RecordStore): Promise<StoredRecord[]> {
  const { repository, sha, pullRequest, pipeline } = record;
  const found = await records.find(namespace, {
    repositoryId: repository.id,
    sha,
    pipeline,
    ...(pullRequest === undefined ? {} : { pullRequest }),
  });
  return newestFirst(found).filter((other) => other.record.pullRequest === pullRequest);
}

function subjectOf(from: { sha?: string | undefined; pullRequest?: number | undefined; pipeline?: string | undefined }): Subject {
  return {
    sha: from.sha ?? '',
    ...(from.pullRequest === undefined ? {} : { pullRequest: from.pullRequest }),
    pipeline: from.pipeline ?? 'default',
  };
}
