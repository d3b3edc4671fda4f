import { numberOf } from '@slashtrain/core/metrics/lines';
import type { MetricRun, RunMetrics } from '@slashtrain/core/metrics/metrics';
import { summariseAll } from '@slashtrain/core/metrics/summary';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { isEnded } from '@slashtrain/core/run/state';
import { familyOf, samenessOf } from '../seeds.ts';
import { nothingMeasured, type Measured } from './measured.ts';

/** The metrics that a run printed, as they are kept with its record, and those of the commit's runs that differ by their seed alone. */
export async function readRun(stored: StoredRecord, siblings: readonly StoredRecord[], records: RecordStore): Promise<Measured> {
  const metrics = await records.readMetrics(stored);
  const unfit = unfitness(stored);
  const { sweep } = stored.record;
  if (sweep) {
    const { readSweepRun } = await import('./sweep.ts');
    return { ...readSweepRun(stored, sweep, metrics), ...(unfit === undefined ? {} : { unfit }) };
  }
  const ended = siblings.filter(({ name, record }) => name !== stored.name && record.state === 'succeeded');
  const family = hasPoints(metrics) ? await seedsWithMetrics([stored, ...ended], records) : [];
  const own = withOutputs(stored.record, family[0]?.run ?? asMetricRun(stored, metrics ?? { version: 1, series: [], dropped: [] }));
  return {
    ...nothingMeasured(),
    runs: metrics === undefined && own.metrics.length === 0 ? [] : [own, ...family.slice(1).map(({ run }) => run)],
    notes: metrics?.dropped ?? [],
    ...(unfit === undefined ? {} : { unfit }),
  };
}

/**
 * Runs with metrics, the first of the records' and those that differ from it by the value of a seed alone, one for each seed: a retry
 * with the same seed is no other sample.
 * @param candidates of one commit, pull request and pipeline, newest first
 */
export async function seedsWithMetrics(
  candidates: readonly StoredRecord[],
  records: RecordStore,
): Promise<{ stored: StoredRecord; run: MetricRun }[]> {
  const found: { stored: StoredRecord; run: MetricRun }[] = [];
  const seen = new Set<string>();
  for (const stored of candidates) {
    const { parameters, dataVersion } = stored.record;
    const first = found[0]?.stored.record;
    if (first && familyOf(parameters, dataVersion) !== familyOf(first.parameters, first.dataVersion)) continue;
    const same = samenessOf(parameters, dataVersion);
    if (seen.has(same)) continue;
    const metrics = await records.readMetrics(stored);
    if (!hasPoints(metrics)) continue;
    seen.add(same);
    found.push({ stored, run: asMetricRun(stored, metrics) });
  }
  return found;
}

/**
 * Small outputs that are numbers, of a run's termination messages or of its kind (Argo's and TrainJob's outputs), are metrics as well,
 * where the run printed none of that name.
 */
function withOutputs({ result }: StoredRecord['record'], run: MetricRun): MetricRun {
  const known = new Set(run.metrics.map(({ name }) => name));
  return { ...run, metrics: [...run.metrics, ...outputMetrics(result?.outputs ?? [], known)] };
}

function outputMetrics(outputs: readonly { name: string; value: string }[], known: ReadonlySet<string>): MetricRun['metrics'] {
  const series = outputs.flatMap(({ name, value }) => {
    const number = numberOf(value.trim()) ?? (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/u.test(value.trim()) ? Number(value) : undefined);
    return number === undefined || known.has(name) ? [] : [{ name, points: [{ step: 0, value: number }] }];
  });
  return summariseAll(series);
}

/** Of records, newest first, the first with metrics; else the newest, which then has none. */
export async function newestWithMetrics(
  candidates: readonly [StoredRecord, ...StoredRecord[]],
  records: RecordStore,
): Promise<StoredRecord> {
  for (const stored of candidates) if (hasPoints(await records.readMetrics(stored))) return stored;
  return candidates[0];
}

function hasPoints(metrics: RunMetrics | undefined): metrics is RunMetrics {
  return metrics?.series.some(({ points }) => points.length > 0) ?? false;
}

/** A run as a sample. */
function asMetricRun({ name, record }: StoredRecord, metrics: RunMetrics): MetricRun {
  return {
    id: record.run ?? name,
    name,
    source: 'run',
    sha: record.sha,
    ...(record.pullRequest === undefined ? {} : { pullRequest: record.pullRequest }),
    parameters: record.parameters,
    ...(record.dataVersion === undefined ? {} : { dataVersion: record.dataVersion }),
    ...(record.price === undefined ? {} : { gpu: record.price.accelerator }),
    metrics: summariseAll(metrics.series),
    ...(record.result?.tables ? { tables: record.result.tables } : {}),
    ...(record.result?.artifacts ? { artifacts: record.result.artifacts } : {}),
  };
}

// The last value of a training that broke off is not what it would have come to.
export function unfitness({ record: { state, result } }: StoredRecord): string | undefined {
  if (state === 'succeeded') return undefined;
  if (!isEnded(state)) return `the run has not ended, it is ${state}`;
  return `the run did not succeed, it is ${state}${result?.reason === undefined ? '' : ` (${result.reason})`}`;
}
