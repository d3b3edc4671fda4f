import { bundleOf, succeeded, unless, whereOf, type Subject } from '../subject.ts';
import { recordOf, trained } from './records.ts';

export const report: Subject = {
  name: 'report-pr',
  traffic: { github: { reads: 3, writes: 2, streams: 0 }, kubernetes: { reads: 4, writes: 1, streams: 0 } },
  async prepare(place) {
    const { world, repository } = place;
    const { pull, stored } = await trained(place, 0.95);
    const gate = { metric: 'accuracy', direction: 'higher', 'max-regression': '0' } as const;
    await world.records.update(stored, (record) => ({
      ...record,
      verdict: 'pass',
      comparison: { gates: [{ gate, outcome: 'pass', why: 'said of 0.95' }], noBaseline: 'pass', notes: [] },
    }));
    const inputs = { run: stored.record.run ?? '', 'pr-number': String(pull.number), sha: pull.sha, pipeline: 'digits', ...whereOf(place) };
    return {
      run: bundleOf(place, 'report-pr', { checks: 'write', 'pull-requests': 'write' }, inputs),
      judge: async (told) => {
        const record = await recordOf(place, stored.name);
        const comments = repository.comments(pull.number);
        const checks = repository.checks(pull.sha);
        // Two reports in one moment each make a check, since GitHub's have no compare-and-swap: of the same verdict, then.
        const most = told.trouble === 'twin' ? 2 : 1;
        const areRight = checks.length >= 1 && checks.length <= most && checks.every(({ conclusion }) => conclusion === 'success');
        const isThere = comments.length === 1 && areRight;
        return [
          ...unless(comments.length <= 1, `${comments.length} comments`),
          ...unless(checks.filter(({ status }) => status !== 'completed').length === 0, 'a check is left in progress'),
          ...unless(told.is === 'disturbed' || areRight, `${checks.length} checks`),
          ...unless(!succeeded(told) || isThere, `it ended well with ${comments.length} comments and ${checks.length} checks`),
          ...unless(record?.reportedAt === undefined || isThere, 'the record says reported, and comment and check are not both there'),
          ...unless(!succeeded(told) || record?.reportedAt !== undefined, 'it ended well, and the record does not say reported'),
        ];
      },
    };
  },
};
