import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { checkTextLimit, fitBytes } from './checks.ts';

describe('fitBytes', () => {
  it('leaves alone what fits', () => {
    const text = 'ü'.repeat(checkTextLimit / 2);
    expect(fitBytes(text, checkTextLimit)).toBe(text);
  });

  it('says that something is missing', () => {
    expect(fitBytes('x'.repeat(checkTextLimit + 1), checkTextLimit)).toMatch(/^x+\n\n… \(cut: it is longer than GitHub takes\)$/u);
    expect(fitBytes('x'.repeat(300), 255)).toBe(`${'x'.repeat(252)}…`);
  });

  it('never exceeds the limit and never cuts a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.integer({ min: 3, max: 300 }), (text, limit) => {
        const fitted = fitBytes(text, limit);
        expect(Buffer.byteLength(fitted)).toBeLessThanOrEqual(limit);
        expect(text.startsWith(fitted.replace(/…$/u, '')) || text === fitted).toBe(true);
      }),
    );
  });
});
