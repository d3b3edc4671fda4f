import type { MetricRun, RunMetrics } from '@slashtrain/core/metrics/metrics';
import { summariseAll } from '@slashtrain/core/metrics/summary';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { isEnded } from '@slashtrain/core/run/state';
import type { Measured } from './measured.ts';

/** The metrics that a run printed, as they are kept with its record. */
export async function readRun(stored: StoredRecord, records: RecordStore): Promise<Measured> {
  const metrics = await records.readMetrics(stored);
  const unfit = unfitness(stored);
  return {
    runs: metrics === undefined ? [] : [asMetricRun(stored, metrics)],
    excluded: [],
    notes: metrics?.dropped ?? [],
    problems: [],
    ...(unfit === undefined ? {} : { unfit }),
  };
}

/** Of records, newest first, the first with metrics; else the newest, which then has none. */
export async function newestWithMetrics(
  candidates: readonly [StoredRecord, ...StoredRecord[]],
  records: RecordStore,
): Promise<StoredRecord> {
  for (const stored of candidates) if (hasPoints(await records.readMetrics(stored))) return stored;
  return candidates[0];
}

export function hasPoints(metrics: RunMetrics | undefined): metrics is RunMetrics {
  return metrics?.series.some(({ points }) => points.length > 0) ?? false;
}

/** A run as a sample. */
export function asMetricRun({ name, record }: StoredRecord, metrics: RunMetrics): MetricRun {
  return {
    id: record.run ?? name,
    name,
    source: 'run',
    sha: record.sha,
    ...(record.pullRequest === undefined ? {} : { pullRequest: record.pullRequest }),
    parameters: record.parameters,
    ...(record.dataVersion === undefined ? {} : { dataVersion: record.dataVersion }),
    metrics: summariseAll(metrics.series),
  };
}

// The last value of a training that broke off is not what it would have come to.
function unfitness({ record: { state, result } }: StoredRecord): string | undefined {
  if (state === 'succeeded') return undefined;
  if (!isEnded(state)) return `the run has not ended, it is ${state}`;
  return `the run did not succeed, it is ${state}${result?.reason === undefined ? '' : ` (${result.reason})`}`;
}
