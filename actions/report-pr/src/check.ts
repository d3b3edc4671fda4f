import { CheckRuns, checkTextLimit, type CheckRun, type CheckState, type CheckText } from '@slashtrain/core/github/checks';
import { fit } from '@slashtrain/core/markdown/fit';
import { conclusionOfVerdict } from '@slashtrain/core/metrics/verdict';
import { checkExternalId, metricsCheckName } from '@slashtrain/core/run/check';
import { isEnded } from '@slashtrain/core/run/state';
import { annotationsOf } from './annotations.ts';
import type { ReportParts } from './comment.ts';
import { headline } from './report/headline.ts';
import { reportSections } from './report/report.ts';
import type { Links, Story } from './story.ts';

/** The `external_id` of the check that only waits for a training; the first report of a run takes it over. */
export const untrained = 'untrained';

/**
 * Brings the check `metrics: <pipeline>` to where the story stands. An unfinished one of this run, or the one that only waited,
 * is patched; a completed one that says the same stays, and a new verdict makes a new one, since none can be reopened.
 * Two requests.
 */
export async function putCheck(story: Story, { github, links, inputs }: ReportParts): Promise<CheckRun> {
  const checks = new CheckRuns(github);
  const key = {
    sha: story.sha,
    name: metricsCheckName(story.pipeline),
    externalId: story.stored ? checkExternalId(story.stored) : 'files',
  };
  const state = stateOf(story);
  const all = await checks.list(key.sha, key.name);
  const open = all.find((check) => !check.completed && (check.externalId === key.externalId || check.externalId === untrained));
  const text = (): CheckText => ({
    ...textOf(story, links, inputs.command),
    // Each request adds its own to the check: only the one that concludes it has any.
    ...('conclusion' in state && state.conclusion !== 'cancelled' ? { annotations: annotationsOf(story) } : {}),
  });
  if (open) return checks.put({ ...key, id: open.id }, state, text());
  const newest = all[0];
  const isSaid = newest?.externalId === key.externalId && 'conclusion' in state && newest.conclusion === state.conclusion;
  return newest && isSaid ? newest : checks.create(key, state, text());
}

/** What the check concludes. GitHub counts neutral and skipped as passed: nothing without an answer may be either. */
export function stateOf({ state, verdict, noBaseline }: Pick<Story, 'state' | 'verdict' | 'noBaseline'>): CheckState {
  if (!isEnded(state)) return { status: state === 'queued' ? 'queued' : 'in_progress' };
  if (state === 'cancelled') return { conclusion: 'cancelled' };
  if (state !== 'succeeded' || verdict === undefined) return { conclusion: 'failure' };
  return { conclusion: conclusionOfVerdict(verdict, noBaseline) };
}

function textOf(story: Story, links: Links, command: string): CheckText {
  const { words, plain } = headline(story);
  // GitHub draws no Mermaid in the text of checks.
  const sections = reportSections(story, [], links, { charts: 'none', command });
  return { title: plain === undefined ? words : `${words}: ${plain}`, summary: fit(sections, checkTextLimit, 'bytes').text };
}
