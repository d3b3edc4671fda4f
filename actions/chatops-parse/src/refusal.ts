import { ActionError, type ErrorCode } from '@slashtrain/core/action/errors';

/** What else a person should see. */
export interface RefusalDetails {
  remedy?: string;
  cause?: unknown;
  /** Lines for a block of code: the command with a caret, usage, the command to write instead. Hostile text. */
  shown?: string;
}

/** A command that is not carried out, and why, in words for the person who wrote it. `message` is hostile text. */
export class Refusal extends ActionError {
  readonly shown: string | undefined;

  constructor(code: ErrorCode, message: string, details: RefusalDetails = {}) {
    super(code, message, details);
    this.shown = details.shown;
  }
}

const widest = 100;

/** The line with a caret under what is meant, cut to a window where it is long. */
export function pointAt(line: string, start: number, end: number): string {
  const clean = [...line].map((character) => (/[\s\p{C}]/u.test(character) ? ' ' : character));
  // Columns count code units; carets stand under characters.
  const from = [...line.slice(0, start)].length;
  const to = Math.max([...line.slice(0, end)].length, from + 1);
  const left = to - from > widest || from < widest / 2 ? Math.max(0, Math.min(from, from - widest / 2)) : from - widest / 2;
  const right = Math.min(clean.length, left + widest);
  const [before, after] = [left > 0 ? '…' : '', right < clean.length ? '…' : ''];
  const caret = ' '.repeat(before.length + from - left) + '^'.repeat(Math.max(1, Math.min(to, left + widest) - from));
  return `${before}${clean.slice(left, right).join('')}${after}\n${caret}`;
}
