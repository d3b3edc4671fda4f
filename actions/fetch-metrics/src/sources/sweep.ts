import type { MetricRun, RunMetrics } from '@slashtrain/core/metrics/metrics';
import { isSeed } from '@slashtrain/core/metrics/seed';
import { summariseAll } from '@slashtrain/core/metrics/summary';
import type { StoredRecord } from '@slashtrain/core/records/store';
import { parametersOf, rankSettings } from '@slashtrain/core/sweep/rank';
import { hasTrials, type RunSweep, type Trial } from '@slashtrain/core/sweep/sweep';
import { outputNumber } from '@slashtrain/core/sweep/trials';
import { nothingMeasured, type Measured } from './measured.ts';

/**
 * What a sweep measured, as its record keeps it: the runs of its best setting, one for each seed. The other trials are no samples of
 * this commit: they were given up for it.
 */
export function readSweepRun({ name, record }: StoredRecord, sweep: RunSweep, metrics: RunMetrics | undefined): Measured {
  const common = {
    source: 'run',
    sha: record.sha,
    ...(record.pullRequest === undefined ? {} : { pullRequest: record.pullRequest }),
    ...(record.dataVersion === undefined ? {} : { dataVersion: record.dataVersion }),
    ...(record.price === undefined ? {} : { gpu: record.price.accelerator }),
  };
  const id = record.run ?? name;
  if (!hasTrials(sweep)) {
    const best = bestOfKatib(record.result?.outputs ?? []);
    if (!best) return { ...nothingMeasured(), notes: ['the sweep has no best trial'] };
    const parameters = [...record.parameters, ...best.parameters];
    return { ...nothingMeasured(), runs: [{ ...common, id, name: best.trial, parameters, metrics: best.metrics }], best: best.parameters };
  }
  const ranked = rankSettings(metrics?.trials ?? [], sweep);
  const [best] = ranked;
  const dropped = metrics?.dropped ?? [];
  if (!best) return { ...nothingMeasured(), notes: [...dropped, `no trial ended well with a number for ${JSON.stringify(sweep.metric)}`] };
  const runs = best.trials.map((trial, position): MetricRun => ({
    ...common,
    id: position === 0 ? id : `${id}#${trial.index}`,
    name: `trial ${trial.index}`,
    parameters: [...record.parameters, ...parametersOf(trial, sweep)],
    // The curves of the first are kept; of the others what they came to.
    metrics: position === 0 && metrics && metrics.series.length > 0 ? summariseAll(metrics.series) : trial.metrics.map(summaryOf),
  }));
  const flattered =
    ranked.length > 1
      ? [`this is the best of ${ranked.length} settings: what was chosen for its value is, run again, mostly a little worse`]
      : [];
  return { ...nothingMeasured(), runs, notes: [...dropped, ...flattered], best: best.parameters };
}

function summaryOf({ name, last, min, max, mean, step }: Trial['metrics'][number]): MetricRun['metrics'][number] {
  return { name, last, min, max, mean, step, history: [{ step, value: last }] };
}

/** The outputs of kinds/katib-experiment.ts. */
function bestOfKatib(
  outputs: readonly { name: string; value: string }[],
): { trial: string; parameters: { name: string; value: string }[]; metrics: MetricRun['metrics'] } | undefined {
  const trial = outputs.find(({ name }) => name === 'best-trial')?.value;
  if (trial === undefined) return undefined;
  const after = (prefix: string): { name: string; value: string }[] =>
    outputs.filter(({ name }) => name.startsWith(prefix)).map(({ name, value }) => ({ name: name.slice(prefix.length), value }));
  const series = after('metric-').flatMap(({ name, value }) => {
    const number = outputNumber(value);
    return number === undefined ? [] : [{ name, points: [{ step: 0, value: number }] }];
  });
  return { trial, parameters: after('parameter-').filter(({ name }) => !isSeed(name)), metrics: summariseAll(series) };
}
