import { commentLimit } from '@slashtrain/core/github/comments';
import { fit } from '@slashtrain/core/markdown/fit';
import type { MetricRun } from '@slashtrain/core/metrics/metrics';
import { compareRuns } from '../../actions/fetch-metrics/src/samples.ts';
import { links, rising, story } from '../../actions/report-pr/src/report/examples.ts';
import { reportSections } from '../../actions/report-pr/src/report/report.ts';
import { median } from './measure.ts';

/*
 * How long it takes to write a report of 200 metrics and 50 runs a side, beside JSON.stringify of what it is made from, in
 * turn in this process. Asserts nothing.
 *   node test/bench/report.ts
 */
const metrics = 200;
const runs = 50;
const rounds = 15;

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
const comparisons = compareRuns(ours, theirs);
const one = story({
  candidate: ours[0]?.metrics ?? [],
  baseline: { description: '#41', sha: 'b'.repeat(40), metrics: theirs[0]?.metrics ?? [] },
  runs: ours,
  comparisons,
});

const times = { report: [] as number[], 'JSON.stringify': [] as number[] };
let length = 0;
let first: number | undefined;
for (let round = -2; round < rounds; round++) {
  const start = performance.now();
  length = fit(reportSections(one, [], links, { charts: 'mermaid', command: '/train' }), commentLimit, 'characters').text.length;
  const middle = performance.now();
  JSON.stringify(one);
  const end = performance.now();
  // As in an action, which writes one report: the code is not warm.
  first ??= middle - start;
  // The first rounds warm the code up.
  if (round < 0) continue;
  times.report.push(middle - start);
  times['JSON.stringify'].push(end - middle);
}
const [report, json] = [median(times.report), median(times['JSON.stringify'])];
console.log(`${metrics} metrics × ${runs} runs a side, ${length} characters, Node ${process.version}, medians of ${rounds}`);
console.table([
  {
    what: 'report',
    ms: report.toFixed(1),
    'ms, least': Math.min(...times.report).toFixed(1),
    '÷ JSON.stringify': (report / json).toFixed(2),
  },
  {
    what: 'JSON.stringify of its story',
    ms: json.toFixed(1),
    'ms, least': Math.min(...times['JSON.stringify']).toFixed(1),
    '÷ JSON.stringify': '1.00',
  },
]);
console.log(`RSS ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);
