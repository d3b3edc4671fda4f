import type { Verdict } from '../run/record.ts';
import type { GateOutcome, NoBaseline } from './metrics.ts';

/**
 * What decides, before what: one gate that fails is certain, whatever the others would say, so it comes first. After it come
 * the outcomes that leave a gate without an answer; `pass` needs every gate.
 */
const order: readonly GateOutcome[] = ['fail', 'error', 'missing', 'inconclusive', 'no-baseline'];

/** The verdict of all gates together. Without gates nothing was asked for, and there is nothing to fail. */
export function verdictOf(gates: readonly { outcome: GateOutcome }[]): Verdict {
  return order.find((outcome) => gates.some((gate) => gate.outcome === outcome)) ?? 'pass';
}

/**
 * What a check concludes from a verdict. GitHub counts `neutral` and `skipped` as passed, so that nothing that has no answer
 * may be either (https://docs.github.com/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/about-status-checks).
 */
export function conclusionOfVerdict(verdict: Verdict, noBaseline: NoBaseline): 'success' | 'failure' {
  if (verdict === 'no-baseline') return noBaseline === 'pass' ? 'success' : 'failure';
  return verdict === 'pass' ? 'success' : 'failure';
}
