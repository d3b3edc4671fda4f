import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import benchstat from './expected/benchstat.json' with { type: 'json' };
import scipy from './expected/scipy.json' with { type: 'json' };
import { canReach, changeOf, sampleOf } from './change.ts';
import { leastP, mannWhitney } from './mann-whitney.ts';

/* The expected numbers were made by the programs beside them: scipy's permutation test, and benchstat. */

describe('mannWhitney', () => {
  it.each(scipy.cases)('has the p of scipy’s permutations: $name', ({ candidate, baseline, p }) => {
    expect(mannWhitney(candidate, baseline).p).toBeCloseTo(p, 12);
  });

  it.each(benchstat)('has the p of benchstat: $name', ({ name, candidate, baseline, p }) => {
    const own = mannWhitney(candidate, baseline);
    expect(own.p).toBeCloseTo(p, 10);
    expect(own.exact).toBe(!name.includes('approximate'));
  });

  it('is 1 where all values are equal', () => {
    expect(mannWhitney([1, 1, 1, 1], [1, 1, 1, 1]).p).toBe(1);
  });

  it('is the same from either side', () => {
    const values = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [there, back] = [mannWhitney(a, b).p, mannWhitney(b, a).p];
        expect(there).toBeCloseTo(back, 12);
        expect(there).toBeGreaterThanOrEqual(0);
        expect(there).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('changeOf', () => {
  it.each(scipy.cases)('estimates as Hodges and Lehmann: $name', ({ candidate, baseline, confidence, estimate, interval }) => {
    const change = changeOf(candidate, baseline, confidence);
    expect(change).toMatchObject({ method: 'exact', confidence });
    expect(change.estimate).toBeCloseTo(estimate, 12);
    // The interval of samples without ties is the shifts that the test does not reject.
    if (!interval) return;
    expect(change.low).toBeCloseTo(interval[0]!, 12);
    expect(change.high).toBeCloseTo(interval[1]!, 12);
  });

  it.each([
    [[1], [2], 'single', -1],
    [[1, 3], [2], 'means', 0],
    [[1, 2, 3], [4, 5, 6], 'means', -3],
    [[1, 2, 3, 4], [4, 5, 6], 'means', -2.5],
  ])('of %j against %j tells %s', (candidate, baseline, method, estimate) => {
    expect(changeOf(candidate, baseline, 0.95)).toEqual({ estimate, method });
  });

  it('bootstraps large samples, with the same interval each time, near to that of the normal distribution', () => {
    const large = benchstat.find(({ name }) => name.startsWith('sixty'))!;
    const change = changeOf(large.candidate, large.baseline, 0.95);
    expect(change).toEqual(changeOf(large.candidate, large.baseline, 0.95));
    expect(change.method).toBe('bootstrap');
    const [a, b] = [sampleOf(large.candidate), sampleOf(large.baseline)];
    const half = 1.96 * Math.sqrt((a.deviation! ** 2 + b.deviation! ** 2) / 60);
    expect(change.low).toBeCloseTo(a.mean - b.mean - half, 1);
    expect(change.high).toBeCloseTo(a.mean - b.mean + half, 1);
  });
});

describe('canReach', () => {
  it.each([
    [3, 3, 0.9, false],
    [4, 4, 0.95, true],
    [4, 4, 0.99, false],
    [5, 5, 0.99, true],
    [4, 3, 0.9, false],
  ])('%i and %i samples, %d: %p', (candidate, baseline, confidence, reaches) => {
    expect(canReach(candidate, baseline, confidence)).toBe(reaches);
  });

  it('knows the least p', () => {
    expect(leastP(4, 4)).toBeCloseTo(2 / 70, 15);
    expect(leastP(3, 5)).toBeCloseTo(2 / 56, 15);
  });
});

describe('sampleOf', () => {
  it('has the deviation of a sample', () => {
    expect(sampleOf([1, 2, 3, 4])).toEqual({ n: 4, mean: 2.5, deviation: Math.sqrt(5 / 3), values: [1, 2, 3, 4] });
    expect(sampleOf([1])).toEqual({ n: 1, mean: 1, values: [1] });
    expect(sampleOf([1, Number.NaN]).mean).toBe(Number.NaN);
  });
});
