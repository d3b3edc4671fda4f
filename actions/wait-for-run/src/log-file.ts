import { closeSync, openSync, writeSync } from 'node:fs';

const encoder = new TextEncoder();

/**
 * A file that lines are added to. It is written at once and not by a stream: a log that comes faster than the disk
 * would pile up in a stream's memory.
 */
export class LogFile {
  readonly #onProblem: (error: unknown) => void;
  readonly #bytes = new Uint8Array(256 * 1024);
  #file: number | undefined;

  /** @param onProblem told once, where it cannot be written; what comes then is left out */
  constructor(path: string, onProblem: (error: unknown) => void) {
    this.#onProblem = onProblem;
    this.#try(() => (this.#file = openSync(path, 'w')));
  }

  /** @param text whole lines */
  add(text: string): void {
    if (this.#file === undefined) return;
    this.#try(() => {
      let rest = text;
      while (this.#file !== undefined && rest.length > 0) {
        // One piece of memory for all: a new one for each batch would pile up until it is collected.
        const { read, written } = encoder.encodeInto(rest, this.#bytes);
        rest = rest.slice(read);
        for (let at = 0; at < written;) at += writeSync(this.#file, this.#bytes, at, written - at);
      }
    });
  }

  close(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) this.#try(() => closeSync(file));
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#file = undefined;
      this.#onProblem(error);
    }
  }
}
