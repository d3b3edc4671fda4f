import { summarise } from '@slashtrain/core/metrics/summary';
import type { Gate, GateResult, MetricRun } from '@slashtrain/core/metrics/metrics';
import { evaluateGates } from '../../actions/fetch-metrics/src/gates/evaluate.ts';
import type { Row } from './part.ts';
import type { Results } from './results.ts';
import { ratios } from './samples.ts';

/** How much worse a figure may get before anybody is told: other machines and other days are no change of ours. */
const tolerance = '10%';
/** With so many samples a side, and no more, the interval is exact (actions/fetch-metrics/src/statistics). */
const mostSamples = 50;

/** A figure beside what it was in earlier runs. */
export interface Compared {
  row: Row;
  outcome: GateResult['outcome'];
  why: string;
}

/**
 * Holds a run's figures against those of earlier runs, by the rules of our own gates (docs/gates.md): rounds are seeds, and the
 * ratio to the peer is the metric, since it was measured on one machine. A change counts where its whole confidence interval lies
 * beyond the tolerance; with fewer than four rounds a side none does. A count is itself, and needs no test. Times without a peer
 * say more about the machine than about us: they are not compared.
 * @param before newest first
 */
export function compare(now: Results, before: readonly Results[]): Compared[] {
  const rows = now.rows.filter((row) => samplesOf(row).length > 0);
  const alike = before.filter(({ quick }) => quick === now.quick);
  const gates = rows.map((row): Gate => ({
    metric: row.id,
    direction: row.better,
    'max-regression': tolerance,
    ...(row.unit !== 'count' && { 'require-seeds': 4 }),
  }));
  const candidate = runsOf(new Map(rows.map((row) => [row.id, samplesOf(row)])));
  const baseline = runsOf(new Map(rows.map(({ id }) => [id, pooled(alike, id)])));
  const results = evaluateGates(gates, { candidate, baseline: alike.length === 0 ? undefined : baseline });
  return rows.map((row, index) => ({ row, outcome: results[index]!.outcome, why: results[index]!.why }));
}

/** What is compared of a figure, one a round. */
function samplesOf(row: Row): readonly number[] {
  if (row.peer) return ratios(row);
  return row.unit === 'count' || row.unit === 'MB' ? row.ours : [];
}

/** The samples of earlier runs, whole runs from the newest on. */
function pooled(runs: readonly Results[], id: string): number[] {
  const samples: number[] = [];
  for (const { rows } of runs) {
    const row = rows.find((one) => one.id === id);
    const more = row ? samplesOf(row) : [];
    if (samples.length + more.length > mostSamples) break;
    samples.push(...more);
  }
  return samples;
}

/** A run for each round, as the gates have them: one that has no sample of a metric is without it. */
function runsOf(samples: ReadonlyMap<string, readonly number[]>): Pick<MetricRun, 'metrics'>[] {
  const rounds = Math.max(0, ...[...samples.values()].map((all) => all.length));
  return Array.from({ length: rounds }, (_, round) => ({
    metrics: [...samples].flatMap(([name, all]) => {
      const value = all[round];
      const summary = value === undefined ? undefined : summarise({ name, points: [{ step: 1, value }] });
      return summary ? [summary] : [];
    }),
  }));
}

const words: Partial<Record<Compared['outcome'], string>> = {
  fail: 'slower',
  inconclusive: 'not told',
  'no-baseline': 'new',
  pass: 'as before',
};

/** What came of it, as markdown for the summary of a workflow's run. @param runs how many there were to compare with */
export function comparisonText(compared: readonly Compared[], runs: number): string {
  if (runs === 0) return 'There are no figures of earlier runs, so there is nothing to compare with.\n';
  const slower = compared.filter(({ outcome }) => outcome === 'fail');
  const head = slower.length === 0 ? 'Nothing got slower.' : `${slower.length} of ${compared.length} figures got worse.`;
  const shown = [...slower, ...compared.filter(({ outcome }) => outcome !== 'fail')];
  const lines = shown.map(({ row, outcome, why }) => `| ${[row.what, words[outcome] ?? outcome, why].map(cell).join(' | ')} |`);
  return [
    `${head} Compared with ${runs} earlier ${runs === 1 ? 'run' : 'runs'}.`,
    '',
    '| figure | change | why |',
    '| --- | --- | --- |',
    ...lines,
    '',
  ].join('\n');
}

/** A warning for each figure that got worse. */
export function warningsOf(compared: readonly Compared[]): string[] {
  return compared.filter(({ outcome }) => outcome === 'fail').map(({ row, why }) => `${row.what} (${row.id}): ${why}`);
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}
