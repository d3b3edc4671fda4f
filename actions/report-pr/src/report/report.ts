import { formatDuration } from '@slashtrain/core/action/duration';
import type { Section } from '@slashtrain/core/markdown/fit';
import { clip, code, details, escapeText, fence, link } from '@slashtrain/core/markdown/markdown';
import { metricsTable, outcomeWords } from '@slashtrain/core/metrics/table';
import { trainCheckName } from '@slashtrain/core/run/check';
import { isEnded } from '@slashtrain/core/run/state';
import type { Pictures } from '../charts/pictures.ts';
import type { ReportInputs } from '../inputs.ts';
import type { Earlier, Links, Story } from '../story.ts';
import { artifactTable } from './artifacts.ts';
import { classTables } from './classes.ts';
import { curvesMarkdown, rowsOf } from './curves.ts';
import { differencesList, excludedList } from './differences.ts';
import { earlierTable } from './earlier.ts';
import { costOf, factsTable, hundredths } from './facts.ts';
import { headline } from './headline.ts';
import { repeatCommand } from './repeat.ts';
import { sweepSections } from './sweep.ts';
import { trialsTable } from './trials.ts';

const shownRows = 12;
const shortRows = 5;
const mostGates = 10;

/** The report's sections in their order. What matters most stands first and stays longest. */
export function reportSections(
  story: Story,
  earlier: readonly Earlier[],
  links: Links,
  options: Pick<ReportInputs, 'charts' | 'command'>,
  pictures?: Pictures,
): Section[] {
  const rows = rowsOf(story);
  const rest = rows.slice(shownRows);
  const succeeded = story.state === 'succeeded';
  return [
    { name: 'verdict', text: opening(story, links), priority: 'required' },
    { name: 'gates', text: openGates(story), priority: 90 },
    { name: 'what happened', text: whatHappened(story, links), priority: 80 },
    { name: 'time and cost', text: circumstances(story), priority: 82 },
    { name: 'log', text: logTail(story), priority: 60 },
    {
      name: 'metrics',
      text: rows.length > 0 ? metricsTable(rows.slice(0, shownRows)) : '',
      ...(rows.length > shortRows ? { short: metricsTable(rows.slice(0, shortRows)) } : {}),
      priority: 85,
    },
    ...sweepSections(story),
    { name: 'changes besides the code', text: succeeded ? differencesList(story) : '', priority: 75 },
    { name: 'runs', text: succeeded ? trialsTable(story) : '', priority: 55 },
    { name: 'classes', text: succeeded ? classTables(story) : '', priority: 45 },
    { name: 'artifacts', text: succeeded ? artifactTable(story) : '', priority: 42 },
    { name: 'more metrics', text: rest.length > 0 ? details(`${rest.length} more metrics`, metricsTable(rest)) : '', priority: 30 },
    { name: 'notes', text: notes(story), priority: 70 },
    { name: 'runs that do not count', text: excludedList(story.excluded), priority: 25 },
    { name: 'learning curves', text: options.charts === 'none' ? '' : curvesMarkdown(story, rows, pictures), priority: 50 },
    { name: 'run facts', text: details('About this run: commit, image, parameters, links', factsTable(story, links)), priority: 40 },
    { name: 'how to repeat', text: howToRepeat(story, options.command), priority: 35 },
    { name: 'earlier runs', text: earlierTable(earlier, links), priority: 20 },
  ];
}

function opening(story: Story, links: Links): string {
  const { sign, words, why } = headline(story);
  const { gates, state, sha, title, verdict } = story;
  // The list of gates that follows has the numbers of what did not pass, with the rule that it broke.
  const sentences = verdict === 'fail' || verdict === 'inconclusive' ? [] : [why];
  if (state === 'succeeded') {
    if (gates.length > 1) sentences.push(tally(gates));
    if (verdict === 'no-baseline') sentences.push(noBaselineWords(story));
  }
  const heading = `### ${sign} ${escapeText(words)} · ${escapeText(clip(title, 80))} at ${link(sha.slice(0, 7), `${links.repository}/commit/${sha}`)}`;
  return [heading, sentences.filter(Boolean).join(' ')].filter(Boolean).join('\n\n');
}

/** What it is compared with, and what it took and cost, on one line. */
function circumstances(story: Story): string {
  const { baseline, result, state } = story;
  if (!isEnded(state)) return '';
  const cost = costOf(story);
  const parts = [
    ...(baseline && state === 'succeeded' ? [`compared with ${escapeText(clip(baseline.description, 300))}`] : []),
    ...(result?.runSeconds === undefined || state !== 'succeeded' ? [] : [`trained in ${formatDuration(result.runSeconds)}`]),
    ...(result && result.gpuHours > 0 ? [`${hundredths(result.gpuHours)} GPU-hours`] : []),
    ...(cost === undefined ? [] : [`cost ${cost}`]),
    ...(state === 'succeeded' ? fromCache(story) : []),
  ];
  const [first = '', ...rest] = parts;
  return [first.charAt(0).toUpperCase() + first.slice(1), ...rest].join(' · ');
}

/** What Kubeflow Pipelines says of a run that succeeded: how much of it was not run at all. */
function fromCache({ result, stored }: Story): string[] {
  if (result?.message === undefined || stored?.record.kind.group !== 'kfp') return [];
  return [escapeText(clip(result.message, 500))];
}

function tally(gates: Story['gates']): string {
  const passed = gates.filter(({ outcome }) => outcome === 'pass').length;
  return `${passed} of ${gates.length} gates pass.`;
}

function noBaselineWords({ noBaseline }: Story): string {
  return noBaseline === 'pass' ? 'That does not block a merge.' : `That blocks a merge, as ${code('no-baseline: fail')} says.`;
}

/** Why it is no pass, gate by gate. */
function openGates({ gates, state, baseline }: Story): string {
  if (state !== 'succeeded') return '';
  // Where there is no baseline at all, the headline says so once for all gates.
  const open = gates.filter(({ outcome }) => outcome !== 'pass' && (baseline || outcome !== 'no-baseline'));
  const lines = open
    .slice(0, mostGates)
    .map(({ gate, outcome, why }) => `- ${outcomeWords[outcome]}: ${code(clip(gate.metric, 80))}: ${escapeText(clip(why, 300))}`);
  return [...lines, ...(open.length > mostGates ? [`- and ${open.length - mostGates} more gates`] : [])].join('\n');
}

function whatHappened({ state, result, standing, stored }: Story, links: Links): string {
  if (state === 'succeeded') return '';
  const record = stored?.record;
  const message = result?.message ?? standing?.message ?? record?.refusal;
  const parts = [
    ...(record?.cancel ? [`**Cancelled** by ${code(clip(record.cancel.by, 100))}: ${escapeText(clip(record.cancel.why, 500))}`] : []),
    ...(message ? [`**${isEnded(state) ? 'What happened' : 'Why'}:** ${escapeText(clip(message, 2000))}`] : []),
    ...(result?.remedy ? [`**What to do:** ${escapeText(clip(result.remedy, 2000))}`] : []),
  ];
  if (isEnded(state)) return parts.join('\n\n');
  const since = standing?.startedAt ?? result?.startedAt;
  const sentences = [
    ...(state === 'running' && standing?.progress !== undefined ? [progressBar(standing.progress)] : []),
    ...(since === undefined ? [] : [`Started at ${escapeText(since.slice(0, 16).replace('T', ' '))} UTC.`]),
    ...(record?.checkRunId === undefined
      ? []
      : [
          `Follow it in ${link(`the check "${trainCheckName(clip(record.pipeline, 80))}"`, `${links.repository}/runs/${record.checkRunId}`)}.`,
        ]),
    'The verdict comes here when the run has ended.',
  ];
  return [...parts, sentences.join(' ')].join('\n\n');
}

function progressBar(share: number): string {
  const full = Math.floor(share * 20);
  return `${'▓'.repeat(full)}${'░'.repeat(20 - full)}`;
}

function logTail({ state, result }: Story): string {
  if (state !== 'failed' || !result || result.logTail.length === 0) return '';
  return `**The last ${result.logTail.length} log lines:**\n\n${fence(result.logTail.map((line) => clip(line, 500)).join('\n'))}`;
}

function notes({ notes: all, state }: Story): string {
  // Why a run that broke off cannot be judged is told above.
  if (state !== 'succeeded' || all.length === 0) return '';
  const lines = all.slice(0, 20).map((note) => `- ${escapeText(clip(note, 500))}`);
  return `**Notes:**\n\n${lines.join('\n')}`;
}

function howToRepeat({ stored }: Story, command: string): string {
  if (stored?.record.pullRequest === undefined) return '';
  return details('How to repeat', `Comment on this pull request:\n\n${fence(repeatCommand(command, stored.record.parameters))}`);
}
