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
 * for their size, then what is new, then what did not change; of equals by name.
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
    ...free.toSorted((a, b) => changeOf(b) - changeOf(a) || byName.compare(a.name, b.name)),
  ];
}

/** `layer 2` before `layer 10`. */
const byName = new Intl.Collator('en', { numeric: true });

/**
 * How much changed, as a share of the larger. What is no number, or is gone, comes first; what is new says nothing about this
 * change's worth, and a hundred new metrics must not hide one that changed.
 */
function changeOf(row: MetricRow): number {
  const [now, before] = valuesOf(row);
  if (now === undefined) return before === undefined ? -1 : 4;
  if (before === undefined) return Number.isNaN(now) ? 3 : 0;
  if (Object.is(now, before)) return -1;
  const share = Math.abs(now - before) / Math.max(Math.abs(now), Math.abs(before));
  return Number.isNaN(share) ? 5 : share;
}

/** The values of both sides: of several samples their means, of one its last value. */
export function valuesOf({ candidate, baseline, comparison }: MetricRow): [now: number | undefined, before: number | undefined] {
  return [comparison?.candidate?.mean ?? candidate?.last, comparison?.baseline?.mean ?? baseline?.last];
}
