import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { longestHistory, summarise, summariseAll } from './summary.ts';
import { thinPoints } from './thin.ts';

const curve = (...values: number[]): { step: number; value: number }[] => values.map((value, step) => ({ step, value }));
const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

describe('summarise', () => {
  it.each([
    [[0.1, 0.5, 0.3], { last: 0.3, min: 0.1, max: 0.5, step: 2, mean: 0.3 }],
    [[7], { last: 7, min: 7, max: 7, step: 0, mean: 7 }],
    [[0.1, nan, 0.3], { last: 0.3, min: 0.1, max: 0.3, step: 2, mean: nan }],
    [[nan, 0.5, nan], { last: nan, min: 0.5, max: 0.5, step: 2 }],
    [[nan, nan], { last: nan, min: nan, max: nan, step: 1 }],
    [[1, infinity, -infinity], { last: -infinity, min: -infinity, max: infinity, step: 2 }],
  ])('of %j', (values, expected) => {
    expect(summarise({ name: 'm', points: curve(...values) })).toMatchObject(expected);
  });

  it('is nothing without points', () => {
    expect(
      summariseAll([
        { name: 'a', points: [] },
        { name: 'b', points: curve(1) },
      ]).map(({ name }) => name),
    ).toEqual(['b']);
  });
});

describe('thinPoints', () => {
  it('keeps the first, the last, the extremes and the first that is no number, in order', () => {
    const values = fc.oneof({ weight: 9, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) }, fc.constant(nan));
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 300 }), fc.integer({ min: 5, max: 60 }), (all, most) => {
        const points = curve(...all);
        const thinned = thinPoints(points, most);
        expect(thinned.length).toBeLessThanOrEqual(most);
        expect(thinned.map(({ step }) => step)).toEqual(thinned.map(({ step }) => step).toSorted((a, b) => a - b));
        expect([thinned[0], thinned.at(-1)]).toEqual([points[0], points.at(-1)]);
        const finite = all.filter(Number.isFinite);
        const kept = thinned.map(({ value }) => value);
        if (finite.length > 0) {
          expect(kept).toContain(Math.min(...finite));
          expect(kept).toContain(Math.max(...finite));
        }
        if (finite.length < all.length) expect(kept.some(Number.isNaN)).toBe(true);
        if (points.length <= most) expect(thinned).toEqual(points);
      }),
    );
  });

  it('brings a long curve to what a summary holds', () => {
    expect(summarise({ name: 'm', points: curve(...Array.from({ length: 5000 }, (_, index) => index)) })?.history).toHaveLength(
      longestHistory,
    );
  });
});
