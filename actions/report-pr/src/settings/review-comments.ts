import { ActionError } from '@slashtrain/core/action/errors';
import type { GitHub } from '@slashtrain/core/github/client';
import { isNotFound } from '@slashtrain/core/github/failures';
import { readViewer } from '@slashtrain/core/github/viewer';

/** A comment on lines of a pull request's new side. */
export interface LineComment {
  path: string;
  /** Its lines are those of this commit of the pull request. */
  sha: string;
  /** Both counted from 1. */
  firstLine: number;
  lastLine: number;
  /** Markdown, without the marker. */
  body: string;
}

interface Ours {
  id: number;
  body: string;
  htmlUrl: string;
  path: string;
  /** Null where one of the lines was changed since: the comment is outdated, and a suggestion in it cannot be taken. */
  line: number | null;
  startLine: number | null;
}

/**
 * Keeps one comment of ours with `marker` on lines, as `keepComment` does in the conversation: ours by marker **and** author,
 * updated where it stands on the same lines, else made anew. A comment cannot be moved, so one on other lines goes; outdated
 * ones stay, they are what was said about lines that are no more.
 *
 * Requests: 2 where there is nothing to do, 3 for an update, 4 for a new one.
 * @param wanted absent: there is nothing to say any more
 * @returns its address
 * @throws ActionError `input` where GitHub takes no comment on these lines, `permission` without `pull-requests: write`
 */
export async function keepLineComment(github: GitHub, number: number, marker: string, wanted?: LineComment): Promise<string | undefined> {
  const viewer = await readViewer(github);
  let created: string | undefined;
  let lost: unknown;
  for (let round = 0; round < 3; round++) {
    const ours = (await listOurs(github, number, marker, viewer.id)).filter(({ line }) => line !== null);
    const kept = wanted && ours.find((comment) => standsAt(comment, wanted));
    for (const other of ours) if (other !== kept) await remove(github, other.id);
    if (!wanted) return undefined;
    const body = `${marker}\n${wanted.body}`;
    if (kept) {
      if (kept.body !== body) await github.rest.pulls.updateReviewComment({ ...github.at, comment_id: kept.id, body });
      return kept.htmlUrl;
    }
    if (created !== undefined) return created;
    try {
      created = await create(github, number, wanted, body);
    } catch (error) {
      // The answer may be lost and the comment there: look before another is made.
      if (!(error instanceof ActionError) || error.code !== 'unreachable' || lost !== undefined) throw error;
      lost = error;
    }
  }
  throw new ActionError('conflict', `the comment "${marker}" on lines of #${number} is deleted each time it is written`, { cause: lost });
}

async function listOurs(github: GitHub, number: number, marker: string, author: number): Promise<Ours[]> {
  const all = await github.paginate(github.rest.pulls.listReviewComments, { ...github.at, pull_number: number, per_page: 100 });
  return all
    .filter(({ user, body }) => user?.id === author && (body.startsWith(`${marker}\n`) || body.startsWith(`${marker}\r\n`)))
    .map(({ id, body, html_url: htmlUrl, path, line, start_line: startLine }) => ({
      id,
      body,
      htmlUrl,
      path,
      line: line ?? null,
      startLine: startLine ?? null,
    }))
    .sort((a, b) => a.id - b.id);
}

function standsAt({ path, line, startLine }: Ours, wanted: LineComment): boolean {
  return path === wanted.path && line === wanted.lastLine && (startLine ?? line) === wanted.firstLine;
}

async function create(github: GitHub, number: number, wanted: LineComment, body: string): Promise<string> {
  const { path, sha, firstLine, lastLine } = wanted;
  const { data } = await github.rest.pulls.createReviewComment({
    ...github.at,
    pull_number: number,
    body,
    path,
    commit_id: sha,
    side: 'RIGHT',
    line: lastLine,
    // GitHub refuses a first line that is the last one as well.
    ...(firstLine === lastLine ? {} : { start_line: firstLine, start_side: 'RIGHT' as const }),
  });
  return data.html_url;
}

async function remove(github: GitHub, id: number): Promise<void> {
  try {
    await github.rest.pulls.deleteReviewComment({ ...github.at, comment_id: id });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
