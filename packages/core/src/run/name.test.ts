import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkPipelineName, runName } from './name.ts';

const sha = '1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b';
const request = `9f8e7d6${'0'.repeat(57)}`;

describe('runName', () => {
  it.each([
    ['digits', 42, 1, 63, 'digits-pr42-1a2b3c4-9f8e7d6'],
    ['digits', undefined, 1, 63, 'digits-1a2b3c4-9f8e7d6'],
    ['digits', 42, 3, 63, 'digits-pr42-1a2b3c4-9f8e7d6-3'],
    ['3d-unet', 42, 1, 63, 'r-3d-unet-pr42-1a2b3c4-9f8e7d6'],
    ['a-very-long-pipeline-name-that-is-cut', 12345, 10, 47, 'a-very-long-pipeline-pr12345-1a2b3c4-9f8e7d6-10'],
    ['abc-def', 1, 1, 24, 'abc-pr1-1a2b3c4-9f8e7d6'],
  ])('of %s, #%s, attempt %d within %d is %s', (pipeline, pullRequest, attempt, limit, expected) => {
    expect(runName({ pipeline, pullRequest, sha, request, attempt }, limit)).toBe(expected);
  });

  it('is always a DNS label within its limit', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/u),
        fc.option(fc.nat(1e7), { nil: undefined }),
        fc.integer({ min: 1, max: 999 }),
        fc.integer({ min: 40, max: 63 }),
        (pipeline, pullRequest, attempt, limit) => {
          const name = runName({ pipeline, pullRequest, sha, request, attempt }, limit);
          expect(name).toMatch(/^[a-z]([-a-z0-9]*[a-z0-9])?$/u);
          expect(name.length).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });
});

describe('checkPipelineName', () => {
  it.each(['default', 'a', '3d-unet'])('takes %s', (name) => {
    expect(checkPipelineName(name)).toBe(name);
  });
  it.each(['', 'Digits', 'a b', '-a', 'a-', 'a/b', 'a'.repeat(41), 'a\nb'])('refuses %j', (name) => {
    expect(() => checkPipelineName(name)).toThrow('allowed: up to 40 lower-case letters');
  });
});
