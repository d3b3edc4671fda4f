import type { Writable } from 'node:stream';
import * as core from '@actions/core';
import { formsOf, Scrubber } from './scrub.ts';

/** Where an action's lines go. `text` may come from anywhere: it is neutralised before it is written. */
export interface Log {
  info(text: string): void;
  /** Shown alone when the workflow is run with debug logging. */
  debug(text: string): void;
  /** An annotation on the run's page. */
  notice(text: string): void;
  warning(text: string): void;
  error(text: string): void;
  /** Folds the lines until the matching {@link Log.endGroup}. */
  startGroup(title: string): void;
  endGroup(): void;
  /** Every later occurrence of `secret` in the log becomes `***`. Call it before the first line that could hold it. */
  mask(secret: string): void;
  /** Takes what was masked out of a value that leaves otherwise than by the log, encoded too: see {@link Scrubber}. */
  scrub?<T>(value: T): T;
  /**
   * Ends when the console has taken what was written. To a pipe Node writes as fast as it is read and keeps the rest in
   * memory: whoever writes millions of lines asks this between them.
   */
  drained?(): Promise<void>;
}

// The runner splits on these as well as on "\n", or shows them as line ends.
const lineEnd = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/u;
// Everything that moves the cursor or hides text, but tab. Colour sequences are left out with them.
// eslint-disable-next-line no-control-regex -- they are what it looks for
const control = /\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * The lines of `text` such that the runner finds no workflow command in them.
 *
 * The runner reads `::name::` at the start of a line (after white space) and `##[name]` anywhere in it
 * (actions/runner, `ActionCommand.cs`: TryParseV2, TryParse). A zero-width space breaks both and leaves the text readable.
 */
export function neutralise(text: string): string[] {
  return text.split(lineEnd).map((line) =>
    line
      .replace(control, '')
      .replace(/^(\s*):(?=:)/u, '$1:\u200b')
      .replaceAll('##[', '##\u200b['),
  );
}

// What neither moves the cursor nor begins anything: most lines of most programs.
// eslint-disable-next-line no-control-regex -- they are what it looks for
const suspicious = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]|::|##\[/u;

/**
 * A {@link Log} that speaks the runner's workflow commands, through the toolkit.
 * @param stdout what the toolkit writes to
 */
export function workflowLog(stdout?: Writable): Log {
  const clean = (text: string): string => (suspicious.test(text) ? neutralise(text).join('\n') : text);
  const secrets = new Scrubber();
  // Annotations stand on the run's page and in the API. Plain lines come by millions, and the runner masks them.
  const scrubbed = (text: string): string => clean(secrets.clean(text));
  return {
    info: (text) => core.info(clean(text)),
    debug: (text) => core.debug(scrubbed(text)),
    notice: (text) => core.notice(scrubbed(text)),
    warning: (text) => core.warning(scrubbed(text)),
    error: (text) => core.error(scrubbed(text)),
    startGroup: (title) => core.startGroup(neutralise(title).join(' ')),
    endGroup: () => core.endGroup(),
    scrub: (value) => secrets.cleanAll(value),
    // Each line of a secret is a secret of its own, since logs are masked line by line. The runner knows some encodings itself;
    // of a text on one line, such as a token, it is told all.
    mask: (secret) => {
      secrets.add(secret);
      const lines = secret.split(/\r?\n/u);
      for (const form of new Set([secret, ...lines, ...(lines.length === 1 ? formsOf(secret.trim()) : [])]))
        if (form.trim()) core.setSecret(form);
    },
    drained: async () => {
      if (stdout?.writableNeedDrain) await new Promise<void>((done) => stdout.once('drain', done));
    },
  };
}
