import { describe, expect, it } from '@jest/globals';
import { parseRetryAfter, reasonOf, retryWait } from './retry.ts';

const now = Date.parse('2026-11-21T12:00:00Z');

describe('Retry-After', () => {
  // The forms of https://www.rfc-editor.org/rfc/rfc9110#field.retry-after and #http.date
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['1', 1_000],
    [' 120 ', 120_000],
    ['0', 0],
    ['-1', undefined],
    ['1.5', undefined],
    ['99999999999', undefined],
    ['Sat, 21 Nov 2026 12:00:30 GMT', 30_000],
    ['Saturday, 21-Nov-26 12:00:30 GMT', 30_000],
    ['Sat, 21 Nov 2026 11:59:00 GMT', 0],
    ['soon', undefined],
    ['2026', 2_026_000],
  ])('%p is %p ms', (value, expected) => {
    expect(parseRetryAfter(value, now)).toBe(expected);
  });
});

describe('trying again', () => {
  const lost = (code: string): { lost: Error } => ({ lost: Object.assign(new Error(code), { code }) });
  it.each([
    [{ status: 200 }, 'always', undefined],
    [{ status: 404 }, 'always', undefined],
    [{ status: 409 }, 'always', undefined],
    [{ status: 429 }, 'always', 0],
    [{ status: 429, retryAfter: '7' }, 'refused', 7_000],
    [{ status: 500 }, 'always', 0],
    [{ status: 500 }, 'refused', undefined],
    [{ status: 501 }, 'always', undefined],
    [{ status: 503, retryAfter: '1' }, 'refused', 1_000],
    [{ status: 503 }, 'refused', undefined],
    [{ status: 504 }, 'always', 0],
    [lost('ECONNRESET'), 'always', 0],
    [lost('ECONNRESET'), 'refused', undefined],
    [lost('ECONNREFUSED'), 'always', 0],
    [lost('EAI_AGAIN'), 'always', 0],
    [lost('ENOTFOUND'), 'always', undefined],
    [lost('DEPTH_ZERO_SELF_SIGNED_CERT'), 'always', undefined],
    [lost('ERR_TLS_CERT_ALTNAME_INVALID'), 'always', undefined],
    [{ lost: new AggregateError([lost('ECONNREFUSED').lost, lost('ENETUNREACH').lost]) }, 'always', 0],
  ] as const)('%j, repeatable %s: after %p ms', (outcome, repeatable, expected) => {
    expect(retryWait(outcome, repeatable, now)).toBe(expected);
  });

  it('gives the reason of all addresses that were tried', () => {
    expect(reasonOf(new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('connect ECONNREFUSED 127.0.0.1:1')]))).toBe(
      'connect ECONNREFUSED ::1:1, connect ECONNREFUSED 127.0.0.1:1',
    );
  });
});
