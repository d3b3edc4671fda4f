import { describe, expect, it } from '@jest/globals';
import { boolean, holds, number, partsOf, text, texts, usesFunction, type Scope } from './expressions.ts';

const scope: Scope = {
  contexts: {
    github: { event: { comment: { body: "it's }} ${{ 1 }}" }, issue: { pull_request: null } }, sha: 'abc' },
    env: JSON.parse('{ "A": "1", "__proto__": "x" }'),
    steps: { one: { outputs: { yes: 'true', no: 'false', empty: '' } } },
  },
  status: { success: true, failure: false, cancelled: false },
};

describe('text', () => {
  it.each([
    ['plain', 'plain'],
    ['${{ github.sha }}', 'abc'],
    ['a ${{ github.sha }} b ${{ github.SHA }}', 'a abc b abc'],
    ["${{ '}}' }}", '}}'],
    ["${{ 'it''s' }}", "it's"],
    // What an expression gives is never read again.
    ['${{ github.event.comment.body }}', "it's }} ${{ 1 }}"],
    ['${{ github.nothing.at.all }}', ''],
    ['${{ github.event }}', 'Object'],
    ['${{ true }} ${{ 1.50 }} ${{ null }}', 'true 1.5 '],
    ["${{ format('{0}-{1}', 'a', 2) }}", 'a-2'],
    ['${{ fromJSON(\'{"a": [1, 2]}\').a[1] }}', '2'],
    ["${{ steps.one.outputs.yes == 'true' && 'x' || 'y' }}", 'x'],
    ['${{ env.__proto__ }}', ''],
  ])('%s', (written, filled) => {
    expect(text(written, scope)).toBe(filled);
  });

  it('takes numbers, booleans and null of the file', () => {
    expect([text(1.5, scope), text(true, scope), text(null, scope)]).toEqual(['1.5', 'true', '']);
  });
});

describe('holds', () => {
  it.each([
    [undefined, true, false],
    ['true', true, false],
    ['always()', true, true],
    ['failure()', false, true],
    ['${{ failure() }}', false, true],
    ['!failure()', true, false],
    ["steps.one.outputs.yes == 'true'", true, false],
    ["github.event.comment.body == 'success()'", false, false],
    // A text is true, 'false' too; around an expression there is always a text.
    ['steps.one.outputs.no', true, false],
    ['steps.one.outputs.empty', false, false],
    ['${{ false }} && true', true, false],
    ['github.event.issue.pull_request', false, false],
    ['ALWAYS()', true, true],
    [false, false, false],
  ])('%j is %j after a success and %j after a failure', (condition, afterSuccess, afterFailure) => {
    expect(holds(condition, scope)).toBe(afterSuccess);
    expect(holds(condition, { ...scope, status: { success: false, failure: true, cancelled: false } })).toBe(afterFailure);
  });
});

describe('partsOf', () => {
  it('finds expressions as GitHub does', () => {
    expect(partsOf("a${{ '}}' }}b${{c}}")).toEqual([
      { expression: false, text: 'a' },
      { expression: true, text: "'}}'" },
      { expression: false, text: 'b' },
      { expression: true, text: 'c' },
    ]);
  });
});

it('keeps names of users off the prototype', () => {
  expect(Object.keys(texts(JSON.parse('{ "__proto__": "${{ github.sha }}" }'), scope))).toEqual(['__proto__']);
});

it('refuses what is no number and no boolean', () => {
  expect(() => number('soon', scope)).toThrow('"soon" is no number');
  expect(() => boolean('yes', scope)).toThrow('"yes" is neither true nor false');
});

it.each([
  ['hashFiles(1)', true],
  ['HASHFILES (1)', true],
  ["'hashFiles(1)'", false],
  ['github.hashFiles', false],
])('usesFunction %s: %j', (expression, used) => {
  expect(usesFunction(expression, ['hashFiles'])).toBe(used);
});
