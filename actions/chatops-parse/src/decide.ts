import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '@slashtrain/core/action/host';
import type { Command, Guard, SlashtrainConfig } from '@slashtrain/core/config/types';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import type { Ask } from './ask.ts';
import type { ParsedCommand } from './bind.ts';
import { waitForCi } from './ci.ts';
import { findPending } from './confirm.ts';
import { decideCommit, type Commit, type HeadParts } from './head.ts';
import { Refusal } from './refusal.ts';
import { checkPerson, guardOf, isNamedBot } from './who.ts';

/** A command that may be carried out: whose it is, what it says, and on which commit. */
export interface Decision {
  /** Of `/confirm`, what the first person asked. */
  ask: Ask;
  parsed: ParsedCommand;
  commit: Commit;
}

/** What a decision is made with. */
export interface DecisionParts {
  host: Host;
  context: GitHubContext;
  github: GitHub;
  config: SlashtrainConfig;
  commands: ReadonlyMap<string, Command>;
  /** Opens GitHub with `org-token`; absent where it was not given. */
  openOrg?: () => Promise<GitHub>;
}

/**
 * Decides who, on which commit, and whether all that a command asks for beforehand holds.
 * @returns `waits` where a second person has to confirm it
 * @throws Refusal
 */
export async function decide(ask: Ask, parsed: ParsedCommand, parts: DecisionParts): Promise<Decision & { waits: boolean }> {
  const pause = (milliseconds: number): Promise<void> => sleep(milliseconds, undefined, { signal: parts.host.signal });
  const head: HeadParts = { github: parts.github, forks: parts.config.forks, pause };
  const decision = parsed.command.name === 'confirm' ? await confirm(ask, parsed, parts, head) : await check(ask, parsed, parts, head);
  if (!decision.waits) await passCi(decision, parts, head);
  return decision;
}

async function check(ask: Ask, parsed: ParsedCommand, parts: DecisionParts, head: HeadParts): Promise<Decision & { waits: boolean }> {
  const guard = guardOf(parsed);
  await admit(ask, parsed.command, guard, parts);
  const commit = await decideCommit(ask, parsed, head);
  if (guard.confirm && ask.via !== 'comment') {
    throw new Refusal(
      'permission',
      `/${parsed.command.name} needs a second person, so it has to be written as a comment of the conversation`,
    );
  }
  return { ask, parsed, commit, waits: guard.confirm };
}

async function confirm(ask: Ask, parsed: ParsedCommand, parts: DecisionParts, head: HeadParts): Promise<Decision & { waits: boolean }> {
  if (ask.via !== 'comment') throw new Refusal('input', '/confirm works in a comment of the conversation alone');
  const comment = parsed.values.get('comment');
  const request = { ask, sha: parsed.sha ?? '', comment: typeof comment === 'number' ? comment : undefined };
  const allow = (first: Ask, waiting: ParsedCommand): Promise<void> => admit(first, waiting.command, guardOf(waiting), parts);
  const pending = await findPending(request, parts.commands, allow, head);
  await admit(ask, pending.parsed.command, guardOf(pending.parsed), parts);
  return { ...pending, waits: false };
}

/** Checks who asks; at a re-run also who started it again, which need not be the same. */
async function admit(ask: Ask, command: Command, guard: Guard, { github, context, openOrg }: DecisionParts): Promise<void> {
  const { person } = ask;
  if (!person) return;
  const org = guard.teams.length > 0 ? await openOrg?.() : undefined;
  if (!person.isBot) await checkPerson(github, person, command.name, guard, org);
  const { runAttempt, triggeringActor } = context;
  if (runAttempt === 1 || triggeringActor.toLowerCase() === person.login.toLowerCase()) return;
  const again = { login: triggeringActor, isBot: triggeringActor.endsWith('[bot]') };
  if (!isNamedBot(again, command)) await checkPerson(github, again, command.name, guard, org);
}

async function passCi({ ask, parsed, commit }: Decision, { host, context, github }: DecisionParts, head: HeadParts): Promise<void> {
  if (guardOf(parsed).waitFor !== 'ci') return;
  const { excludes, waitSeconds: seconds } = parsed.command;
  const waited = await waitForCi(commit.sha, { excludes, seconds }, { github, runId: context.runId, now: host.now, pause: head.pause });
  if (!waited) return;
  // Minutes have gone by.
  const { sha } = await decideCommit(ask, parsed, head);
  if (sha !== commit.sha) {
    throw new Refusal('mismatch', `while the checks of ${commit.sha} ran, the head became ${sha}`, { remedy: 'write the command again' });
  }
}
