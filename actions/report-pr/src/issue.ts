import { ActionError } from '@slashtrain/core/action/errors';
import type { GitHub } from '@slashtrain/core/github/client';
import { commentLimit, createComment, markerOf } from '@slashtrain/core/github/comments';
import { readViewer } from '@slashtrain/core/github/viewer';
import { isEnded } from '@slashtrain/core/run/state';
import { stateOf } from './check.ts';
import { bodyOf, type ReportParts } from './comment.ts';
import { headline } from './report/headline.ts';
import type { Story } from './story.ts';

/** By which our issues are listed; a marker and the author make sure. */
const label = 'slashtrain';

/** An issue that a report is kept in. */
export interface KeptIssue {
  number: number;
  htmlUrl: string;
  state: 'open' | 'closed';
}

/**
 * Keeps one issue of a pipeline: opened with the report when it does not pass, kept up to date for as long as that is so, and
 * closed when it passes again. Of several of ours the oldest stays.
 * @returns undefined where nothing is wrong and no issue is open
 */
export async function keepIssue(story: Story, report: ReportParts): Promise<KeptIssue | undefined> {
  if (!isEnded(story.state)) return undefined;
  const { github } = report;
  const marker = markerOf('issue', story.pipeline);
  const body = `${marker}\n${await bodyOf(story, [], report, commentLimit - marker.length - 1)}`;
  const title = `${story.title.replaceAll(/\s+/gu, ' ').slice(0, 100)}: ${headline(story).words}`;
  const [oldest, ...others] = await ours(github, marker);
  const state = stateOf(story);
  const isGood = 'conclusion' in state && state.conclusion === 'success';
  for (const { number } of others) await close(github, number);
  if (oldest === undefined) return isGood ? undefined : open(github, title, body);
  const { data } = await write(() =>
    github.rest.issues.update({
      ...github.at,
      issue_number: oldest.number,
      title,
      body,
      ...(isGood ? { state: 'closed' as const, state_reason: 'completed' as const } : {}),
    }),
  );
  if (isGood) await createComment(github, oldest.number, `It passes again at ${story.sha}.`);
  return { number: data.number, htmlUrl: data.html_url, state: isGood ? 'closed' : 'open' };
}

/** Open issues of ours with the marker, the oldest first. */
async function ours(github: GitHub, marker: string): Promise<{ number: number }[]> {
  const viewer = await readViewer(github);
  const all = await github.paginate(github.rest.issues.listForRepo, { ...github.at, state: 'open', labels: label, per_page: 100 });
  return all.filter(({ user, body }) => user?.id === viewer.id && body?.startsWith(`${marker}\n`)).sort((a, b) => a.number - b.number);
}

async function open(github: GitHub, title: string, body: string): Promise<KeptIssue> {
  const { data } = await write(() => github.rest.issues.create({ ...github.at, title, body, labels: [label] }));
  return { number: data.number, htmlUrl: data.html_url, state: 'open' };
}

async function close(github: GitHub, number: number): Promise<void> {
  await write(() => github.rest.issues.update({ ...github.at, issue_number: number, state: 'closed', state_reason: 'not_planned' }));
}

/** @throws ActionError `permission` with the line that is missing */
async function write<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof ActionError && error.code === 'permission') {
      throw new ActionError('permission', 'missing permission "issues: write" for input "issue"', {
        remedy: 'add issues: write under permissions: in the job',
        cause: error,
      });
    }
    throw error;
  }
}
