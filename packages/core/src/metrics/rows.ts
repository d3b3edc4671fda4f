import type { GateOutcome, Gate, MetricSummary } from './metrics.ts';

/** A gate with what came of it, as a table shows it. */
export interface ShownGate {
  gate: Gate;
  outcome: GateOutcome;
  why: string;
}

/** One metric on both sides. */
export interface MetricRow {
  name: string;
  candidate?: MetricSummary;
  baseline?: MetricSummary;
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
  const all = [...rows.values()];
  const free = all.filter((row) => row.gates.length === 0);
  return [
    ...all.filter((row) => row.gates.length > 0),
    ...free.toSorted((a, b) => changeOf(b) - changeOf(a) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
  ];
}

/** How much changed, as a share of the larger; what is on one side alone, or is no number, comes first. */
function changeOf({ candidate, baseline }: MetricRow): number {
  if (!candidate || !baseline) return candidate || baseline ? 2 : 0;
  if (Object.is(candidate.last, baseline.last)) return 0;
  const size = Math.max(Math.abs(candidate.last), Math.abs(baseline.last));
  const share = Math.abs(candidate.last - baseline.last) / size;
  return Number.isNaN(share) ? 3 : share;
}
