import { describe, expect, it } from '@jest/globals';
import type { GateOutcome, NoBaseline } from './metrics.ts';
import { conclusionOfVerdict, verdictOf } from './verdict.ts';

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

describe('conclusionOfVerdict', () => {
  it.each<[GateOutcome, NoBaseline, string]>([
    ['pass', 'fail', 'success'],
    ['fail', 'pass', 'failure'],
    ['inconclusive', 'pass', 'failure'],
    ['missing', 'pass', 'failure'],
    ['error', 'pass', 'failure'],
    ['no-baseline', 'pass', 'success'],
    ['no-baseline', 'fail', 'failure'],
  ])('of %s is, where no baseline is a %s, %s', (verdict, noBaseline, conclusion) => {
    expect(conclusionOfVerdict(verdict, noBaseline)).toBe(conclusion);
  });
});
