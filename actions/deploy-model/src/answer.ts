import { ActionError, messageOf } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { answerCommand, correctAnswer } from '@slashtrain/core/github/answer';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { clip, code, escapeText, fence } from '@slashtrain/core/markdown/markdown';
import { TakenBack } from './deploy.ts';
import type { NewInputs, RollbackInputs } from './inputs.ts';

const longest = 2000;

/** What telling works with. */
export interface AnswerParts {
  host: Host;
  context: GitHubContext;
  github: GitHub;
}

/**
 * Deploys, and says on the pull request why it came to nothing: the deployment that GitHub shows there says it in 140
 * characters, and one that was refused has none. What succeeds needs no words of ours, unless an earlier attempt's stand there.
 */
export async function tellWhoAsked(
  { pullRequest, commentId, environment, name, dryRun }: NewInputs | RollbackInputs,
  { host, context, github }: AnswerParts,
  deploy: () => Promise<void>,
): Promise<void> {
  const where =
    pullRequest === undefined || dryRun ? undefined : { pullRequest, context, ...(commentId === undefined ? {} : { commentId }) };
  try {
    await deploy();
  } catch (error) {
    const cause = error instanceof TakenBack ? error.cause : error;
    // Whoever cancels it knows, and 5 seconds are few.
    if (where && !host.signal.aborted) {
      const now = error instanceof TakenBack ? (error.now ?? 'another step has the environment in hand') : undefined;
      const log = `${context.serverUrl}/${context.owner}/${context.repo}/actions/runs/${context.runId}`;
      await answerCommand(github, where, failureMarkdown({ name, environment, cause, now, log }), host.log);
    }
    throw cause;
  }
  if (where) await correctAnswer(github, where, `Deployed by attempt ${context.runAttempt} of the workflow run.`, host.log);
}

/** Why nothing was deployed. All of it but `log` is hostile text. */
export function failureMarkdown(told: { name: string; environment: string; cause: unknown; now: string | undefined; log: string }): string {
  const { name, environment, cause, now, log } = told;
  const [first = '', ...more] = clip(messageOf(cause), longest).split('\n');
  const remedy = cause instanceof ActionError && cause.remedy !== undefined ? ` ${sentence(cause.remedy)}` : '';
  return [
    `**${code(name)} was not deployed to ${code(environment)}:** ${sentence(first)}${remedy}`,
    ...(more.length === 0 ? [] : [fence(more.join('\n'))]),
    `${now === undefined ? 'Nothing was changed.' : sentence(now)} [Log](${log})`,
  ].join('\n\n');
}

function sentence(text: string): string {
  const escaped = escapeText(clip(text, longest));
  return `${escaped.charAt(0).toUpperCase()}${escaped.slice(1)}${/[.!?]$/u.test(escaped) ? '' : '.'}`;
}
