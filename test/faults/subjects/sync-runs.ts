import { job } from '@slashtrain/core/kinds/job';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { isEnded } from '@slashtrain/core/run/state';
import { bundleOf, succeeded, unless, whereOf, type Subject } from '../subject.ts';
import { jobSpec, replaceJob } from './jobs.ts';
import { recordOf, submitted } from './records.ts';

export const sync: Subject = {
  name: 'sync-runs',
  traffic: { github: { reads: 1, writes: 1, streams: 0 }, kubernetes: { reads: 8, writes: 2, streams: 0 } },
  async prepare(place) {
    const { world, repository, namespace } = place;
    const script = `console.log('slashtrain-metric {"name":"accuracy","value":0.9,"step":1}')`;
    const { stored, run, name } = await submitted(place, jobSpec(['node', '-e', script]));
    for (;;) {
      const now = await world.client.get<KubernetesObject>(job.resource, namespace, name);
      if ((now?.['status'] as { completionTime?: string } | undefined)?.completionTime !== undefined) break;
      await new Promise((done) => setTimeout(done, 50));
    }
    return {
      run: bundleOf(place, 'sync-runs', { contents: 'read', checks: 'write' }, whereOf(place)),
      replace: () => replaceJob(place, name),
      judge: async (told) => {
        const record = await recordOf(place, name);
        const checks = repository.checks(stored.record.sha);
        const ended = (JSON.parse(told.result.outputs['ended'] || '[]') as { run: string }[]).map((one) => one.run);
        const curves = record?.state === 'succeeded' ? (await world.records.readMetrics(stored))?.series.length : undefined;
        return [
          ...unless(checks.length === 1, `${checks.length} checks`),
          ...unless(!ended.includes(run) || (record !== undefined && isEnded(record.state)), 'it says ended, and the record does not'),
          ...unless(curves === undefined || curves === 1, `the record has ${curves ?? 0} curves, and the run wrote one`),
          ...(succeeded(told)
            ? [
                ...unless(record !== undefined && isEnded(record.state), `it ended well, and the record is ${record?.state ?? 'gone'}`),
                ...unless(ended.includes(run), 'it ended well, and does not list the run'),
                // Asked to end, it leaves the rest to the next one, which it is there for.
                ...unless(
                  told.trouble === 'sigterm' || checks[0]?.status === 'completed',
                  'it ended well, and the check is still in progress',
                ),
              ]
            : []),
        ];
      },
    };
  },
};
