import { describe, expect, it } from '@jest/globals';
import { ActionError, describe as describeError } from './errors.ts';

describe('describe', () => {
  const refused = new Error('connect ECONNREFUSED 127.0.0.1:1');
  const looped = new Error('one');
  looped.cause = looped;
  it.each([
    ['a plain error', new Error('broken'), 'broken'],
    [
      'a remedy',
      new ActionError('permission', 'missing permission "checks: write"', { remedy: 'add it' }),
      'missing permission "checks: write"; add it',
    ],
    ['a cause', new ActionError('unreachable', 'no answer', { cause: refused }), 'no answer (caused by: connect ECONNREFUSED 127.0.0.1:1)'],
    [
      'a cause whose words are there already',
      new ActionError('internal', `no answer: ${refused.message}`, { cause: refused }),
      `no answer: ${refused.message}`,
    ],
    [
      'causes of causes',
      new Error('first', { cause: new Error('second', { cause: 'third' }) }),
      'first (caused by: second) (caused by: third)',
    ],
    ['a cause that is its own', looped, 'one'],
    ['what is no error', 'text', 'text'],
    ['an error without words', new TypeError(), 'TypeError'],
  ])('says %s', (_, thrown, expected) => {
    expect(describeError(thrown)).toBe(expected);
  });
});
