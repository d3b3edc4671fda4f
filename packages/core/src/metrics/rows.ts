import type { Gate, GateOutcome, GatePlace, MetricComparison, MetricSummary } from './metrics.ts';

/** A gate with what came of it, as a table shows it. */
export interface ShownGate {
  gate: Gate;
  place?: GatePlace;
  outcome: GateOutcome;
  why: string;
}

/** One metric on both sides. */
export interface MetricRow {
  name: string;
  candidate?: MetricSummary;
  baseline?: MetricSummary;
  /** Of all samples of both sides, where more is known than the two curves. */
  comparison?: MetricComparison;
  gates: ShownGate[];
}

/**
 * Puts candidate and baseline side by side: gated metrics first, in the order of the gates, then those that changed most
 * for their size, then by name.
 */
export function compareMetrics(
  candidate: readonly MetricSummary[],
  baseline: readonly MetricSummary[],
  gates: readonly ShownGate[],
  comparisons: readonly MetricComparison[] = [],
): MetricRow[] {
  const rows = new Map<string, MetricRow>();
  const rowOf = (name: string): MetricRow => {
    const row = rows.get(name) ?? { name, gates: [] };
    rows.set(name, row);
    return row;
  };
  for (const shown of gates) rowOf(shown.gate.metric).gates.push(shown);
  for (const summary of candidate) rowOf(summary.name).candidate = summary;
  for (const summary of baseline) rowOf(summary.name).baseline = summary;
  for (const comparison of comparisons) rowOf(comparison.name).comparison = comparison;
  const all = [...rows.values()];
  const free = all.filter((row) => row.gates.length === 0);
  return [
    ...all.filter((row) => row.gates.length > 0),
    ...free.toSorted((a, b) => changeOf(b) - changeOf(a) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
  ];
}

/** How much changed, as a share of the larger; what is on one side alone, or is no number, comes first. */
function changeOf(row: MetricRow): number {
  const [now, before] = valuesOf(row);
  if (now === undefined || before === undefined) return now === before ? 0 : 2;
  if (Object.is(now, before)) return 0;
  const share = Math.abs(now - before) / Math.max(Math.abs(now), Math.abs(before));
  return Number.isNaN(share) ? 3 : share;
}

/** The values of both sides: of several samples their means, of one its last value. */
export function valuesOf({ candidate, baseline, comparison }: MetricRow): [now: number | undefined, before: number | undefined] {
  return [comparison?.candidate?.mean ?? candidate?.last, comparison?.baseline?.mean ?? baseline?.last];
}
