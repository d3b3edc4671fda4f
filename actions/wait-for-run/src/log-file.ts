import { closeSync, openSync, writeSync } from 'node:fs';

/**
 * A file that lines are added to. It is written at once and not by a stream: a log that comes faster than the disk
 * would pile up in a stream's memory.
 */
export class LogFile {
  readonly #onProblem: (error: unknown) => void;
  #file: number | undefined;

  /** @param onProblem told once, where it cannot be written; what comes then is left out */
  constructor(path: string, onProblem: (error: unknown) => void) {
    this.#onProblem = onProblem;
    this.#try(() => (this.#file = openSync(path, 'w')));
  }

  /** @param text whole lines */
  add(text: string): void {
    if (this.#file === undefined) return;
    const bytes = Buffer.from(text);
    this.#try(() => {
      for (let at = 0; this.#file !== undefined && at < bytes.length;) at += writeSync(this.#file, bytes, at);
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
