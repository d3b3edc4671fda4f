import { checkExternalId } from '@slashtrain/core/run/check';
import { parseReference } from '@slashtrain/core/run/reference';
import { isEnded } from '@slashtrain/core/run/state';
import type { StoredRecord } from '@slashtrain/core/records/store';
import type { CheckRun } from '@slashtrain/testing/github/store';
import { recordAnnotation } from '@slashtrain/core/run/record';
import { bundleOf, succeeded, unless, whereOf, type Subject } from '../subject.ts';
import { pullRequest } from './pulls.ts';
import { jobSpec, jobsIn, replaceJob } from './jobs.ts';
import { recordsIn } from './records.ts';

export const submit: Subject = {
  name: 'submit-pipeline',
  traffic: { github: { reads: 4, writes: 1, streams: 0 }, kubernetes: { reads: 2, writes: 5, streams: 0 } },
  async prepare(place) {
    const { world, repository, namespace } = place;
    const manifest = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'digits' }, spec: jobSpec(['node', 'train.js'], true) };
    const { sha, number } = pullRequest(place, { 'train.yaml': JSON.stringify(manifest) });
    const inputs = { manifest: 'train.yaml', sha, 'pr-number': String(number), pipeline: 'digits', 'comment-id': '1' };
    const run = bundleOf(
      place,
      'submit-pipeline',
      { contents: 'read', checks: 'write', 'pull-requests': 'read' },
      { ...inputs, ...whereOf(place) },
    );
    let isReplaced = false;
    return Promise.resolve({
      run,
      again: { ...run, runAttempt: 2 },
      replace: async () => {
        isReplaced = true;
        for (const one of await jobsIn(world, namespace)) await replaceJob(place, one.metadata.name ?? '');
      },
      judge: async (told) => {
        const jobs = await jobsIn(world, namespace);
        const ours = jobs.filter(({ metadata }) => metadata.annotations?.[recordAnnotation] !== undefined);
        const records = await recordsIn(place);
        const checks = repository.checks(sha);
        const said = told.result.outputs['run'];
        const active = records.filter(({ record }) => !isEnded(record.state));
        const problems = [
          ...unless(ours.length <= 1, `${ours.length} runs`),
          ...unless(active.length <= 1, `${active.length} records that go on`),
          ...doubled(checks),
          ...unless(succeeded(told) === (said !== undefined), `code ${told.result.code}, and the output "run" is ${said ?? 'not set'}`),
        ];
        if (!succeeded(told) || said === undefined) return problems;
        const stored = records.find(({ record }) => record.run === said);
        const found = jobs.find(({ metadata }) => metadata.uid === parseReference(said).uid);
        return [
          ...problems,
          ...unless(stored !== undefined, `no record has the run ${said}`),
          ...unless(found !== undefined || isReplaced || told.result.outputs['adopted'] === 'true', `there is no run ${said}`),
          ...unless(
            checks.some(({ id, status }) => id === stored?.record.checkRunId && status === 'queued'),
            `the record's check ${stored?.record.checkRunId ?? ''} is not among those of the commit, queued`,
          ),
          ...(told.is === 'again' ? orphans(checks, records) : []),
        ];
      },
    });
  },
};

/** Two unfinished checks of one record, or two conclusions of it that differ. */
function doubled(checks: readonly CheckRun[]): string[] {
  const open = checks.filter(({ status }) => status !== 'completed');
  const names = open.map(({ name, externalId }) => `${name} ${externalId}`);
  return unless(new Set(names).size === names.length, `a check is there twice: ${names.join(', ')}`);
}

/** Checks that nobody will conclude: no record of theirs goes on. */
function orphans(checks: readonly CheckRun[], records: readonly StoredRecord[]): string[] {
  const active = new Set(records.filter(({ record }) => !isEnded(record.state)).map(checkExternalId));
  return checks
    .filter(({ status, externalId }) => status !== 'completed' && !active.has(externalId))
    .map(({ name }) => `the check "${name}" is left in progress, and no run of it goes on`);
}
