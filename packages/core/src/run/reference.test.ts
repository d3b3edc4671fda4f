import { describe, expect, it } from '@jest/globals';
import { formatReference, parseReference } from './reference.ts';

const uid = '0f0c7a52-3c1e-4d0e-9c77-6d1f0a2b3c4d';

describe('run reference', () => {
  it.each([
    [
      `jobs.batch/ml/digits-pr42-1a2b3c4-9f8e7d6@${uid}`,
      { plural: 'jobs', group: 'batch', namespace: 'ml', name: 'digits-pr42-1a2b3c4-9f8e7d6', uid },
    ],
    [`rayjobs.ray.io/default/a@${uid}`, { plural: 'rayjobs', group: 'ray.io', namespace: 'default', name: 'a', uid }],
    [`runs.kfp/team-a/a.b@${uid}`, { plural: 'runs', group: 'kfp', namespace: 'team-a', name: 'a.b', uid }],
  ])('%s is read and written', (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
    expect(formatReference(reference)).toBe(text);
  });

  it.each([
    '',
    'digits',
    `jobs/ml/a@${uid}`,
    `jobs.batch/ml/a`,
    `jobs.batch/ml/a@`,
    `jobs.batch/ml/a@1234`,
    `jobs.batch/ml/../a@${uid}`,
    `jobs.batch//a@${uid}`,
    `jobs.batch/ml/a@${uid}\n`,
    ` jobs.batch/ml/a@${uid}`,
    `jobs.batch/ml/A@${uid}`,
    `jobs.batch/ml/-a@${uid}`,
    `jobs.batch/ml/a?x@${uid}`,
    `jobs.batch/ml/${'a'.repeat(2000)}@${uid}`,
  ])('%j is refused', (text) => {
    expect(() => parseReference(text)).toThrow('is no run reference');
  });
});
