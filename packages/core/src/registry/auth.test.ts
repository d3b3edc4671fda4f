import { describe, expect, it } from '@jest/globals';
import { parseChallenges } from './auth.ts';
import { backoff, isBusy, mayPass, retryAfter } from './http.ts';

describe('WWW-Authenticate', () => {
  it.each([
    [undefined, []],
    ['', []],
    ['Basic realm="Registry"', [['basic', { realm: 'Registry' }]]],
    ['basic', [['basic', {}]]],
    // Docker Hub's
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/python:pull"',
      [['bearer', { realm: 'https://auth.docker.io/token', service: 'registry.docker.io', scope: 'repository:library/python:pull' }]],
    ],
    // Several headers arrive as one.
    [
      'Bearer realm="https://a/token", service=b, Basic realm="with \\"quotes\\", and commas"',
      [
        ['bearer', { realm: 'https://a/token', service: 'b' }],
        ['basic', { realm: 'with "quotes", and commas' }],
      ],
    ],
    [
      'Negotiate, Basic realm="x"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
  ])('%j', (header, expected) => {
    expect(parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)])).toEqual(expected);
  });
});

describe('what is tried again', () => {
  it.each([
    ['5', 5],
    ['0', 0],
    ['Wed, 21 Oct 2026 07:28:30 GMT', 30],
    ['Wed, 21 Oct 2026 07:27:30 GMT', 0],
    ['soon', undefined],
    [undefined, undefined],
  ])('Retry-After %j', (header, seconds) => {
    expect(retryAfter(header, Date.parse('2026-10-21T07:28:00Z'))).toBe(seconds);
  });

  it.each([200, 400, 401, 403, 404, 416, 501, 505])('not %i', (status) => expect(isBusy(status)).toBe(false));
  it.each([408, 429, 500, 502, 503, 504])('%i', (status) => expect(isBusy(status)).toBe(true));
  it.each([
    ['ECONNRESET', true],
    ['ENOTFOUND', false],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', false],
  ])('%s: %p', (code, expected) => expect(mayPass(Object.assign(new Error('x'), { code }))).toBe(expected));

  it('waits longer each time', () => {
    for (const [attempt, least] of [
      [1, 0.5],
      [2, 1],
      [3, 2],
      [4, 4],
    ] as const) {
      expect(backoff(attempt)).toBeGreaterThanOrEqual(least);
      expect(backoff(attempt)).toBeLessThanOrEqual(least * 1.5);
    }
  });
});
