import { ActionError } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { fetchFromDefaultBranch, loadConfig } from '@slashtrain/core/config/load';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import type { MetricsFile } from '@slashtrain/core/metrics/metrics';
import { conclusionOfVerdict } from '@slashtrain/core/metrics/verdict';
import { compareWith } from './baseline/choose.ts';
import { decide, rowsToShow, tally } from './decide.ts';
import type { FetchInputs } from './inputs.ts';
import { writeOutputs } from './outputs.ts';
import { remember } from './remember.ts';
import { addPackages } from './packages.ts';
import { readSettings } from './settings.ts';
import { summaryMarkdown } from './show.ts';
import { measureAll } from './sources/measured.ts';
import { openSources } from './sources/open.ts';
import { openSubject } from './subject.ts';

/** What fetch-metrics works with. */
export interface Parts {
  host: Host;
  context: GitHubContext;
  github: GitHub;
}

/** Reads the metrics of a commit, finds what to compare them with, decides, and writes the verdict into the record. */
export async function main(inputs: FetchInputs, parts: Parts): Promise<void> {
  const { host, github } = parts;
  // GitHub is asked while the cluster is signed in to: neither needs the other.
  const [opened, loaded] = await Promise.all([openSubject(inputs, parts), loadConfig(fetchFromDefaultBranch(github))]);
  const { subject, stored, cluster } = opened;
  const settings = await readSettings(inputs, subject.pipeline, loaded);
  const sources = await openSources(inputs, opened, settings.gates, parts);
  const [measured, compared] = await Promise.all([
    measureAll(sources),
    compareWith(settings.baseline, { depth: inputs.baselineDepth, opened, sources, github }),
  ]);
  const sides = [{ sha: subject.sha, runs: measured.runs }, ...('runs' in compared ? [compared] : [])];
  if (inputs.packages !== undefined) measured.notes.push(...(await addPackages(inputs.packages, github, sides)));
  const decided = decide({ subject, run: stored?.record.run, measured, compared, settings });
  // What a tracker said may quote what we signed in with, and who reports the file does not know that.
  const file = host.log.scrub?.(decided) ?? decided;
  const rows = rowsToShow(file, inputs.metrics);
  const markdown = summaryMarkdown(file, rows);
  writeOutputs(host, file, rows, markdown);
  tell(host, file);
  await host.summarise(markdown);
  if (stored && cluster) await remember(cluster.records, stored, file);
  judge(file, inputs);
}

function tell({ log }: Host, { verdict, gates, notes, baseline, candidates, excluded = [] }: MetricsFile): void {
  log.info(`candidate: ${candidates[0]?.id ?? 'none'}${candidates.length > 1 ? ` and ${candidates.length - 1} more runs` : ''}`);
  for (const { source, id, name, reason } of excluded.slice(0, 20)) log.info(`not counted: ${source} ${name ?? id}: ${reason}`);
  log.info(`baseline: ${baseline?.description ?? 'none'}`);
  for (const { gate, outcome, why } of gates) log.info(`gate ${gate.metric}: ${outcome}: ${why}`);
  for (const note of notes) log.notice(note);
  log.info(`verdict: ${verdict} (${tally(gates)})`);
}

/** @throws ActionError `gate-failed` where the step must fail */
function judge({ verdict, noBaseline, gates, notes }: MetricsFile, { failOn }: FetchInputs): void {
  if (failOn === 'never' || conclusionOfVerdict(verdict, noBaseline) === 'success') return;
  const why = [
    ...gates.filter(({ gate, outcome }) => outcome !== 'pass' && gate.level !== 'warn').map((gate) => `${gate.gate.metric}: ${gate.why}`),
    ...notes,
  ];
  throw new ActionError('gate-failed', `the verdict is ${verdict}: ${why.slice(0, 5).join('; ')}`, {
    remedy: 'look at the report, or set fail-on: never to let the check of report-pr decide alone',
  });
}
