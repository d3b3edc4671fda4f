import { describe, expect, it } from '@jest/globals';
import type { StoredRecord } from '@slashtrain/core/records/store';
import { readTrials } from './katib.ts';

/* Objects as the type of Katib 0.19 says; none is of a real experiment. */

const stored = { record: { sha: 'a'.repeat(40), parameters: [] } } as unknown as StoredRecord;
const trial = (
  name: string,
  type: string,
  metrics?: { name: string; latest: string; min: string; max: string }[],
): Parameters<typeof readTrials>[0][number] => ({
  apiVersion: 'kubeflow.org/v1beta1',
  kind: 'Trial',
  metadata: { name },
  spec: { parameterAssignments: [{ name: 'lr', value: '0.1' }] },
  status: {
    conditions: [
      { type: 'Created', status: 'True' },
      { type: 'Running', status: 'False' },
      { type, status: 'True' },
    ],
    ...(metrics && { observation: { metrics } }),
  },
});

describe('readTrials', () => {
  it('takes what succeeded, whose observations are texts', () => {
    const { runs, excluded } = readTrials(
      [
        trial('good', 'Succeeded', [{ name: 'accuracy', latest: '0.93', min: '0.5', max: '0.95' }]),
        trial('lost', 'Succeeded', [{ name: 'accuracy', latest: 'unavailable', min: 'nan', max: 'inf' }]),
        trial('silent', 'Succeeded'),
        trial('bad', 'Failed', [{ name: 'accuracy', latest: '1', min: '1', max: '1' }]),
      ],
      stored,
    );
    expect(runs).toMatchObject([
      {
        id: 'good',
        source: 'katib',
        parameters: [{ name: 'lr', value: '0.1' }],
        metrics: [{ name: 'accuracy', last: 0.93, min: 0.5, max: 0.95 }],
      },
      { id: 'lost', metrics: [{ last: Number.NaN, min: Number.NaN, max: Number.POSITIVE_INFINITY }] },
    ]);
    expect(excluded.map(({ id, reason }) => [id, reason])).toEqual([
      ['silent', 'it has no observation'],
      ['bad', 'it is Failed'],
    ]);
  });
});
