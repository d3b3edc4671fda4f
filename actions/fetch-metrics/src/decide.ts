import { nearest } from '@slashtrain/core/config/near';
import type { Gate, MetricsFile } from '@slashtrain/core/metrics/metrics';
import { compareMetrics, type MetricRow } from '@slashtrain/core/metrics/rows';
import { verdictOf } from '@slashtrain/core/metrics/verdict';
import type { Baseline, Subject } from './baseline/find.ts';
import { evaluateGates } from './gates/evaluate.ts';
import { compareRuns } from './samples.ts';
import type { Settings } from './settings.ts';
import type { Measured } from './sources/measured.ts';
import { asMetricRun } from './sources/run.ts';

/** All that a verdict is made from. */
export interface Findings {
  subject: Subject;
  /** The run reference of the record that is judged. */
  run: string | undefined;
  measured: Measured;
  compared: Baseline | { notes: string[] };
  settings: Pick<Settings, 'gates' | 'noBaseline'>;
}

/** Holds the gates against the findings. Whatever could not be read or was not measured keeps the verdict from being a pass. */
export function decide({ subject, run, measured, compared, settings }: Findings): MetricsFile {
  const { runs, problems, unfit } = measured;
  const hasMetrics = runs.some(({ metrics }) => metrics.length > 0);
  const found = 'stored' in compared ? compared : undefined;
  const baseline = found && asMetricRun(found.stored, found.metrics);
  const gates = evaluateGates(settings.gates, { candidate: runs, baseline: baseline && [baseline], unfit });
  const verdict = verdictOf([
    ...gates.filter(({ gate }) => gate.level !== 'warn'),
    ...(problems.length > 0 || unfit !== undefined ? [{ outcome: 'error' as const }] : []),
    ...(!hasMetrics ? [{ outcome: 'missing' as const }] : []),
  ]);
  return {
    version: 1,
    ...subject,
    ...(run === undefined ? {} : { run }),
    candidates: runs,
    ...(found && baseline
      ? { baseline: { description: found.description, sha: baseline.sha, runs: [baseline], record: found.stored.name } }
      : {}),
    comparisons: compareRuns(runs, baseline ? [baseline] : []),
    gates,
    noBaseline: settings.noBaseline,
    verdict,
    notes: [
      ...problems,
      ...(unfit === undefined ? [] : [unfit]),
      ...(!hasMetrics ? ['there are no metrics: nothing was measured'] : []),
      ...measured.notes,
      ...compared.notes,
    ],
  };
}

/**
 * The rows to show: the metrics of the input `metrics`, and every one that has a gate. A wanted metric that is not there is
 * noted in `file`.
 */
export function rowsToShow(file: MetricsFile, wanted: readonly string[]): MetricRow[] {
  const rows = compareMetrics(file.candidates[0]?.metrics ?? [], file.baseline?.runs[0]?.metrics ?? [], file.gates);
  if (wanted.length === 0) return rows;
  const names = rows.map(({ name }) => name);
  for (const name of wanted.filter((one) => !names.includes(one))) {
    const near = nearest(name, names);
    file.notes.push(
      `the metric ${JSON.stringify(name)} was to be shown and is not there${near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`}`,
    );
  }
  return rows.filter(({ name, gates }) => gates.length > 0 || wanted.includes(name));
}

/** How many gates came to what, in words for the log. */
export function tally(gates: readonly { gate: Gate; outcome: string }[]): string {
  if (gates.length === 0) return 'no gates are set';
  const counts = new Map<string, number>();
  for (const { outcome } of gates) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
}
