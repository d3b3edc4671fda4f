import type { Verdict } from '../run/record.ts';
import type { GateOutcome } from './metrics.ts';

/**
 * What decides, before what: one gate that fails is certain, whatever the others would say, so it comes first. After it come
 * the outcomes that leave a gate without an answer; `pass` needs every gate.
 */
const order: readonly GateOutcome[] = ['fail', 'error', 'missing', 'inconclusive', 'no-baseline'];

/** The verdict of all gates together. Without gates nothing was asked for, and there is nothing to fail. */
export function verdictOf(gates: readonly { outcome: GateOutcome }[]): Verdict {
  return order.find((outcome) => gates.some((gate) => gate.outcome === outcome)) ?? 'pass';
}
