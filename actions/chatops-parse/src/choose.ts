import { nearest } from '@slashtrain/core/config/near';
import type { Command, SlashtrainConfig } from '@slashtrain/core/config/types';
import { commandDefaults } from '@slashtrain/core/config/defaults';
import type { CommandLine } from './find.ts';
import { Refusal } from './refusal.ts';

/** `/help [command]`, which is always there. */
export const helpCommand: Command = {
  ...commandDefaults,
  name: 'help',
  description: 'Show the commands, or one of them',
  permission: 'read',
  arguments: [{ name: 'command', type: 'string', description: 'Which', required: false, max: 40 }],
};

/** `/confirm <full SHA>`, which is there where a command asks for a second person. Who may is that command's matter. */
export const confirmCommand: Command = {
  ...commandDefaults,
  name: 'confirm',
  description: 'Confirm the command that waits for a second person',
  permission: 'read',
  arguments: [
    { name: 'sha', type: 'sha', description: 'The commit, in full', required: true },
    { name: 'comment', type: 'integer', description: 'The comment with the command, where several wait', required: false, min: 1 },
  ],
};

/** All commands of a configuration, the built-in ones at the end. */
export function commandsOf(config: SlashtrainConfig): ReadonlyMap<string, Command> {
  const own = [...config.commands.values()];
  const confirmed = own.some((command) => command.confirm || [...command.environments.values()].some((guard) => guard.confirm));
  return new Map([...own, helpCommand, ...(confirmed ? [confirmCommand] : [])].map((command) => [command.name, command]));
}

/** One line that is meant for us, and the command it names; none where the name is not quite one. */
export interface Chosen {
  line: CommandLine;
  command: Command;
}

/**
 * Picks the line that is meant for us. What is no command of ours, nor nearly one, belongs to another bot.
 * @returns undefined where there is none
 * @throws Refusal `input` where there are two, or where a name is nearly one of ours
 */
export function choose(lines: readonly CommandLine[], commands: ReadonlyMap<string, Command>): Chosen | undefined {
  const ours = lines.filter(({ word }) => commands.has(word) || nearlyOne(word, commands) !== undefined);
  const [line, second] = ours;
  if (!line) return undefined;
  if (second) {
    throw new Refusal('input', `there are ${ours.length} commands in one comment: ${ours.map(({ word }) => `/${word}`).join(', ')}`, {
      remedy: 'write one command a comment',
      shown: ours.map(({ text }) => text).join('\n'),
    });
  }
  if (line.hides) {
    throw new Refusal('input', `the line of /${line.word} holds an HTML comment, which nobody sees`, {
      remedy: 'write the command without it',
    });
  }
  const command = commands.get(line.word);
  if (command) return { line, command };
  const near = nearlyOne(line.word, commands);
  throw new Refusal('input', `there is no command /${line.word}; did you mean /${near}?`, {
    remedy: '/help shows the commands',
    shown: `/${near}${line.text.slice(line.word.length + 1)}`,
  });
}

// "/train." and "/Train" are meant for us; "/train-all" is another's.
function nearlyOne(word: string, commands: ReadonlyMap<string, Command>): string | undefined {
  const plain = word.replace(/[.,;:!?]+$/u, '');
  return /^[A-Za-z][A-Za-z0-9_-]*$/u.test(plain) ? nearest(plain, commands.keys()) : undefined;
}
