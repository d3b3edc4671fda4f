import { expect, it } from '@jest/globals';
import { mergePatch } from './patch.ts';

// The examples of https://www.rfc-editor.org/rfc/rfc7386#appendix-A
it.each([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('%j and %j make %j', (target, patch, result) => {
  expect(mergePatch(target, patch)).toEqual(result);
});

it('sets a key that JavaScript gives a meaning, and nothing else', () => {
  const patched = mergePatch({}, JSON.parse('{"__proto__": {"a": 1}}')) as object;
  expect([Object.keys(patched), Object.getPrototypeOf(patched)]).toEqual([['__proto__'], Object.prototype]);
});
