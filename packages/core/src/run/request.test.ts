import { describe, expect, it } from '@jest/globals';
import { askerOf, requestHash, type RequestParts } from './request.ts';

const base: RequestParts = {
  repositoryId: 1,
  pullRequest: 42,
  pipeline: 'digits',
  sha: 'a'.repeat(40),
  dataVersion: 'v1',
  manifest: 'kind: Job',
  parameters: new Map([
    ['epochs', '20'],
    ['rate', '0.1'],
  ]),
  inputs: new Map([['deadline', '3600']]),
  images: new Map([['trainer', 'ghcr.io/acme/digits']]),
};

describe('requestHash', () => {
  it('is the same for the same request, in any order of its maps', () => {
    expect(
      requestHash({
        ...base,
        parameters: new Map([
          ['rate', '0.1'],
          ['epochs', '20'],
        ]),
      }),
    ).toBe(requestHash(base));
    expect(requestHash(base)).toMatch(/^[0-9a-f]{64}$/u);
  });

  it.each<[string, Partial<RequestParts>]>([
    ['repository', { repositoryId: 2 }],
    ['pull request', { pullRequest: 43 }],
    ['absence of the pull request', { pullRequest: undefined }],
    ['pipeline', { pipeline: 'other' }],
    ['SHA', { sha: 'b'.repeat(40) }],
    ['data version', { dataVersion: 'v2' }],
    ['manifest', { manifest: 'kind: Job ' }],
    [
      'parameter',
      {
        parameters: new Map([
          ['epochs', '21'],
          ['rate', '0.1'],
        ]),
      },
    ],
    [
      'border between name and value',
      {
        parameters: new Map([
          ['epochs20', ''],
          ['rate', '0.1'],
        ]),
      },
    ],
    ['input', { inputs: new Map() }],
    ['image', { images: new Map([['trainer', 'ghcr.io/acme/other']]) }],
  ])('changes with the %s', (_, change) => {
    expect(requestHash({ ...base, ...change })).not.toBe(requestHash(base));
  });
});

describe('askerOf', () => {
  it('is the comment where there is one, else the workflow run', () => {
    expect(askerOf({ commentId: 7, runId: 8, runAttempt: 2 })).toEqual({ id: 'comment:7', runAttempt: 2 });
    expect(askerOf({ runId: 8, runAttempt: 2 })).toEqual({ id: 'workflow:8', runAttempt: 2 });
  });
});
