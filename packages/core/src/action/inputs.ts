import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { parseDuration } from './duration.ts';
import { ActionError, messageOf } from './errors.ts';

/**
 * The inputs of an action, read strictly: what is not allowed is refused with the input's name,
 * its value and what is allowed; nothing is coerced and no typo is silently a default.
 */
export class Inputs {
  readonly #environment: NodeJS.ProcessEnv;

  /** @param environment the runner passes the input `kube-context` as `INPUT_KUBE-CONTEXT` */
  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
  }

  /** The text without white space around it, or undefined where it is empty. */
  text(name: string): string | undefined {
    return this.#environment[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`]?.trim() || undefined;
  }

  /** @throws ActionError `input` where it is empty */
  required(name: string): string {
    const value = this.text(name);
    if (value === undefined) {
      throw new ActionError('input', `input "${name}" is required and was not given`, { remedy: `add "${name}: …" under with:` });
    }
    return value;
  }

  /** `true` or `false`, and nothing else. */
  boolean(name: string, fallback: boolean): boolean {
    return this.choice(name, ['true', 'false'], fallback ? 'true' : 'false') === 'true';
  }

  /** One of `allowed`. */
  choice<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const value = this.text(name) ?? fallback;
    if (!(allowed as readonly string[]).includes(value)) throw refused(name, value, `one of ${allowed.join(', ')}`);
    return value as T;
  }

  /** A whole number between `min` and `max`, both included. */
  integer(name: string, range: { min?: number; max?: number } = {}): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = range;
    const number = /^-?(0|[1-9][0-9]*)$/u.test(value) ? Number(value) : Number.NaN;
    if (!Number.isSafeInteger(number) || number < min || number > max) {
      throw refused(name, value, max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`);
    }
    return number;
  }

  /** Seconds, from `90s`, `15m`, `2h`, `3d`. */
  duration(name: string): number | undefined {
    const value = this.text(name);
    return value === undefined ? undefined : parseDuration(value, `input "${name}"`);
  }

  /** A full commit SHA: 40 hexadecimal digits. A short one is refused, since it can be made to mean another commit. */
  sha(name: string): string | undefined {
    const value = this.text(name);
    if (value !== undefined && !/^[0-9a-f]{40}$/u.test(value))
      throw refused(name, value, 'a full commit SHA of 40 hexadecimal digits in lower case');
    return value;
  }

  /**
   * Text given directly or as a path of a file. One line that names an existing file is that file;
   * `with:` values are limited to what a command line holds, files are not.
   * @returns the text and, where it came from a file, its path as it was given
   */
  textOrFile(name: string, folder: string): { text: string; file?: string } | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (value.includes('\n')) return { text: value };
    try {
      return { text: readFileSync(isAbsolute(value) ? value : join(folder, value), 'utf8'), file: value };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      // A text such as "{a: 1}" is no path; something that looks like one must exist.
      if (/^[^\s{}[\]:]+\.[a-z0-9]+$/iu.test(value) || (code !== 'ENOENT' && code !== 'ENAMETOOLONG' && code !== 'ENOTDIR')) {
        throw new ActionError('input', `input "${name}" names the file "${value}", which cannot be read: ${messageOf(error)}`, {
          remedy: 'give a path below the workspace, after a step that checks the repository out',
          cause: error,
        });
      }
      return { text: value };
    }
  }

  /** The same inputs with some of them in other words. Lists and maps are passed on as YAML. */
  with(values: ReadonlyMap<string, unknown>): Inputs {
    const given = [...values].map(([name, value]): [string, string] => [
      `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
      typeof value === 'string' ? value : JSON.stringify(plain(value)),
    ]);
    return new Inputs({ ...this.#environment, ...Object.fromEntries(given) });
  }
}

function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), plain(item)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

/** What bad input gets: its name, its value and what is allowed. */
export function refused(name: string, value: string, allowed: string): ActionError {
  const shown = value.length > 200 ? `${value.slice(0, 200)}…` : value;
  return new ActionError('input', `input "${name}" is ${JSON.stringify(shown)}; allowed: ${allowed}`);
}
