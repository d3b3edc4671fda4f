import { formatChange, formatPair, formatValue } from '@slashtrain/core/metrics/format';
import type { Change, Gate, GateResult } from '@slashtrain/core/metrics/metrics';
import { canReach, changeOf, fewestForTest, sampleOf } from '../statistics/change.ts';
import { leastP } from '../statistics/mann-whitney.ts';
import { counted } from './bounds.ts';

/** What came of a gate, and why. */
export type Judgement = Pick<GateResult, 'outcome' | 'why' | 'change'>;

/**
 * Holds candidate against baseline.
 *
 * A change within what is allowed passes. One beyond it fails where the whole interval lies beyond, and is inconclusive where the
 * interval reaches back: then nobody can say that it is no noise. Where there are too few samples for an interval, the change
 * of the values, or of their means, decides alone.
 * @param values finite
 * @returns undefined for a gate that does not compare
 */
export function compareWithBaseline(
  gate: Gate,
  values: readonly number[],
  before: readonly number[] | undefined,
  hasBaseline: boolean,
): (Judgement & { label: string }) | undefined {
  const { 'max-regression': regression, 'min-improvement': improvement, confidence, 'require-seeds': seeds = 1 } = gate;
  const text = regression ?? improvement;
  if (text === undefined) return undefined;
  const label = counted(values.length);
  if (before === undefined) {
    return { outcome: 'no-baseline', why: hasBaseline ? 'the baseline does not have this metric' : 'there is no baseline', label };
  }
  const odd = before.find((value) => !Number.isFinite(value));
  const usable = before.filter(Number.isFinite);
  if (odd !== undefined && usable.length === 0) {
    const values_ = before.length === 1 ? `value is ${formatValue(odd)}` : 'values are no numbers';
    return { outcome: 'no-baseline', why: `the baseline's ${values_}`, label };
  }
  if (usable.length < seeds) {
    return { outcome: 'inconclusive', why: `the baseline has a ${counted(usable.length)}, and the gate requires ${seeds}`, label };
  }
  if (confidence !== undefined && !canReach(values.length, usable.length, confidence)) {
    return { outcome: 'error', why: unreachable(confidence, values.length, usable.length), label };
  }
  const change = changeOf(values, usable, confidence ?? 0.95);
  const lost = usable.length < before.length ? `, ${before.length - usable.length} of the baseline's are no numbers` : '';
  return { ...decide(gate, text, values, usable, change), change, label: `${labelOf(values.length, usable.length, change)}${lost}` };
}

function decide(gate: Gate, text: string, values: readonly number[], before: readonly number[], change: Change): Judgement {
  const [now, then] = [sampleOf(values).mean, sampleOf(before).mean];
  const amount = text.endsWith('%') ? (Number(text.slice(0, -1)) / 100) * Math.abs(then) : Number(text);
  const isImprovement = gate['max-regression'] === undefined;
  const limit = isImprovement ? -amount : amount;
  const sign = gate.direction === 'higher' ? -1 : 1;
  // 0.95 - 0.94 is a little more than 0.01 in binary fractions.
  const rounding = 1e-12 * Math.max(Math.abs(now), Math.abs(then));
  const worse = sign * change.estimate;
  const [shownNow, shownThen] = formatPair(now, then);
  const words = `${shownNow} against ${shownThen} of the baseline, ${formatChange(then, now)}${intervalWords(change)}`;
  const rule = isImprovement ? `required: ${text} better` : `allowed: ${text} worse`;
  const zero = then === 0 && text.endsWith('%') ? ', and a share of 0 is 0' : '';
  if (worse <= limit + rounding) return { outcome: 'pass', why: isImprovement || worse > rounding ? `${words}, ${rule}` : words };
  const why = `${words}, ${rule}${zero}`;
  if (change.low === undefined || change.high === undefined) return { outcome: 'fail', why };
  const least = Math.min(sign * change.low, sign * change.high);
  if (least > limit + rounding) return { outcome: 'fail', why };
  return {
    outcome: 'inconclusive',
    why: `${why}; the interval reaches into what is ${isImprovement ? 'required' : 'allowed'}, so it may be noise`,
  };
}

function intervalWords({ low, high, p, confidence = 0.95 }: Change): string {
  if (low === undefined || high === undefined || p === undefined) return '';
  const percent = Number((confidence * 100).toPrecision(4));
  return ` [${formatValue(low)} to ${formatValue(high)} at ${percent} %, p = ${formatValue(p, 3)}]`;
}

function labelOf(candidate: number, baseline: number, { method }: Change): string {
  if (method === 'single') return 'single run';
  const counts = candidate === baseline ? `${candidate} runs each` : `${candidate} against ${baseline} runs`;
  return method === 'means' ? `means of ${counts}, too few for a test` : counts;
}

function unreachable(confidence: number, candidate: number, baseline: number): string {
  let enough = fewestForTest;
  while (!canReach(enough, enough, confidence)) enough++;
  const least = formatValue(leastP(candidate, baseline), 3);
  return `a confidence of ${confidence} cannot be reached with ${candidate} and ${baseline} runs, whose least p is ${least}; it takes ${enough} a side`;
}
