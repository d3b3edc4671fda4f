import { describe, expect, it } from '@jest/globals';
import type { GateOutcome } from './metrics.ts';
import { verdictOf } from './verdict.ts';

describe('verdictOf', () => {
  it.each<[GateOutcome[], GateOutcome]>([
    [[], 'pass'],
    [['pass', 'pass'], 'pass'],
    [['pass', 'no-baseline'], 'no-baseline'],
    [['no-baseline', 'inconclusive'], 'inconclusive'],
    [['inconclusive', 'missing'], 'missing'],
    [['missing', 'error'], 'error'],
    [['error', 'fail'], 'fail'],
    [['pass', 'no-baseline', 'inconclusive', 'missing', 'error', 'fail'], 'fail'],
  ])('of %j is %s', (outcomes, verdict) => {
    expect(verdictOf(outcomes.map((outcome) => ({ outcome })))).toBe(verdict);
    expect(verdictOf(outcomes.toReversed().map((outcome) => ({ outcome })))).toBe(verdict);
  });
});
