import { commentLimit } from '@slashtrain/core/github/comments';
import { fit } from '@slashtrain/core/markdown/fit';
import type { MetricRun } from '@slashtrain/core/metrics/metrics';
import type { Trial } from '@slashtrain/core/sweep/sweep';
import { compareRuns } from '../../../actions/fetch-metrics/src/samples.ts';
import { links, rising, stories, story } from '../../../actions/report-pr/src/report/examples.ts';
import { reportSections } from '../../../actions/report-pr/src/report/report.ts';
import type { Story } from '../../../actions/report-pr/src/story.ts';
import type { Part, Row } from '../part.ts';
import { inTurn, timeOf } from '../samples.ts';

/** A report of 200 metrics and 50 runs a side, and one of a sweep of 1,000 trials, beside JSON.stringify of what they are made from. */
const metrics = 200;
const runs = 50;

function wide(): Story {
  const side = (shift: number): MetricRun[] =>
    Array.from({ length: runs }, (_, run) => ({
      id: `run-${run}`,
      sha: 'a'.repeat(40),
      parameters: [{ name: 'seed', value: String(run) }],
      metrics: Array.from({ length: metrics }, (__, metric) =>
        rising(`group ${metric % 7}/metric ${metric}`, 0.5 + shift + ((run * 31 + metric) % 97) / 1000, 100),
      ),
    }));
  const [ours, theirs] = [side(0.01), side(0)];
  return story({
    candidate: ours[0]?.metrics ?? [],
    baseline: { description: '#41', sha: 'b'.repeat(40), metrics: theirs[0]?.metrics ?? [] },
    runs: ours,
    comparisons: compareRuns(ours, theirs),
  });
}

function swept(): Story {
  const one = stories['sweep'];
  const record = one?.stored?.record;
  if (!one?.stored || !record?.sweep) throw new Error('the examples of report-pr have no sweep any more');
  const trials = Array.from({ length: 1000 }, (_, index): Trial => {
    const last = Math.sin(index);
    const values = record.sweep!.parameters.map((__, at) => String(at === 0 ? index : index % 3));
    return {
      index,
      values,
      state: 'succeeded',
      metrics: [{ name: record.sweep!.metric, last, min: last, max: last, mean: last, step: 1 }],
    };
  });
  const sweep = { ...record.sweep, maxTrials: 1000, trials: trials.map(({ values }) => values) };
  return { ...one, trials, stored: { ...one.stored, record: { ...record, sweep } } };
}

const write = (one: Story): number =>
  fit(reportSections(one, [], links, { charts: 'mermaid', command: '/train' }), commentLimit, 'characters').text.length;

export const part: Part = {
  rounds: { full: 15, quick: 7 },
  async run({ rounds }) {
    const rows: Row[] = [];
    for (const [id, what, issues, one, most] of [
      ['reports/wide', `a report of ${metrics} metrics × ${runs} runs a side`, [9], wide(), 50],
      ['reports/sweep', 'a report of a sweep of 1,000 trials', [11], swept(), 200],
    ] as const) {
      const times = await inTurn(rounds, { ours: () => timeOf(() => write(one)), json: () => timeOf(() => JSON.stringify(one)) });
      const peer = { name: 'JSON.stringify of its story', version: process.version, samples: times.json };
      rows.push({ id, what, issues, unit: 'ms', better: 'lower', ours: times.ours, peer, limits: [{ of: 'ours', most }] });
    }
    return rows;
  },
};
