import { ActionError } from '@slashtrain/core/action/errors';
import type { Command } from '@slashtrain/core/config/types';
import { listComments, type Comment } from '@slashtrain/core/github/comments';
import type { Ask } from './ask.ts';
import { parseCommand, type ParsedCommand } from './bind.ts';
import { choose } from './choose.ts';
import { decideCommit, type Commit, type HeadParts } from './head.ts';
import { findCommandLines } from './find.ts';
import { Refusal } from './refusal.ts';
import { printCommand } from './usage.ts';
import { guardOf } from './who.ts';

/** A command that waited for a second person. */
export interface Pending {
  ask: Ask;
  parsed: ParsedCommand;
  commit: Commit;
}

const mostCandidates = 10;

/**
 * Finds the command that `/confirm <sha>` means: written before it by somebody else, unedited, on this pull request, when
 * `sha` was its head. Everything about it is checked again from what GitHub has, as if it had just been written; `allow`
 * checks its author. Our own reply is no proof of anything: whoever may write could edit it.
 * @throws Refusal `not-found`, or `input` where several different commands wait
 */
export async function findPending(
  confirm: { ask: Ask; sha: string; comment: number | undefined },
  commands: ReadonlyMap<string, Command>,
  allow: (ask: Ask, parsed: ParsedCommand) => Promise<void>,
  parts: HeadParts,
): Promise<Pending> {
  const { ask, sha, comment } = confirm;
  const earlier = (await listComments(parts.github, ask.pullRequest!)).filter(
    (one) => one.id < ask.id! && (comment === undefined || one.id === comment) && one.author?.id !== ask.person?.id,
  );
  const waiting: Pending[] = [];
  const refused: unknown[] = [];
  for (const one of earlier.reverse()) {
    const candidate = await read(one, ask.pullRequest!, commands);
    if (!candidate || waiting.length + refused.length >= mostCandidates) continue;
    try {
      await allow(candidate.ask, candidate.parsed);
      const commit = await decideCommit(candidate.ask, candidate.parsed, parts);
      if (commit.sha === sha) waiting.push({ ...candidate, commit });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.push(error);
    }
  }
  const [found] = waiting;
  if (!found) {
    throw new Refusal('not-found', `no command of another person waits to be confirmed at ${sha}`, {
      remedy: 'name the head in full, as the reply to the command does',
      cause: refused[0],
    });
  }
  if (new Set(waiting.map(({ parsed }) => textOf(parsed))).size > 1) {
    throw new Refusal('input', 'several commands wait to be confirmed', {
      remedy: 'name the one that is meant',
      shown: waiting.map((one) => `/confirm ${sha} comment=${one.ask.id}    ${textOf(one.parsed)}`).join('\n'),
    });
  }
  return found;
}

async function read(
  comment: Comment,
  pullRequest: number,
  commands: ReadonlyMap<string, Command>,
): Promise<Omit<Pending, 'commit'> | undefined> {
  const { author, createdAt, updatedAt } = comment;
  if (!author || author.type !== 'User' || createdAt !== updatedAt) return undefined;
  try {
    const chosen = choose(await findCommandLines(comment.body), commands);
    if (!chosen) return undefined;
    const parsed = parseCommand(chosen.line.text, chosen.command);
    if (!guardOf(parsed).confirm) return undefined;
    return {
      parsed,
      ask: {
        via: 'comment',
        text: comment.body,
        person: { login: author.login, id: author.id, isBot: false },
        pullRequest,
        id: comment.id,
        at: createdAt,
      },
    };
  } catch (error) {
    // What was not understood when it was written waits for nobody.
    if (error instanceof ActionError) return undefined;
    throw error;
  }
}

function textOf({ command, values }: ParsedCommand): string {
  return printCommand(command.name, values);
}
