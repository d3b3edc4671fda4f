import { nearest } from '@slashtrain/core/config/near';
import { formatChange, formatPair, formatValue } from '@slashtrain/core/metrics/format';
import type { Gate, GateResult, MetricSummary } from '@slashtrain/core/metrics/metrics';

/** What gates are held against. */
export interface Evidence {
  candidate: readonly MetricSummary[];
  /** Undefined where there is no baseline. */
  baseline: readonly MetricSummary[] | undefined;
  /** Why the candidate's metrics cannot be judged at all, such as a run that failed; undefined where they can. */
  unfit?: string | undefined;
}

/** Holds each gate against the metrics' last values. A gate that has no answer never passes. */
export function evaluateGates(gates: readonly Gate[], evidence: Evidence): GateResult[] {
  const candidate = valuesOf(evidence.candidate);
  const baseline = evidence.baseline && valuesOf(evidence.baseline);
  return gates.map((gate) => {
    if (evidence.unfit !== undefined) return { gate, outcome: 'error', why: evidence.unfit };
    const value = candidate.get(gate.metric);
    if (value === undefined) return { gate, outcome: 'missing', why: missing(gate.metric, [...candidate.keys()]) };
    const before = baseline?.get(gate.metric);
    return {
      gate,
      candidate: value,
      ...(before === undefined ? {} : { baseline: before }),
      ...judge(gate, value, before, baseline !== undefined),
    };
  });
}

function valuesOf(metrics: readonly MetricSummary[]): Map<string, number> {
  return new Map(metrics.map(({ name, last }) => [name, last]));
}

function judge(gate: Gate, value: number, before: number | undefined, hasBaseline: boolean): Pick<GateResult, 'outcome' | 'why'> {
  // Whichever way is better: a diverged training is not a good one.
  if (!Number.isFinite(value)) return { outcome: 'fail', why: `${formatValue(value)} is no number that a gate can pass` };
  const problems = [...boundProblems(gate, value)];
  const compared = gate['max-regression'] === undefined ? undefined : compare(gate, gate['max-regression'], value, before, hasBaseline);
  if (compared?.outcome === 'fail') problems.push(compared.why);
  if (problems.length > 0) return { outcome: 'fail', why: `${problems.join('; ')} (single run)` };
  if (compared?.outcome === 'no-baseline') return compared;
  return { outcome: 'pass', why: `${compared?.why ?? `${formatValue(value)} is within its limits`} (single run)` };
}

function* boundProblems({ min, max }: Gate, value: number): Generator<string> {
  if (min !== undefined && value < min) yield `${formatPair(value, min)[0]} is below the minimum of ${min}`;
  if (max !== undefined && value > max) yield `${formatPair(value, max)[0]} is above the maximum of ${max}`;
}

function compare(
  gate: Gate,
  allowedText: string,
  value: number,
  before: number | undefined,
  hasBaseline: boolean,
): Pick<GateResult, 'outcome' | 'why'> {
  if (before === undefined) {
    return { outcome: 'no-baseline', why: hasBaseline ? 'the baseline does not have this metric' : 'there is no baseline' };
  }
  if (!Number.isFinite(before)) return { outcome: 'no-baseline', why: `the baseline's value is ${formatValue(before)}` };
  const worse = gate.direction === 'higher' ? before - value : value - before;
  const allowed = allowedText.endsWith('%') ? (Number(allowedText.slice(0, -1)) / 100) * Math.abs(before) : Number(allowedText);
  // 0.95 - 0.94 is a little more than 0.01 in binary fractions.
  const rounding = 1e-12 * Math.max(Math.abs(before), Math.abs(value));
  const [now, then] = formatPair(value, before);
  const words = `${now} against ${then} of the baseline, ${formatChange(before, value)}`;
  if (worse <= allowed + rounding) return { outcome: 'pass', why: worse > rounding ? `${words}, allowed: ${allowedText} worse` : words };
  const zero = before === 0 && allowedText.endsWith('%') ? ', and a share of 0 is 0' : '';
  return { outcome: 'fail', why: `${words}, allowed: ${allowedText} worse${zero}` };
}

function missing(metric: string, names: readonly string[]): string {
  if (names.length === 0) return 'the run has no metrics';
  const near = nearest(metric, names);
  if (near !== undefined) return `the run has no such metric; did you mean ${JSON.stringify(near)}?`;
  const shown = names.slice(0, 5).map((name) => JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name));
  return `the run has no such metric; it has ${shown.join(', ')}${names.length > shown.length ? ` and ${names.length - shown.length} more` : ''}`;
}
