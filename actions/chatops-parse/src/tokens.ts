import { Refusal, pointAt } from './refusal.ts';

/** One argument as it was written. Columns count from the slash, in code units. */
export interface Given {
  /** As written before `=`, or after `--`; absent for a positional one. */
  name?: string;
  /** Whether it began with `--`. */
  dashed: boolean;
  /** Unquoted and unescaped; absent for `--name` alone. */
  value?: string;
  quoted: boolean;
  start: number;
  end: number;
  /** Where the value begins. */
  valueStart: number;
}

/** A command's line, taken apart and not yet understood. */
export interface Tokens {
  word: string;
  given: Given[];
  /** What follows ` | `: for people. */
  note?: string;
}

// Everything that looks like a space, the carriage return among them.
const space = /[\s\u00a0]/u;
const name = /[A-Za-z][A-Za-z0-9_-]*/uy;
// What cannot be seen could make a value another than the one that was read: format and control characters.
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u;
const escapes: ReadonlyMap<string, string> = new Map([
  ['\\', '\\'],
  ['"', '"'],
  ["'", "'"],
  ['n', '\n'],
  ['t', '\t'],
]);

/**
 * Takes a command's line apart, in one pass.
 * @throws Refusal `input` with a caret under the place
 */
export function readTokens(line: string): Tokens {
  return new Reader(line).read();
}

class Reader {
  readonly #line: string;
  #at = 1;

  constructor(line: string) {
    this.#line = line;
  }

  read(): Tokens {
    const word = this.#takeWhile((character) => !space.test(character));
    const given: Given[] = [];
    for (;;) {
      this.#takeWhile((character) => space.test(character));
      if (this.#at >= this.#line.length) return { word, given };
      if (this.#line[this.#at] === '|' && this.#endsAt(this.#at + 1)) {
        return { word, given, note: this.#line.slice(this.#at + 1).trim() };
      }
      given.push(this.#given());
    }
  }

  #given(): Given {
    const start = this.#at;
    const dashed = this.#line.startsWith('--', start);
    name.lastIndex = start + (dashed ? 2 : 0);
    const found = name.exec(this.#line)?.[0];
    const after = name.lastIndex;
    if (found !== undefined && this.#line[after] === '=') {
      this.#at = after + 1;
      return { name: found, dashed, ...this.#value(`${found}=`), start, end: this.#at, valueStart: after + 1 };
    }
    if (dashed) {
      if (found === undefined || !this.#endsAt(after)) {
        this.#takeWhile((character) => !space.test(character));
        this.#refuse(start, this.#at, 'an argument’s name was expected here', 'write it as name=value, --name value or --name=value');
      }
      this.#at = after;
      return { name: found, dashed, quoted: false, start, end: after, valueStart: after };
    }
    return { dashed, ...this.#value(''), start, end: this.#at, valueStart: start };
  }

  #value(before: string): { value: string; quoted: boolean } {
    const quote = this.#line[this.#at];
    if (quote === '"' || quote === "'") return { value: this.#quoted(quote), quoted: true };
    const start = this.#at;
    const value = this.#takeWhile((character) => !space.test(character));
    if (value === '') this.#refuse(start - before.length, start, `${before} has no value`, `write ${before}"" for an empty text`);
    const odd = /["'\\\u201c\u201d\u2018\u2019]/u.exec(value);
    if (odd) {
      const place = start + odd.index;
      const curly = odd[0] > '\u007f';
      const remedy = curly ? 'write plain quotes, " or \'' : `put the whole value in quotes, such as ${before}"a b"`;
      this.#refuse(place, place + 1, `${odd[0]} cannot stand in a value without quotes`, remedy);
    }
    this.#seen(start, this.#at);
    return { value, quoted: false };
  }

  #quoted(quote: string): string {
    const start = this.#at;
    let value = '';
    for (let at = start + 1; at < this.#line.length; at++) {
      const character = this.#line[at]!;
      if (character === quote) {
        this.#at = at + 1;
        if (!this.#endsAt(this.#at)) this.#refuse(this.#at, this.#at + 1, 'a space was expected after the quote');
        this.#seen(start, at);
        return value;
      }
      if (character === '\\') {
        const meant = escapes.get(this.#line[++at] ?? '');
        if (meant === undefined) {
          this.#refuse(at - 1, at + 1, `\\${this.#line[at] ?? ''} means nothing`, 'allowed: \\\\, \\", \\\', \\n and \\t');
        }
        value += meant;
      } else {
        value += character;
      }
    }
    return this.#refuse(start, start + 1, `this quote is never closed`, `write ${quote} at the end of the value`);
  }

  /** Refuses what cannot be seen between two columns. */
  #seen(start: number, end: number): void {
    const found = invisible.exec(this.#line.slice(start, end).replaceAll('\t', ' '));
    if (!found) return;
    const code = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    this.#refuse(start + found.index, start + found.index + 1, `the character U+${code} cannot be seen`, 'write the value without it');
  }

  #endsAt(at: number): boolean {
    return at >= this.#line.length || space.test(this.#line[at]!);
  }

  #takeWhile(fits: (character: string) => boolean): string {
    const start = this.#at;
    while (this.#at < this.#line.length && fits(this.#line[this.#at]!)) this.#at++;
    return this.#line.slice(start, this.#at);
  }

  #refuse(start: number, end: number, message: string, remedy?: string): never {
    throw new Refusal('input', message, { shown: pointAt(this.#line, start, end), ...(remedy === undefined ? {} : { remedy }) });
  }
}
