import type { Host } from '@slashtrain/core/action/host';
import type { GitHubContext } from '@slashtrain/core/github/context';
import type { Ask } from './ask.ts';
import type { ParsedCommand } from './bind.ts';
import type { Commit } from './head.ts';

const names = ['command', 'pr-number', 'sha', 'head-ref', 'base-ref', 'base-sha', 'actor', 'is-fork', 'comment-id'];

/** The outputs as they are until everything is checked: nothing is matched. */
export function setNothing(host: Host, { runAttempt }: GitHubContext): void {
  host.setOutput('matched', 'false');
  for (const name of names) host.setOutput(name, '');
  host.setOutput('arguments', '{}');
  host.setOutput('attempt', String(runAttempt));
}

/** The outputs of a command that is carried out. An argument never becomes an output's name. */
export function setOutputs(
  host: Host,
  context: GitHubContext,
  { ask, parsed, commit }: { ask: Ask; parsed: ParsedCommand; commit: Commit },
): void {
  host.setOutput('command', parsed.command.name);
  host.setOutput('arguments', JSON.stringify(Object.fromEntries(parsed.values)));
  host.setOutput('pr-number', String(ask.pullRequest ?? ''));
  host.setOutput('sha', commit.sha);
  host.setOutput('head-ref', commit.headRef);
  host.setOutput('base-ref', commit.baseRef);
  host.setOutput('base-sha', commit.baseSha);
  host.setOutput('actor', ask.person?.login ?? context.actor);
  host.setOutput('is-fork', String(commit.isFork));
  host.setOutput('comment-id', ask.via === 'comment' ? String(ask.id) : '');
  host.setOutput('matched', 'true');
}
