import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { matchesPattern } from './gate.ts';

describe('matchesPattern', () => {
  it.each([
    ['accuracy', 'accuracy', true],
    ['accuracy', 'accuracy/a', false],
    ['accuracy/*', 'accuracy/a', true],
    ['accuracy/*', 'accuracy/', true],
    ['accuracy/*', 'accuracy', false],
    ['*', '', true],
    ['*/f1', 'a/b/f1', true],
    ['a*a', 'a', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*bb*b', 'abb', false],
    ['a.c', 'abc', false],
    ['a*', 'a\nb', true],
  ])('%j and %j: %p', (pattern, name, matches) => {
    expect(matchesPattern(pattern, name)).toBe(matches);
  });

  it('is what the regular expression would say', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    fc.assert(
      fc.property(text, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 }), (pattern, name) => {
        expect(matchesPattern(pattern, name)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 'su').test(name));
      }),
    );
  });

  it('is quick whatever the pattern: no backtracking', () => {
    for (let round = 0; round < 100; round++) expect(matchesPattern(`${'a*'.repeat(4000)}b`, 'a'.repeat(10_000))).toBe(false);
  });
});
