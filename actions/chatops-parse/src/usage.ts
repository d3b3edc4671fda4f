import { allowedFor } from '@slashtrain/core/config/arguments';
import type { Argument, ArgumentValue, Command } from '@slashtrain/core/config/types';

/** `/train [epochs=<whole number from 1 to 100>] gpu=<a100|h100>` */
export function usageOf(command: Command): string {
  return [`/${command.name}`, ...command.arguments.map(formOf)].join(' ');
}

function formOf(argument: Argument): string {
  const form = argument.type === 'boolean' ? `--${argument.name}` : `${argument.name}=<${shortly(argument)}>`;
  return argument.required ? form : `[${form}]`;
}

function shortly({ type, options }: Argument): string {
  switch (type) {
    case 'choice':
      return options?.join('|') ?? type;
    case 'string':
      return 'text';
    case 'integer':
      return 'whole number';
    case 'sha':
      return 'full SHA';
    case 'list':
      return 'a,b,…';
    default:
      return type;
  }
}

/** A command's usage, what it is for and each of its arguments, as lines of plain text. */
export function helpFor(command: Command): string[] {
  return [
    usageOf(command),
    ...(command.description ? [`    ${command.description}`] : []),
    ...command.arguments.map((argument) => `    ${argument.name}: ${describeArgument(argument)}`),
    ...(command.permission === 'read' ? [] : [`    Needs: ${needs(command)}`]),
  ];
}

function describeArgument(argument: Argument): string {
  const fallback = argument.default === undefined ? '' : ` (${String(argument.default)} unless given)`;
  return `${argument.description ? `${argument.description}; ` : ''}${allowedFor(argument)}${argument.required ? ', required' : fallback}`;
}

function needs(command: Command): string {
  const teams = command.teams.length > 0 ? `, and to be in ${command.teams.join(' or ')}` : '';
  return `${command.permission} permission${teams}${command.confirm ? ', and a second person’s /confirm' : ''}`;
}

/** A command as somebody would write it, with each argument by its name. {@link parseCommand} reads it back. */
export function printCommand(command: string, values: Iterable<readonly [string, ArgumentValue]>, sha?: string): string {
  const parts = [`/${command}`];
  for (const [name, value] of values) {
    const text = Array.isArray(value) ? value.join(',') : String(value);
    parts.push(`${name}=${quote(text)}`);
  }
  if (sha !== undefined) parts.push(`sha=${sha}`);
  return parts.join(' ');
}

function quote(text: string): string {
  if (/^[^\s"'\\\u201c\u201d\u2018\u2019]+$/u.test(text)) return text;
  const escaped = text.replace(/["\\\n\t]/gu, (character) => ({ '\n': '\\n', '\t': '\\t' })[character] ?? `\\${character}`);
  return `"${escaped}"`;
}
