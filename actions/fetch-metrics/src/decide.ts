import { nearest } from '@slashtrain/core/config/near';
import type { Gate, MetricRun, MetricsFile, MetricSummary } from '@slashtrain/core/metrics/metrics';
import { compareMetrics, type MetricRow } from '@slashtrain/core/metrics/rows';
import { verdictOf } from '@slashtrain/core/metrics/verdict';
import type { Baseline, Subject } from './baseline/find.ts';
import { evaluateGates } from './gates/evaluate.ts';
import { differencesOf } from './differences.ts';
import { compareRuns, valueOn } from './samples.ts';
import type { Settings } from './settings.ts';
import type { Measured } from './sources/measured.ts';

/** All that a verdict is made from. */
export interface Findings {
  subject: Subject;
  /** The run reference of the record that is judged. */
  run: string | undefined;
  measured: Measured;
  compared: Baseline | { notes: string[]; problem?: string };
  settings: Pick<Settings, 'gates' | 'noBaseline'>;
}

/** Holds the gates against the findings. Whatever could not be read or was not measured keeps the verdict from being a pass. */
export function decide({ subject, run, measured, compared, settings }: Findings): MetricsFile {
  const { runs, unfit } = measured;
  const problems = [...measured.problems, ...('problem' in compared && compared.problem !== undefined ? [compared.problem] : [])];
  const hasMetrics = runs.some(({ metrics }) => metrics.length > 0);
  const baseline = 'runs' in compared ? compared : undefined;
  const gates = evaluateGates(settings.gates, { candidate: runs, baseline: baseline?.runs, unfit });
  const differences = differencesOf(runs, baseline?.runs ?? []);
  const verdict = verdictOf([
    ...gates.filter(({ gate }) => gate.level !== 'warn'),
    ...(problems.length > 0 || unfit !== undefined ? [{ outcome: 'error' as const }] : []),
    ...(!hasMetrics ? [{ outcome: 'missing' as const }] : []),
  ]);
  return {
    version: 1,
    ...subject,
    ...(run === undefined ? {} : { run }),
    candidates: measured.best ? runs : bestFirst(runs, settings.gates),
    ...(measured.best && { best: measured.best }),
    ...(baseline && { baseline: describeBaseline(baseline) }),
    comparisons: compareRuns(runs, baseline?.runs ?? []),
    ...(differences.length > 0 ? { differences } : {}),
    ...(measured.excluded.length > 0 ? { excluded: measured.excluded } : {}),
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

function describeBaseline({ description, sha, runs, record }: Baseline): NonNullable<MetricsFile['baseline']> {
  return { description, sha, runs, ...(record === undefined ? {} : { record }) };
}

/** By the first gate's metric: the first run is what `best-run` names. Runs without it, or where it is no number, come last. */
function bestFirst(runs: readonly MetricRun[], gates: readonly Gate[]): MetricRun[] {
  const [gate] = gates;
  if (!gate || runs.length < 2) return [...runs];
  const worth = ({ metrics }: MetricRun): number => {
    const metric = metrics.find(({ name }) => name === gate.metric);
    const value = metric ? valueOn(metric, gate.on ?? 'last', gate.direction) : Number.NaN;
    return Number.isFinite(value) ? (gate.direction === 'higher' ? value : -value) : Number.NEGATIVE_INFINITY;
  };
  return runs.toSorted((a, b) => (worth(b) === worth(a) ? 0 : worth(b) - worth(a)));
}

/**
 * The rows to show: the metrics of the input `metrics`, and every one that has a gate. A wanted metric that is not there is
 * noted in `file`.
 */
export function rowsToShow(file: MetricsFile, wanted: readonly string[]): MetricRow[] {
  const rows = compareMetrics(metricsOf(file.candidates), metricsOf(file.baseline?.runs ?? []), file.gates, file.comparisons);
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

/** Every metric that any of the runs has, as the first of them that has it says: of several sources each may have its own. */
function metricsOf(runs: readonly MetricRun[]): MetricSummary[] {
  const metrics = new Map<string, MetricSummary>();
  for (const run of runs) for (const metric of run.metrics) if (!metrics.has(metric.name)) metrics.set(metric.name, metric);
  return [...metrics.values()];
}

/** How many gates came to what, in words for the log. */
export function tally(gates: readonly { gate: Gate; outcome: string }[]): string {
  if (gates.length === 0) return 'no gates are set';
  const counts = new Map<string, number>();
  for (const { outcome } of gates) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
}
