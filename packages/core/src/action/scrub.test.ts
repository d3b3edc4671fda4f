import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Scrubber } from './scrub.ts';

const secret = 's3cr3t+"token/ä';

function scrubber(...secrets: string[]): Scrubber {
  const scrub = new Scrubber();
  for (const one of secrets) scrub.add(one);
  return scrub;
}

describe('a secret is taken out', () => {
  const bytes = Buffer.from(secret);
  it.each([
    ['as it is', secret],
    ['in base64', bytes.toString('base64')],
    ['in base64 with the end of its line', Buffer.from(`${secret}\n`).toString('base64')],
    ['in base64 for URLs', bytes.toString('base64url')],
    ['in base64 after a name, as a login', Buffer.from(`x:${secret}`).toString('base64')],
    ['in base64 after two characters', Buffer.from(`ab${secret}`).toString('base64')],
    ['in hexadecimal digits', bytes.toString('hex')],
    ['in a URL', encodeURIComponent(secret)],
    ['in JSON', JSON.stringify({ a: secret })],
    ['reversed', [...secret].reverse().join('')],
  ])('%s', (_, form) => {
    const clean = scrubber(secret).clean(`before ${form} after`);
    expect(clean).toContain('***');
    expect(clean).toMatch(/^before .* after$/u);
    expect(clean).not.toContain(form.slice(6, -6));
  });

  it('with nothing left of what is encoded alone', () => {
    for (const form of ['base64', 'base64url', 'hex'] as const) expect(scrubber(secret).clean(`${bytes.toString(form)}.`)).toBe('***.');
  });

  it('line by line', () => {
    expect(scrubber('first line of a key\nsecond line of a key').clean('a second line of a key')).toBe('a ***');
  });

  it('wherever it stands in base64', () => {
    const text = fc.string({ unit: 'binary', maxLength: 10 });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const whole = Buffer.from(before + secret + after).toString('base64');
        expect(scrubber(secret).clean(whole)).toContain('***');
      }),
    );
  });

  it('of all texts in a value', () => {
    const value = { body: `x ${secret}`, list: [secret, 1, null], at: { a: secret }, n: 2, none: undefined };
    expect(scrubber(secret).cleanAll(value)).toEqual({ body: 'x ***', list: ['***', 1, null], at: { a: '***' }, n: 2, none: undefined });
  });
});

it('what is too short to be told from other words stays', () => {
  expect(scrubber('admin').clean('an admin')).toBe('an admin');
  const scrub = new Scrubber(4);
  for (const secret of ['admin', 'adm']) scrub.add(secret);
  expect(scrub.clean('an admin, adm')).toBe('an ***, adm');
});
