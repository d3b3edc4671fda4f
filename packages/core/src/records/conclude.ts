import type { PodsObservation, RunBackend } from '../backend/backend.ts';
import type { RunMetrics } from '../metrics/metrics.ts';
import type { LogGatherer } from '../run/log-gatherer.ts';
import { failedPods, resultOf } from '../run/outcome.ts';
import { parseReference, type RunReference } from '../run/reference.ts';
import type { RunResult } from '../run/result.ts';
import type { Status } from '../run/state.ts';
import { hasTrials, type RunSweep } from '../sweep/sweep.ts';
import { withStopped } from '../sweep/outcome.ts';
import { sweepMetrics } from '../sweep/trials.ts';
import { writeEnd } from './end.ts';
import type { RecordStore, StoredRecord } from './store.ts';

const mostPods = 50;

/** What the end of a run is written with. */
export interface ConcludeParts {
  records: RecordStore;
  backend: RunBackend;
  now(): number;
}

/** A record with its end, and the end. */
export interface Concluded {
  stored: StoredRecord;
  result: RunResult;
}

/**
 * Writes the end of a run into its record, once: whoever comes second gets what the first wrote.
 * @param status an ended one
 * @param pods as they were seen last: what is gone says nothing any more
 * @param gathered what was read of the log, to its end
 */
export async function concludeRun(
  stored: StoredRecord,
  status: Status,
  { pods: seen, gathered }: { pods: PodsObservation; gathered: Pick<LogGatherer, 'tail' | 'tailOf' | 'series'> },
  { records, backend, now }: ConcludeParts,
): Promise<Concluded> {
  // Who cancelled stands on the record by now, where somebody did.
  const current = await latest(stored, records);
  const reference = parseReference(stored.record.run ?? '');
  const { sweep } = current.record;
  const pods = { ...seen, pods: withStopped(sweep, status, seen.pods) };
  const outputs = await backend.outputs(reference).catch(() => []);
  const tables = (await backend.tables?.(reference).catch(() => [])) ?? [];
  const artifacts = (await backend.artifacts?.(reference).catch(() => [])) ?? [];
  const tail = (pod?: string): string[] => gathered.tail(pod);
  const plain = resultOf({ record: current.record, status, pods, outputs: hasTrials(sweep) ? [] : outputs, tail, now: now() });
  const result = { ...plain, ...(tables.length > 0 ? { tables } : {}), ...(artifacts.length > 0 ? { artifacts } : {}) };
  const metrics: RunMetrics = hasTrials(sweep)
    ? await metricsOfSweep(sweep, reference, { pods, gathered, backend })
    : { version: 1, series: gathered.series(), dropped: [] };
  const written = await writeEnd(records, current, sweep ? withFewPods(result) : result, metrics);
  return { stored: written, result: written.record.result ?? result };
}

async function metricsOfSweep(
  sweep: RunSweep,
  reference: RunReference,
  { pods, gathered, backend }: { pods: PodsObservation; gathered: Pick<LogGatherer, 'tailOf' | 'series'>; backend: RunBackend },
): Promise<RunMetrics> {
  // What ended and is gone has its lines still.
  const outputs = await backend.podOutputs?.(reference).catch(() => undefined);
  return sweepMetrics(sweep, {
    pods,
    series: (pod) => gathered.series(pod),
    tail: (pod) => gathered.tailOf(pod),
    outputs: (pod) => outputs?.get(pod) ?? [],
  });
}

// A record of a thousand pods would be half a megabyte, read with every list; each trial's end stands with its metrics.
function withFewPods(result: RunResult): RunResult {
  const failed = failedPods(result.pods);
  const others = result.pods.filter((pod) => !failed.includes(pod));
  return { ...result, pods: [...failed, ...others].slice(0, mostPods) };
}

async function latest(stored: StoredRecord, records: RecordStore): Promise<StoredRecord> {
  const now = await records.get(stored.namespace, stored.name);
  return now?.uid === stored.uid ? now : stored;
}
