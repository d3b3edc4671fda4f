import { describe, expect, it } from '@jest/globals';
import type { GateOutcome } from '@slashtrain/core/metrics/metrics';
import type { ShownGate } from '@slashtrain/core/metrics/rows';
import { annotationsOf } from './annotations.ts';

const place = { file: '.github/slashtrain.yml', line: 7 };
const shown = (outcome: GateOutcome, more: Partial<ShownGate> = {}): ShownGate => ({
  gate: { metric: 'accuracy', direction: 'higher', min: 0.9 },
  place,
  outcome,
  why: '0.8 is below 0.9',
  ...more,
});
const warning = { gate: { metric: 'loss', direction: 'lower', max: 1, level: 'warn' } } as const;

describe('annotationsOf', () => {
  it.each<[GateOutcome, 'pass' | 'fail', number]>([
    ['pass', 'fail', 0],
    ['fail', 'pass', 1],
    ['inconclusive', 'pass', 1],
    ['missing', 'pass', 1],
    ['error', 'pass', 1],
    ['no-baseline', 'pass', 0],
    ['no-baseline', 'fail', 1],
  ])('of a gate that is %s, with no-baseline: %s: %d', (outcome, noBaseline, count) => {
    expect(annotationsOf({ gates: [shown(outcome)], noBaseline })).toHaveLength(count);
  });

  it('says file, line, which gate and why', () => {
    expect(annotationsOf({ gates: [shown('fail'), shown('missing', warning)], noBaseline: 'pass' })).toEqual([
      { path: place.file, line: 7, level: 'failure', title: 'fail: the gate of accuracy', message: '0.8 is below 0.9' },
      { path: place.file, line: 7, level: 'warning', title: 'missing: the gate of loss', message: '0.8 is below 0.9' },
    ]);
  });

  it('has none for a gate without a place', () => {
    const { place: _, ...input } = shown('fail');
    expect(annotationsOf({ gates: [input], noBaseline: 'pass' })).toEqual([]);
  });

  it('shows hostile names and reasons as one line without what is hidden', () => {
    const metric = `a\u202eb\n::error::\u0007${'x'.repeat(10_000)}`;
    const [one] = annotationsOf({
      gates: [shown('fail', { gate: { metric, direction: 'higher', min: 0 }, why: '\u001b[31mno\r\n@all' })],
      noBaseline: 'pass',
    });
    expect(one?.title).toMatch(/^fail: the gate of a�b ::error::�x+…$/u);
    expect(one?.title.length).toBeLessThan(255);
    expect(one?.message).toBe('no @all');
    expect(
      annotationsOf({ gates: [shown('fail', { gate: { metric: '', direction: 'lower' }, why: '' })], noBaseline: 'pass' }),
    ).toMatchObject([{ title: 'fail: the gate of ""', message: 'fail' }]);
  });

  it('keeps those that decide where there are more than GitHub takes', () => {
    const gates = [...Array.from({ length: 60 }, () => shown('fail', warning)), shown('fail')];
    const all = annotationsOf({ gates, noBaseline: 'pass' });
    expect(all).toHaveLength(50);
    expect(all[0]?.level).toBe('failure');
  });
});
