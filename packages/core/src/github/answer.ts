import { describe } from '../action/errors.ts';
import type { Log } from '../action/log.ts';
import type { GitHub } from './client.ts';
import { correctComment, createComment, keepComment, markerOf } from './comments.ts';
import type { GitHubContext } from './context.ts';

/** A command on a pull request, which may be answered once. */
export interface Asked {
  pullRequest: number;
  /** Of the comment that holds the command; absent where it was none, then the workflow run is what is answered. */
  commentId?: number;
  context: Pick<GitHubContext, 'runId' | 'runAttempt'>;
}

/**
 * Says on the pull request what became of a command: one comment, found again by later attempts of the workflow run. What
 * cannot be written is a warning in the log: it must not hide why there is something to say.
 *
 * Requests: 1 in a first attempt, up to 4 in a later one.
 */
export async function answerCommand(github: GitHub, asked: Asked, markdown: string, log: Log): Promise<void> {
  const marker = answerMarker(asked);
  await attempt(log, async () => {
    if (asked.context.runAttempt > 1) await keepComment(github, asked.pullRequest, marker, markdown);
    else await createComment(github, asked.pullRequest, `${marker}\n${markdown}`);
  });
}

/** Changes an answer that an earlier attempt left; writes none where there is none, and asks nothing in a first attempt. */
export async function correctAnswer(github: GitHub, asked: Asked, markdown: string, log: Log): Promise<void> {
  if (asked.context.runAttempt <= 1) return;
  const marker = answerMarker(asked);
  await attempt(log, () => correctComment(github, asked.pullRequest, marker, markdown));
}

function answerMarker({ commentId, context }: Asked): string {
  return commentId === undefined ? markerOf('reply', 'run', String(context.runId)) : markerOf('reply', 'comment', String(commentId));
}

async function attempt(log: Log, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    log.warning(`the pull request could not be told: ${describe(error)}`);
  }
}
