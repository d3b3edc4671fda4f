import { isEnded } from '@slashtrain/core/run/state';
import type { BundleResult } from '@slashtrain/testing/bundle/bundle';
import { bundleOf, succeeded, unless, whereOf, type Subject } from '../subject.ts';
import { lineCount } from '../world.ts';
import { jobSpec, replaceJob } from './jobs.ts';
import { recordOf, submitted } from './records.ts';

const numbered = ({ stdout }: BundleResult): number[] =>
  stdout.split('\n').flatMap((line) => (/^numbered \d+$/u.test(line) ? [Number(line.slice(9))] : []));
const allLines = JSON.stringify(Array.from({ length: lineCount }, (_, index) => index + 1));

export const wait: Subject = {
  name: 'wait-for-run',
  traffic: { github: { reads: 0, writes: 2, streams: 0 }, kubernetes: { reads: 8, writes: 2, streams: 4 } },
  async prepare(place) {
    const { world, repository } = place;
    const { stored, run, name } = await submitted(place, jobSpec(['node', 'train.js']));
    const step = bundleOf(place, 'wait-for-run', { checks: 'write' }, { run, timeout: '3m', ...whereOf(place) });
    let isReplaced = false;
    return {
      run: step,
      replace: async () => {
        isReplaced = true;
        await replaceJob(place, name);
      },
      judge: async (told) => {
        const record = await recordOf(place, name);
        const { state } = told.result.outputs;
        const checks = repository.checks(stored.record.sha);
        const lines = JSON.stringify(numbered(told.result));
        const isWhole = !isReplaced && record?.result?.logTail.length !== 0 && succeeded(told) && told.is === 'disturbed';
        const metrics = record?.state === 'succeeded' ? await world.records.readMetrics(stored) : undefined;
        return [
          ...unless(checks.length === 1, `${checks.length} checks`),
          ...unless(succeeded(told) === (state === 'succeeded'), `code ${told.result.code}, and the state is ${state ?? 'not set'}`),
          ...unless(!succeeded(told) || record?.state === 'succeeded', `it says succeeded, and the record ${record?.state ?? 'is gone'}`),
          ...unless(!isWhole || lines === allLines, `lines of the log are missing or doubled: ${lines}`),
          ...unless(new Set(numbered(told.result)).size === numbered(told.result).length, `lines of the log are doubled: ${lines}`),
          ...unless(
            isReplaced || record?.state !== 'succeeded' || (metrics?.series.length ?? 0) === 1,
            `the record has ${metrics?.series.length ?? 0} curves, and the run wrote one`,
          ),
          ...unless(
            !isReplaced || state !== 'succeeded' || record?.state === 'succeeded',
            'a run that was replaced is told as its successor',
          ),
          ...(told.is === 'again'
            ? [
                ...unless(record !== undefined && isEnded(record.state), `the record is still ${record?.state ?? 'gone'}`),
                ...unless(checks[0]?.status === 'completed', 'the check is still in progress'),
                ...unless(
                  checks[0]?.conclusion === (record?.state === 'succeeded' ? 'success' : 'failure'),
                  `the check says ${checks[0]?.conclusion ?? ''}, and the record ${record?.state ?? ''}`,
                ),
              ]
            : []),
        ];
      },
    };
  },
};
