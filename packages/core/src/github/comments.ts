import { ActionError } from '../action/errors.ts';
import type { GitHub } from './client.ts';
import { isNotFound } from './failures.ts';
import { readViewer } from './viewer.ts';

/** The longest body that GitHub takes, in characters. */
export const commentLimit = 65_536;

/** A comment of a pull request's conversation. `body` is hostile text. */
export interface Comment {
  id: number;
  body: string;
  htmlUrl: string;
  /** Absent where the account is gone. */
  author?: { id: number; login: string; type: string };
  /** ISO 8601 */
  createdAt: string;
  updatedAt: string;
}

interface RawComment {
  id: number;
  body?: string | undefined;
  html_url: string;
  user: { id: number; login: string; type: string } | null;
  created_at: string;
  updated_at: string;
}

function toComment(raw: RawComment): Comment {
  return {
    id: raw.id,
    body: raw.body ?? '',
    htmlUrl: raw.html_url,
    ...(raw.user ? { author: { id: raw.user.id, login: raw.user.login, type: raw.user.type } } : {}),
    createdAt: raw.created_at,
    updatedAt: raw.updated_at,
  };
}

/** All comments, oldest first, however many pages there are. */
export async function listComments(github: GitHub, number: number): Promise<Comment[]> {
  const all = await github.paginate(github.rest.issues.listComments, { ...github.at, issue_number: number, per_page: 100 });
  return all.map(toComment);
}

/** Sent once: after a lost answer it may be there or not. */
export async function createComment(github: GitHub, number: number, body: string): Promise<Comment> {
  return toComment((await github.rest.issues.createComment({ ...github.at, issue_number: number, body })).data);
}

/** @throws ActionError `not-found` where it was deleted */
export async function updateComment(github: GitHub, id: number, body: string): Promise<Comment> {
  return toComment((await github.rest.issues.updateComment({ ...github.at, comment_id: id, body })).data);
}

/** Not an error where it is gone. */
export async function deleteComment(github: GitHub, id: number): Promise<void> {
  try {
    await github.rest.issues.deleteComment({ ...github.at, comment_id: id });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/**
 * The first line of a sticky comment, by which it is found again. It shows nothing.
 * @param parts plain words such as `['report', 'digits']`
 */
export function markerOf(...parts: string[]): string {
  for (const part of parts) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/u.test(part) || part.includes('--'))
      throw new ActionError('internal', `"${part}" cannot stand in a comment's marker`);
  }
  return `<!-- slashtrain:${parts.join(':')} -->`;
}

/**
 * Keeps one comment of ours with `marker` up to date. Ours is what begins with the marker **and** was written by the account of
 * our token: anybody can write the marker. Comments have no compare-and-swap, so several writers may each make one; then the
 * oldest gets the text and all others of ours go, whoever comes last heals it.
 *
 * Requests: 3 for an update (who we are, one page of comments, the write), 4 for a new one.
 * @param body markdown without the marker, at most {@link commentLimit} characters with it
 */
export async function keepComment(github: GitHub, number: number, marker: string, body: string): Promise<Comment> {
  const text = `${marker}\n${body}`;
  const viewer = await readViewer(github);
  const ours = async (): Promise<Comment[]> =>
    (await listComments(github, number))
      .filter((comment) => comment.author?.id === viewer.id && isMarked(comment.body, marker))
      .sort((a, b) => a.id - b.id);

  let created: Comment | undefined;
  let lost: unknown;
  for (let round = 0; round < 4; round++) {
    const [oldest, ...others] = await ours();
    if (oldest === undefined) {
      try {
        created = await createComment(github, number, text);
        lost = undefined;
      } catch (error) {
        // The answer may be lost and the comment there: look before another is made.
        if (!(error instanceof ActionError) || error.code !== 'unreachable' || lost !== undefined) throw error;
        lost = error;
      }
      continue;
    }
    try {
      const kept = oldest.id === created?.id ? created : await updateComment(github, oldest.id, text);
      for (const other of others) await deleteComment(github, other.id);
      return kept;
    } catch (error) {
      // Somebody deleted it in between: look again.
      if (!isNotFound(error)) throw error;
      created = undefined;
    }
  }
  throw new ActionError('conflict', `the comment "${marker}" on #${number} is deleted each time it is written`, { cause: lost });
}

/** Changes our comment with `marker`; writes none where there is none. Requests: 2, and 1 for the write. */
export async function correctComment(github: GitHub, number: number, marker: string, body: string): Promise<void> {
  const viewer = await readViewer(github);
  const comments = await listComments(github, number);
  const ours = comments.find((comment) => comment.author?.id === viewer.id && isMarked(comment.body, marker));
  if (ours) await updateComment(github, ours.id, `${marker}\n${body}`);
}

function isMarked(body: string, marker: string): boolean {
  return body === marker || body.startsWith(`${marker}\n`) || body.startsWith(`${marker}\r\n`);
}
