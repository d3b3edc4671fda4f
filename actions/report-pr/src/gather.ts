import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { openFor } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { parseMetricsFile } from '@slashtrain/core/metrics/file';
import type { MetricsFile, MetricSummary } from '@slashtrain/core/metrics/metrics';
import { summariseAll } from '@slashtrain/core/metrics/summary';
import { checkIdentity, newestFirst, recordOfRun, recordsFor } from '@slashtrain/core/records/find';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import type { RunRecord } from '@slashtrain/core/run/record';
import type { RunResult } from '@slashtrain/core/run/result';
import { parseResultFile } from '@slashtrain/core/run/result-file';
import { isEnded, type Status } from '@slashtrain/core/run/state';
import type { ReportInputs } from './inputs.ts';
import type { Parts } from './main.ts';
import { standingOf } from './standing.ts';
import type { Story } from './story.ts';

/** What earlier steps of the job handed on, checked. */
export interface Handed {
  metrics?: MetricsFile;
  result?: RunResult;
}

/** The run that is reported, and where its pull request's other runs are. */
export interface Target {
  stored: StoredRecord;
  records: RecordStore;
  /** Looks at a run that goes on. */
  standing(record: RunRecord): Promise<Status | undefined>;
}

/** The story that is told, and the run that it is of. */
export interface Opened {
  story: Story;
  /** Absent where metrics came from files alone. */
  target?: Target;
}

/** @throws ActionError `input` for a file that is none, `mismatch` where they are of two commits */
export function readHanded(inputs: ReportInputs): Handed {
  const { metricsFile, resultFile } = inputs;
  const metrics = metricsFile && parseMetricsFile(metricsFile.text, metricsFile.where);
  const result = resultFile && parseResultFile(resultFile.text, resultFile.where);
  refuseOtherCommit('the metrics file', metrics?.sha, 'input "sha"', inputs.sha);
  refuseOtherCommit('the result file', result?.sha, 'input "sha"', inputs.sha);
  refuseOtherCommit('the metrics file', metrics?.sha, 'the result file', result?.sha);
  return { ...(metrics && { metrics }), ...(result && { result }) };
}

/**
 * Finds the run and gathers its story. Metrics that came from files alone have no run, and need no cluster.
 * @throws ActionError `not-found`, `mismatch` with both SHAs
 */
export async function openStory(inputs: ReportInputs, handed: Handed, parts: Parts): Promise<Opened> {
  const run = inputs.run ?? handed.metrics?.run;
  if (run === undefined && handed.metrics) return { story: storyOfFile(handed.metrics, handed, inputs) };
  const target = await findTarget(run, inputs, handed, parts);
  return { story: await storyOf(target.stored, target, handed, inputs.title), target };
}

/** Opens the cluster that holds the records. */
export async function openRecords(inputs: ReportInputs, host: Host): Promise<{ client: KubernetesClient; records: RecordStore }> {
  const { kubeconfig, kubeContext: context, namespace } = inputs;
  const client = await openFor(host, { kubeconfig, context, namespace });
  return { client, records: recordStore(client) };
}

async function findTarget(run: string | undefined, inputs: ReportInputs, handed: Handed, { host, context }: Parts): Promise<Target> {
  const { pullRequest, pipeline } = inputs;
  const { client, records } = await openRecords(inputs, host);
  const query = {
    namespace: client.namespace,
    repositoryId: context.repositoryId,
    pipeline: pipeline ?? 'default',
    ...(inputs.sha === undefined ? {} : { sha: inputs.sha }),
    ...(pullRequest === undefined ? {} : { pullRequest }),
  };
  const stored = run === undefined ? (await recordsFor(query, records, client))[0] : await recordOfRun(run, records, client);
  checkIdentity(stored, { sha: inputs.sha, pullRequest, pipeline }, context);
  refuseOtherCommit(`the run ${stored.name}`, stored.record.sha, 'the metrics file', handed.metrics?.sha);
  refuseOtherCommit(`the run ${stored.name}`, stored.record.sha, 'the result file', handed.result?.sha);
  // Once for each run: a report may be made several times.
  const looks = new Map<string, Promise<Status | undefined>>();
  const standing = (record: RunRecord): Promise<Status | undefined> => {
    const look = looks.get(record.run ?? '') ?? standingOf(record, client, host.log);
    looks.set(record.run ?? '', look);
    return look;
  };
  return { stored, records, standing };
}

/** All runs of the same pull request and pipeline, newest first; of a run without a pull request, itself. */
export async function runsOf({ stored, records }: Target): Promise<StoredRecord[]> {
  const { repository, pullRequest, pipeline } = stored.record;
  if (pullRequest === undefined) return [(await records.get(stored.namespace, stored.name)) ?? stored];
  return newestFirst(await records.find(stored.namespace, { repositoryId: repository.id, pullRequest, pipeline }));
}

/** A run's story, from its record; what earlier steps handed on about this very run comes first. */
export async function storyOf(
  stored: StoredRecord,
  { records, standing }: Pick<Target, 'records' | 'standing'>,
  handed: Handed,
  title: string | undefined,
): Promise<Story> {
  const { record } = stored;
  const now = isEnded(record.state) ? undefined : await standing(record);
  const metrics = handed.metrics?.run !== undefined && handed.metrics.run === record.run ? handed.metrics : undefined;
  // Once a run has ended its record is the truth; before, the step that waited knows more.
  const waited = handed.result?.run === record.run && !isEnded(record.state) ? handed.result : undefined;
  const result = record.result ?? (now && now.state !== waited?.state ? undefined : waited);
  const verdict = metrics?.verdict ?? record.verdict;
  // A metrics file has the best trial alone.
  const own = metrics && !record.sweep ? undefined : await records.readMetrics(stored);
  const baseline = metrics ? baselineOf(metrics) : await baselineOfRecord(stored, records);
  return {
    title: title ?? record.pipeline,
    pipeline: record.pipeline,
    sha: record.sha,
    ...(record.pullRequest === undefined ? {} : { pullRequest: record.pullRequest }),
    state: isEnded(record.state) ? record.state : (now?.state ?? result?.state ?? record.state),
    ...(result && { result }),
    ...(now && { standing: now }),
    stored,
    ...(verdict && { verdict }),
    noBaseline: metrics?.noBaseline ?? record.comparison?.noBaseline ?? 'pass',
    gates: metrics?.gates ?? record.comparison?.gates ?? [],
    candidate: metrics ? (metrics.candidates[0]?.metrics ?? []) : summariseAll(own?.series ?? []),
    ...(metrics && measuredIn(metrics)),
    ...(own?.trials && { trials: own.trials }),
    ...(baseline && { baseline }),
    notes: metrics?.notes ?? record.comparison?.notes ?? own?.dropped ?? [],
  };
}

/** The story of metrics that came from files alone. */
function storyOfFile(file: MetricsFile, handed: Handed, inputs: ReportInputs): Story {
  const pullRequest = inputs.pullRequest ?? file.pullRequest;
  const baseline = baselineOf(file);
  return {
    title: inputs.title ?? file.pipeline,
    pipeline: file.pipeline,
    sha: file.sha,
    ...(pullRequest === undefined ? {} : { pullRequest }),
    state: handed.result?.state ?? 'succeeded',
    ...(handed.result && { result: handed.result }),
    verdict: file.verdict,
    noBaseline: file.noBaseline,
    gates: file.gates,
    candidate: file.candidates[0]?.metrics ?? [],
    ...measuredIn(file),
    ...(baseline && { baseline }),
    notes: file.notes,
  };
}

/** What only a metrics file knows: a record keeps one run's metrics. */
function measuredIn({ candidates, comparisons, differences, excluded }: MetricsFile): Partial<Story> {
  return {
    runs: candidates,
    ...(comparisons && { comparisons }),
    ...(differences && { differences }),
    ...(excluded && { excluded }),
  };
}

function baselineOf({ baseline }: MetricsFile): Story['baseline'] {
  return baseline && { description: baseline.description, sha: baseline.sha, metrics: baseline.runs[0]?.metrics ?? [] };
}

async function baselineOfRecord({ namespace, record }: StoredRecord, records: RecordStore): Promise<Story['baseline']> {
  const remembered = record.comparison?.baseline;
  if (!remembered) return undefined;
  const stored = await records.get(namespace, remembered.record);
  // Deleted since, or another's by now: what it was is still known, its numbers are not.
  const metrics: MetricSummary[] =
    stored?.record.sha === remembered.sha ? summariseAll((await records.readMetrics(stored))?.series ?? []) : [];
  return { description: remembered.description, sha: remembered.sha, metrics };
}

function refuseOtherCommit(one: string, sha: string | undefined, other: string, otherSha: string | undefined): void {
  if (sha === undefined || otherSha === undefined || sha === otherSha) return;
  throw new ActionError('mismatch', `${one} is of ${sha}, and ${other} of ${otherSha}`, {
    remedy: 'pass run, sha, metrics-file and result-file from steps of the same job',
  });
}
