import { expect, it } from '@jest/globals';
import { environmentOf } from './environment.ts';

const placement = {
  name: 'digits-1a2b3c4-9f8e7d6',
  namespace: 'ml',
  record: { repository: { id: 7, fullName: 'acme/digits' }, sha: 'a'.repeat(40), pipeline: 'digits' },
  repositoryUrl: 'https://github.com/acme/digits',
};

it('a run of a pull request says which one, to itself and to trackers', () => {
  const { ours, offered, tags } = environmentOf({ ...placement, record: { ...placement.record, pullRequest: 42, dataVersion: 'v3' } });
  expect(ours.get('SLASHTRAIN_PULL_REQUEST')).toBe('42');
  expect(offered.get('WANDB_TAGS')).toBe('slashtrain,digits,pr-42');
  expect(offered.get('WANDB_NOTES')).toBe('https://github.com/acme/digits/pull/42');
  expect(tags).toMatchObject({ 'slashtrain.pull-request': '42', 'slashtrain.data-version': 'v3' });
});

it('a run of a branch has no variable for what there is not', () => {
  const { ours, offered, tags } = environmentOf(placement);
  expect([...ours.keys()].filter((name) => name.startsWith('SLASHTRAIN_')).sort()).toEqual([
    'SLASHTRAIN_PIPELINE',
    'SLASHTRAIN_REPOSITORY',
    'SLASHTRAIN_RUN',
    'SLASHTRAIN_SHA',
  ]);
  expect(offered.get('WANDB_TAGS')).toBe('slashtrain,digits');
  expect(Object.keys(tags)).not.toContain('slashtrain.pull-request');
});
