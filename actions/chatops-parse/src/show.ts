import { ActionError, messageOf } from '@slashtrain/core/action/errors';
import type { Command } from '@slashtrain/core/config/types';
import { clip, code, escapeText, fence, table } from '@slashtrain/core/markdown/markdown';
import type { ParsedCommand } from './bind.ts';
import type { Commit } from './head.ts';
import { Refusal } from './refusal.ts';
import { helpFor } from './usage.ts';

const longest = 2000;

/** Why nothing was started, as a reply's markdown. Everything in `error` is hostile text. */
export function showRefusal(error: unknown, runUrl: string, hint: string | undefined): string {
  if (!(error instanceof ActionError)) return `**Nothing was started:** the action failed, see [its log](${runUrl}).`;
  const shown = error instanceof Refusal ? error.shown : undefined;
  const remedy = error.remedy === undefined ? '' : ` ${sentence(error.remedy, shown === undefined ? '.' : ':')}`;
  return [
    `**Nothing was started:** ${escapeText(clip(messageOf(error), longest))}.${remedy}`,
    ...(shown === undefined ? [] : [fence(clip(shown, longest))]),
    ...(hint === undefined ? [] : [`Note: ${escapeText(hint)}.`]),
  ].join('\n\n');
}

function sentence(text: string, end: string): string {
  const escaped = escapeText(clip(text, longest));
  return `${escaped.charAt(0).toUpperCase()}${escaped.slice(1)}${end}`;
}

/** The commands, or one of them, as a reply's markdown. */
export function showHelp(commands: Iterable<Command>, hint: string | undefined): string {
  const lines = [...commands].flatMap((command) => [...helpFor(command), '']);
  return [
    '**Commands.** Each on a line of its own; `name=value`, or values in this order; text with spaces in quotes; after ` | ` a note.',
    fence(lines.join('\n').trimEnd()),
    ...(hint === undefined ? [] : [`Note: ${escapeText(hint)}.`]),
  ].join('\n\n');
}

/** What was understood, for the step's summary. */
export function showAccepted({ command, values }: ParsedCommand, commit: Commit, actor: string): string {
  const rows = [...values].map(([name, value]) => [code(name), code(Array.isArray(value) ? value.join(',') : String(value))]);
  return [
    `### /${command.name}\n\nAsked by ${code(actor)} at ${code(commit.sha)}${commit.headRef ? ` of ${code(commit.headRef)}` : ''}.`,
    ...(rows.length > 0 ? [table(['Argument', 'Value'], rows)] : []),
  ].join('\n\n');
}

/** That a second person is waited for. */
export function showWaiting({ command }: ParsedCommand, commit: Commit, permission: string, commentId: number): string {
  return [
    `**/${command.name} waits for a second person** with ${permission} permission, who writes:`,
    fence(`/confirm ${commit.sha} comment=${commentId}`),
  ].join('\n\n');
}

/** That a second person was found. */
export function showConfirmed(login: string): string {
  return `Confirmed by ${code(login)}.`;
}
