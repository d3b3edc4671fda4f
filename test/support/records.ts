import { createHash, randomUUID } from 'node:crypto';
import type { Log } from '@slashtrain/core/action/log';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { MetricPoint, MetricSeries } from '@slashtrain/core/metrics/metrics';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { runName } from '@slashtrain/core/run/name';
import type { RunRecord } from '@slashtrain/core/run/record';
import { formatReference } from '@slashtrain/core/run/reference';
import type { RunResult } from '@slashtrain/core/run/result';
import { isEnded } from '@slashtrain/core/run/state';
import type { EmbeddedCluster } from '@slashtrain/testing/cluster/cluster';
import type { Repository } from '@slashtrain/testing/github/github';

const silent: Log = {
  info: () => undefined,
  debug: () => undefined,
  notice: () => undefined,
  warning: () => undefined,
  error: () => undefined,
  startGroup: () => undefined,
  endGroup: () => undefined,
  mask: () => undefined,
};

/** The records of an embedded cluster, through the store that the actions use. */
export async function recordsOf(cluster: EmbeddedCluster): Promise<RecordStore> {
  return recordStore(await openKubernetes({ kubeconfig: cluster.kubeconfig, environment: {}, log: silent }));
}

/** A run that is over, or goes on, as its record tells it. */
export interface SeededRun {
  sha: string;
  pullRequest?: number;
  pipeline?: string;
  state?: RunRecord['state'];
  attempt?: number;
  /** Values by metric, a step each. */
  metrics?: Record<string, number[]>;
  createdAt?: string;
  record?: Partial<RunRecord>;
  result?: Partial<RunResult>;
}

/** Curves from values: step 1, 2, … */
export function seriesOf(metrics: Record<string, number[]>): MetricSeries[] {
  return Object.entries(metrics).map(([name, values]) => ({
    name,
    points: values.map((value, index): MetricPoint => ({ step: index + 1, value })),
  }));
}

let clock = Date.parse('2026-11-21T10:00:00Z');

/** Writes what submit-pipeline and wait-for-run leave behind of a run. Each is a minute younger than the one before. */
export async function seedRun(records: RecordStore, repository: Repository, run: SeededRun, namespace = 'default'): Promise<StoredRecord> {
  const { sha, pullRequest, pipeline = 'digits', state = 'succeeded', attempt = 1 } = run;
  clock += 60_000;
  const createdAt = run.createdAt ?? new Date(clock).toISOString();
  const request = createHash('sha256').update([repository.id, pullRequest, pipeline, sha].join()).digest('hex');
  const name = runName({ pipeline, pullRequest, sha, request, attempt }, 63);
  const reference = formatReference({ plural: 'jobs', group: 'batch', namespace, name, uid: randomUUID() });
  const record: RunRecord = {
    version: 1,
    repository: { id: repository.id, fullName: repository.fullName },
    ...(pullRequest === undefined ? {} : { pullRequest }),
    sha,
    tree: repository.tree(sha),
    pipeline,
    request,
    asked: [{ id: 'comment:1', runAttempt: 1 }],
    attempt,
    actor: 'ada',
    createdAt,
    images: [`localhost:5000/acme/digits@sha256:${'c'.repeat(64)}`],
    parameters: [{ name: 'epochs', value: '20' }],
    kind: { plural: 'jobs', group: 'batch' },
    run: reference,
    state: 'queued',
    ...run.record,
  };
  const created = await records.create(namespace, name, record);
  if (!created) throw new Error(`the record ${name} exists`);
  if (run.metrics) await records.writeMetrics(created, { version: 1, series: seriesOf(run.metrics), dropped: [] });
  const result: RunResult = {
    version: 1,
    run: reference,
    sha,
    pipeline,
    attempt,
    state,
    createdAt,
    startedAt: new Date(Date.parse(createdAt) + 5000).toISOString(),
    endedAt: new Date(Date.parse(createdAt) + 95_000).toISOString(),
    queueSeconds: 5,
    runSeconds: 90,
    pods: [],
    outputs: [],
    gpuHours: 0,
    logTail: [],
    ...run.result,
  };
  const written = await records.update(created, (old) => ({ ...old, state, ...(isEnded(state) ? { result } : {}) }));
  if (!written) throw new Error(`the record ${name} changed meanwhile`);
  return written;
}
