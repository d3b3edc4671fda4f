import { nearest } from '@slashtrain/core/config/near';
import { formatValue } from '@slashtrain/core/metrics/format';
import { matchesPattern } from '@slashtrain/core/metrics/gate';
import type { Gate, GatePlace, GateResult, MetricRun, MetricSummary, PlacedGate } from '@slashtrain/core/metrics/metrics';
import { samplesByMetric, valueOn } from '../samples.ts';
import { sampleOf } from '../statistics/change.ts';
import { boundProblems, counted } from './bounds.ts';
import { compareWithBaseline, type Judgement } from './compare.ts';

/** What gates are held against. */
export interface Evidence {
  /** One sample a run. */
  candidate: readonly Pick<MetricRun, 'source' | 'metrics'>[];
  /** Undefined where there is no baseline. */
  baseline: readonly Pick<MetricRun, 'source' | 'metrics'>[] | undefined;
  /** Why the candidate's metrics cannot be judged at all, such as a run that failed; undefined where they can. */
  unfit?: string | undefined;
}

/** Holds each gate against the samples. A gate that has no answer never passes; a pattern gives a result for each of its metrics. */
export function evaluateGates(gates: readonly PlacedGate[], evidence: Evidence): GateResult[] {
  const candidate = samplesByMetric(evidence.candidate as readonly MetricRun[]);
  const baseline = evidence.baseline && samplesByMetric(evidence.baseline as readonly MetricRun[]);
  return gates.flatMap(({ place, ...gate }) =>
    resolve(gate, candidate, baseline).map((one) => evaluate({ ...one, ...(place && { place }) }, candidate, baseline, evidence.unfit)),
  );
}

interface Resolved {
  gate: Gate;
  pattern?: string;
  place?: GatePlace;
}

type Samples = ReadonlyMap<string, MetricSummary[]>;

/** A gate for each metric that it means. One that the baseline has and the candidate has lost is missing, not forgotten. */
function resolve(gate: Gate, candidate: Samples, baseline: Samples | undefined): Resolved[] {
  const { metric } = gate;
  if (!metric.includes('*') || candidate.has(metric)) return [{ gate }];
  const names = new Set([...candidate.keys(), ...(baseline?.keys() ?? [])]);
  const matched = [...names].filter((name) => matchesPattern(metric, name));
  if (matched.length === 0) return [{ gate }];
  return matched.map((name) => ({ gate: { ...gate, metric: name }, pattern: metric }));
}

function evaluate(base: Resolved, candidate: Samples, baseline: Samples | undefined, unfit: string | undefined): GateResult {
  const { gate } = base;
  if (unfit !== undefined) return { ...base, outcome: 'error', why: unfit };
  const { on = 'last', direction } = gate;
  const valuesOf = (samples: Samples | undefined): number[] | undefined =>
    samples?.get(gate.metric)?.map((summary) => valueOn(summary, on, direction));
  const values = valuesOf(candidate);
  if (values === undefined) return { ...base, outcome: 'missing', why: missing(gate.metric, [...candidate.keys()]) };
  const before = valuesOf(baseline);
  return {
    ...base,
    candidate: sampleOf(values).mean,
    ...(before === undefined ? {} : { baseline: sampleOf(before).mean }),
    ...judge(gate, values, before, baseline !== undefined),
  };
}

function judge(gate: Gate, values: number[], before: number[] | undefined, hasBaseline: boolean): Judgement {
  // Whichever way is better: a diverged training is not a good one.
  const odd = values.find((value) => !Number.isFinite(value));
  if (odd !== undefined) {
    const which = values.length === 1 ? '' : ` (${counted(values.filter((value) => !Number.isFinite(value)).length)} of ${values.length})`;
    return { outcome: 'fail', why: `${formatValue(odd)} is no number that a gate can pass${which}` };
  }
  const seeds = gate['require-seeds'] ?? 1;
  if (values.length < seeds) {
    return { outcome: 'inconclusive', why: `${counted(values.length)}, and the gate requires ${seeds}; train with more seeds` };
  }
  const problems = [...boundProblems(gate, values)];
  const compared = compareWithBaseline(gate, values, before, hasBaseline);
  const change = compared?.change && { change: compared.change };
  const label = compared?.label ?? counted(values.length);
  if (compared?.outcome === 'fail') problems.push(compared.why);
  if (problems.length > 0) return { outcome: 'fail', why: `${problems.join('; ')} (${label})`, ...change };
  if (compared && compared.outcome !== 'pass') return { outcome: compared.outcome, why: compared.why, ...change };
  const mean = formatValue(sampleOf(values).mean);
  return { outcome: 'pass', why: `${compared?.why ?? `${mean} is within its limits`} (${label})`, ...change };
}

function missing(metric: string, names: readonly string[]): string {
  if (names.length === 0) return 'the run has no metrics';
  const near = nearest(metric, names);
  if (near !== undefined) return `the run has no such metric; did you mean ${JSON.stringify(near)}?`;
  const shown = names.slice(0, 5).map((name) => JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name));
  return `the run has no such metric; it has ${shown.join(', ')}${names.length > shown.length ? ` and ${names.length - shown.length} more` : ''}`;
}
