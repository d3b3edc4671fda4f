import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import type { MetricsFile } from '@slashtrain/core/metrics/metrics';
import { conclusionOfVerdict } from '@slashtrain/core/metrics/verdict';
import { findBaseline, findBaselineAt, type Baseline } from './baseline/find.ts';
import { decide, rowsToShow, tally } from './decide.ts';
import type { BaselineChoice, FetchInputs } from './inputs.ts';
import { writeOutputs } from './outputs.ts';
import { remember } from './remember.ts';
import { readSettings } from './settings.ts';
import { summaryMarkdown } from './show.ts';
import { readFiles } from './sources/files.ts';
import { readRun } from './sources/run.ts';
import { openSubject, type OpenSubject } from './subject.ts';

/** What fetch-metrics works with. */
export interface Parts {
  host: Host;
  context: GitHubContext;
  github: GitHub;
}

/** Reads the metrics of a commit, finds what to compare them with, decides, and writes the verdict into the record. */
export async function main(inputs: FetchInputs, parts: Parts): Promise<void> {
  const { host, github } = parts;
  const opened = await openSubject(inputs, parts);
  const { subject, stored, cluster } = opened;
  const settings = await readSettings(inputs, subject.pipeline, github);
  const [measured, compared] = await Promise.all([
    inputs.source === 'run' && stored && cluster ? readRun(stored, cluster.records) : readFiles(inputs.files, host.workspace, subject),
    compareWith(settings.baseline, inputs.baselineDepth, opened, github),
  ]);
  const file = decide({ subject, run: stored?.record.run, measured, compared, settings });
  const rows = rowsToShow(file, inputs.metrics);
  const markdown = summaryMarkdown(file, rows);
  writeOutputs(host, file, rows, markdown);
  tell(host, file);
  await host.summarise(markdown);
  if (stored && cluster) await remember(cluster.records, stored, file);
  judge(file, inputs);
}

async function compareWith(
  baseline: BaselineChoice,
  depth: number,
  { subject, cluster }: OpenSubject,
  github: GitHub,
): Promise<Baseline | { notes: string[] }> {
  if ('choice' in baseline && baseline.choice === 'none') return { notes: [] };
  if (!cluster) return { notes: ['no baseline: no cluster is named whose records could hold one'] };
  const place = { github, ...cluster };
  return 'sha' in baseline ? findBaselineAt(baseline.sha, subject, place) : findBaseline(subject, depth, place);
}

function tell({ log }: Host, { verdict, gates, notes, baseline, candidates }: MetricsFile): void {
  log.info(`candidate: ${candidates[0]?.id ?? 'none'}`);
  log.info(`baseline: ${baseline?.description ?? 'none'}`);
  for (const { gate, outcome, why } of gates) log.info(`gate ${gate.metric}: ${outcome}: ${why}`);
  for (const note of notes) log.notice(note);
  log.info(`verdict: ${verdict} (${tally(gates)})`);
}

/** @throws ActionError `gate-failed` where the step must fail */
function judge({ verdict, noBaseline, gates, notes }: MetricsFile, { failOn }: FetchInputs): void {
  if (failOn === 'never' || conclusionOfVerdict(verdict, noBaseline) === 'success') return;
  const why = [...gates.filter(({ outcome }) => outcome !== 'pass').map((gate) => `${gate.gate.metric}: ${gate.why}`), ...notes];
  throw new ActionError('gate-failed', `the verdict is ${verdict}: ${why.slice(0, 5).join('; ')}`, {
    remedy: 'look at the report, or set fail-on: never to let the check of report-pr decide alone',
  });
}
