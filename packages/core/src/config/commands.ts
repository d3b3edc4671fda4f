import { parseDuration } from '../action/duration.ts';
import { messageOf } from '../action/errors.ts';
import { checkValue } from './arguments.ts';
import { cancelCommand, commandDefaults } from './defaults.ts';
import type { Complain } from './read.ts';
import type { Argument, ArgumentType, Command, Guard, Permission } from './types.ts';
import { pointerOf, show } from './validate.ts';

interface GuardData {
  permission?: Permission;
  teams?: string[];
  confirm?: boolean;
  'wait-for'?: 'ci';
}

interface CommandData extends GuardData {
  description?: string;
  bots?: string[];
  arguments?: Record<string, ArgumentData>;
  environments?: Record<string, GuardData>;
  excludes?: string[];
  timeout?: string;
}

interface ArgumentData {
  type: ArgumentType;
  description?: string;
  required?: boolean;
  default?: unknown;
  options?: string[];
  min?: number;
  max?: number;
  pattern?: string;
}

/** The section `commands`, with `/cancel` where it is not in it. */
export function readCommands(section: Record<string, unknown>, problem: Complain): ReadonlyMap<string, Command> {
  const commands = new Map<string, Command>();
  for (const [name, data] of Object.entries(section)) commands.set(name, readCommand(name, data as CommandData, problem));
  if (!commands.has('cancel')) commands.set('cancel', cancelCommand);
  return commands;
}

function readCommand(name: string, data: CommandData, problem: Complain): Command {
  const guard = readGuard(data, commandDefaults);
  const environments = new Map(Object.entries(data.environments ?? {}).map(([key, own]) => [key, readGuard(own, guard)]));
  const given = Object.entries(data.arguments ?? {}).map(([key, own]) =>
    readArgument(key, own, pointerOf('commands', name, 'arguments', key), problem),
  );
  if (environments.size > 0 && given.some((argument) => argument.name === 'environment')) {
    problem(
      pointerOf('commands', name, 'arguments', 'environment'),
      'the argument "environment" is made from "environments"; leave one of them out',
    );
  }
  const environment: Argument = {
    name: 'environment',
    type: 'choice',
    description: 'Where to',
    required: true,
    options: [...environments.keys()],
  };
  const all = environments.size > 0 ? [environment, ...given] : given;
  checkNames(name, all, problem);
  return {
    ...commandDefaults,
    ...guard,
    name,
    description: data.description ?? '',
    bots: data.bots ?? [],
    arguments: all,
    environments,
    excludes: data.excludes ?? [],
    waitSeconds: data.timeout === undefined ? commandDefaults.waitSeconds : parseDuration(data.timeout, 'timeout'),
  };
}

function readGuard(data: GuardData, fallback: Guard): Guard {
  const waitFor = data['wait-for'] ?? fallback.waitFor;
  return {
    permission: data.permission ?? fallback.permission,
    teams: data.teams ?? fallback.teams,
    confirm: data.confirm ?? fallback.confirm,
    ...(waitFor === undefined ? {} : { waitFor }),
  };
}

function readArgument(name: string, data: ArgumentData, pointer: string, problem: Complain): Argument {
  const { type, description, options, min, max } = data;
  const only = (keyword: keyof ArgumentData, ...types: ArgumentType[]): void => {
    if (data[keyword] !== undefined && !types.includes(type)) {
      problem(`${pointer}/${keyword}`, `"${keyword}" means nothing for the type ${type}; allowed: it with ${types.join(', ')}`);
    }
  };
  only('options', 'choice', 'list');
  only('min', 'integer', 'number', 'string', 'list');
  only('max', 'integer', 'number', 'string', 'list');
  only('pattern', 'string', 'list');
  if (type === 'choice' && !options?.length) problem(pointer, `the choice "${name}" lacks "options"`);
  if (min !== undefined && max !== undefined && min > max)
    problem(`${pointer}/max`, `max is ${max} and min is ${min}; allowed: max from min on`);
  if (data.required && data.default !== undefined)
    problem(`${pointer}/default`, 'a required argument has no use for a default; leave one of them out');
  const pattern = data.pattern === undefined ? undefined : readPattern(data.pattern, `${pointer}/pattern`, problem);
  const argument: Argument = {
    name,
    type,
    required: data.required ?? false,
    ...(description === undefined ? {} : { description }),
    ...(options === undefined ? {} : { options }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(pattern === undefined ? {} : { pattern }),
  };
  if (data.default === undefined) return argument;
  const fault = checkValue(argument, data.default);
  if (fault !== undefined) problem(`${pointer}/default`, `the default of "${name}" is ${show(data.default)}; allowed: ${fault}`);
  return { ...argument, default: data.default as NonNullable<Argument['default']> };
}

function readPattern(source: string, pointer: string, problem: Complain): RegExp | undefined {
  try {
    return new RegExp(`^(?:${source})$`, 'u');
  } catch (error) {
    problem(pointer, `no regular expression (${messageOf(error)}); allowed: JavaScript's, flag u`);
    return undefined;
  }
}

/** Two names that differ by case or by - and _ alone would be taken for each other. */
function checkNames(command: string, given: readonly Argument[], problem: Complain): void {
  const seen = new Map<string, string>();
  for (const { name } of given) {
    const plain = name.toLowerCase().replaceAll('_', '-');
    const other = seen.get(plain);
    if (other !== undefined && other !== name) {
      problem(
        pointerOf('commands', command, 'arguments', name),
        `"${name}" and "${other}" can be taken for each other; rename one of them`,
      );
    }
    seen.set(plain, name);
  }
}
