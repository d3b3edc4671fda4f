import { parseReference } from '@slashtrain/core/run/reference';
import { isEnded } from '@slashtrain/core/run/state';
import { bundleOf, succeeded, unless, whereOf, type Subject } from '../subject.ts';
import { jobSpec, jobsIn, replaceJob } from './jobs.ts';
import { recordOf, submitted } from './records.ts';

export const cancel: Subject = {
  name: 'cancel-runs',
  traffic: { github: { reads: 1, writes: 1, streams: 0 }, kubernetes: { reads: 4, writes: 3, streams: 0 } },
  async prepare(place) {
    const { world, repository, namespace } = place;
    const { stored, run, name } = await submitted(place, jobSpec(['node', 'train.js'], true));
    const { uid } = parseReference(run);
    let isReplaced = false;
    return {
      run: bundleOf(place, 'cancel-runs', { checks: 'write' }, { 'pr-number': '1', ...whereOf(place) }),
      heals: bundleOf(place, 'sync-runs', { contents: 'read', checks: 'write' }, whereOf(place)),
      replace: async () => {
        isReplaced = true;
        await replaceJob(place, name);
      },
      judge: async (told) => {
        const record = await recordOf(place, name);
        const [found] = await jobsIn(world, namespace);
        const said = JSON.parse(told.result.outputs['cancelled'] || '[]') as unknown[];
        const checks = repository.checks(stored.record.sha);
        return [
          ...unless(checks.length === 1, `${checks.length} checks`),
          ...unless(said.length === 0 || record?.state === 'cancelled', `it says cancelled, and the record ${record?.state ?? 'is gone'}`),
          ...unless(said.length === 0 || found?.metadata.uid !== uid, 'it says cancelled, and the run goes on'),
          ...unless(!isReplaced || found !== undefined, 'it deleted a Job that is not the run'),
          ...(succeeded(told) && !isReplaced
            ? [
                ...unless(record !== undefined && isEnded(record.state), `it ended well, and the record is ${record?.state ?? 'gone'}`),
                ...unless(found?.metadata.uid !== uid, 'it ended well, and the run goes on'),
              ]
            : []),
          ...(told.is === 'again' ? unless(checks[0]?.status === 'completed', 'the check is still in progress') : []),
        ];
      },
    };
  },
};
