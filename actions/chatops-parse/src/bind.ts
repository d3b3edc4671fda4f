import { allowedFor, parseValue } from '@slashtrain/core/config/arguments';
import { nearest } from '@slashtrain/core/config/near';
import type { Argument, ArgumentValue, Command } from '@slashtrain/core/config/types';
import { Refusal, pointAt } from './refusal.ts';
import { readTokens, type Given } from './tokens.ts';
import { usageOf } from './usage.ts';

/** A command that is understood. */
export interface ParsedCommand {
  command: Command;
  /** By argument: what was given, and the defaults of what was not. */
  values: ReadonlyMap<string, ArgumentValue>;
  /** The names that were given, in the schema's order. */
  given: readonly string[];
  /** The full SHA that the command is bound to, where it names one. */
  sha?: string;
  note?: string;
}

/** Every command takes it, by name alone: the commit that is meant. */
export const shaArgument: Argument = {
  name: 'sha',
  type: 'sha',
  description: 'The commit that is meant; the command is refused for any other',
  required: false,
};

/**
 * Reads a command's line by its schema. Each argument stands once, by name or by place, and is what its type says.
 * @throws Refusal `input` with a caret under the place, and the usage
 */
export function parseCommand(line: string, command: Command): ParsedCommand {
  try {
    return new Binder(line, command).bind();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal('input', error.message, {
      cause: error.cause,
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
      shown: `${error.shown}\n\nUsage: ${usageOf(command)}`,
    });
  }
}

class Binder {
  readonly #line: string;
  readonly #command: Command;
  readonly #known: ReadonlyMap<string, Argument>;
  readonly #values = new Map<string, ArgumentValue>();

  constructor(line: string, command: Command) {
    this.#line = line;
    this.#command = command;
    this.#known = new Map(
      [...command.arguments, ...(command.arguments.some(({ name }) => name === 'sha') ? [] : [shaArgument])].map((argument) => [
        argument.name,
        argument,
      ]),
    );
  }

  bind(): ParsedCommand {
    const { given, note } = readTokens(this.#line);
    let place = 0;
    for (let index = 0; index < given.length; index++) {
      const token = given[index]!;
      if (token.name === undefined) this.#positional(token, place++);
      else if (token.value !== undefined) this.#set(this.#argument(token.name, token), token.value, token);
      else if (this.#flag(token)) continue;
      else {
        const argument = this.#argument(token.name, token);
        const next = given[++index];
        if (next?.value === undefined || next.name !== undefined) {
          this.#refuse(token, `--${token.name} has no value`, `write --${token.name} VALUE, or ${token.name}="VALUE" for one with "="`);
        }
        this.#set(argument, next.value, { ...next, start: token.start });
      }
    }
    return this.#finish(note);
  }

  #finish(note: string | undefined): ParsedCommand {
    const ordered = this.#command.arguments.map((argument) => argument.name);
    const given = ordered.filter((name) => this.#values.has(name));
    const missing = this.#command.arguments.find((argument) => argument.required && !this.#values.has(argument.name));
    if (missing) {
      const end = this.#line.length;
      throw new Refusal('input', `the argument "${missing.name}" is missing; allowed: ${allowedFor(missing)}`, {
        shown: pointAt(`${this.#line}  `, end + 1, end + 2),
      });
    }
    const values = new Map<string, ArgumentValue>();
    for (const { name, default: fallback } of this.#command.arguments) {
      const value = this.#values.get(name) ?? fallback;
      if (value !== undefined) values.set(name, value);
    }
    const sha = this.#values.get('sha');
    return { command: this.#command, values, given, ...(typeof sha === 'string' ? { sha } : {}), ...(note ? { note } : {}) };
  }

  #positional(token: Given, place: number): void {
    const argument = this.#command.arguments[place];
    if (!argument) {
      const count = this.#command.arguments.length;
      this.#refuse(token, `/${this.#command.name} takes ${count === 0 ? 'no arguments' : `at most ${count} without a name`}`);
    }
    this.#set(argument, token.value!, token);
  }

  /** `--flag`, `--no-flag`. @returns false where the name is not a boolean's */
  #flag(token: Given): boolean {
    const own = this.#known.get(token.name!);
    if (own) {
      if (own.type !== 'boolean') return false;
      this.#set(own, 'true', token);
      return true;
    }
    const negated = token.name!.startsWith('no-') ? this.#known.get(token.name!.slice(3)) : undefined;
    if (negated?.type !== 'boolean') return false;
    this.#set(negated, 'false', token);
    return true;
  }

  #argument(name: string, token: Given): Argument {
    const argument = this.#known.get(name);
    if (argument) return argument;
    const near = nearest(name, this.#known.keys());
    const start = token.start + (token.dashed ? 2 : 0);
    return this.#refuse(
      { start, end: start + name.length },
      `/${this.#command.name} has no argument "${name}"${near ? `; did you mean "${near}"?` : ''}`,
      `allowed: ${[...this.#known.keys()].join(', ')}`,
    );
  }

  #set(argument: Argument, text: string, token: Given): void {
    if (this.#values.has(argument.name)) this.#refuse(token, `the argument "${argument.name}" is given twice`);
    const value = parseValue(argument, text);
    if (value === undefined) {
      const start = token.value === undefined ? token.start : token.valueStart;
      this.#refuse({ start, end: token.end }, `"${argument.name}" must be ${allowedFor(argument)}`);
    }
    this.#values.set(argument.name, value);
  }

  #refuse(token: Pick<Given, 'start' | 'end'>, message: string, remedy?: string): never {
    throw new Refusal('input', message, {
      shown: pointAt(this.#line, token.start, token.end),
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}
