import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatChange, formatPair, formatValue } from './format.ts';

describe('formatValue', () => {
  it.each([
    [0.93, '0.93'],
    [0.961_234_5, '0.9612'],
    [0.5, '0.5'],
    [0, '0'],
    [-0, '0'],
    [1, '1'],
    [-0.25, '−0.25'],
    [123_456, '123456'],
    [12_345.678, '12346'],
    [1_234_567, '1.235e6'],
    [1e21, '1e21'],
    [0.000_123_46, '0.0001235'],
    [0.000_012_346, '1.235e-5'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '∞'],
    [Number.NEGATIVE_INFINITY, '−∞'],
  ])('%p is %s', (value, text) => {
    expect(formatValue(value)).toBe(text);
  });

  it('is near the value', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -1e300, max: 1e300 }), (value) => {
        const read = Number(formatValue(value).replace('−', '-'));
        expect(Math.abs(read - value)).toBeLessThanOrEqual(Math.abs(value) * 0.0006);
      }),
    );
  });
});

describe('formatPair', () => {
  it.each([
    [0.961, 0.953, ['0.961', '0.953']],
    [0.961_24, 0.961_2, ['0.96124', '0.9612']],
    [0.5, 0.5, ['0.5', '0.5']],
    [Number.NaN, Number.NaN, ['NaN', 'NaN']],
  ])('tells %p and %p apart', (a, b, texts) => {
    expect(formatPair(a, b)).toEqual(texts);
  });
});

describe('formatChange', () => {
  it.each([
    [0.953, 0.961, '+0.008 (+0.84 %)'],
    [0.95, 0.94, '−0.01 (−1.1 %)'],
    [2, 1, '−1 (−50 %)'],
    [0, 0.5, '+0.5'],
    [0.5, 0.5, '±0'],
    [-2, -1, '+1 (+50 %)'],
    [1e-9, 1, '+1'],
    [0.5, Number.NaN, '0.5 → NaN'],
    [Number.POSITIVE_INFINITY, 0.5, '∞ → 0.5'],
  ])('from %p to %p: %s', (from, to, text) => {
    expect(formatChange(from, to)).toBe(text);
  });
});
