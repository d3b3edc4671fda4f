import { answerCommand } from '@slashtrain/core/github/answer';
import { escapeText } from '@slashtrain/core/markdown/markdown';
import type { ReportInputs } from './inputs.ts';
import type { Parts } from './main.ts';

/** Answers a command that came to nothing before there was a run: an image that could not be built has no record to tell of. */
export async function sayNotStarted(
  why: string,
  { pullRequest = 0, commentId }: Pick<ReportInputs, 'pullRequest' | 'commentId'>,
  { github, context, host }: Parts,
): Promise<void> {
  const { serverUrl, owner, repo, runId } = context;
  const text = `**Nothing was started:** ${escapeText(why)}, see [the log](${serverUrl}/${owner}/${repo}/actions/runs/${runId}).`;
  await host.summarise(text);
  await answerCommand(github, { pullRequest, context, ...(commentId === undefined ? {} : { commentId }) }, text, host.log);
}
