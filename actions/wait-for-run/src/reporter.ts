import type { Status } from '@slashtrain/core/run/state';
import { progressLine } from './show.ts';

const shortestInterval = 30_000;

/** Where progress is told. */
export interface ReporterParts {
  /** Patches the check run. What it throws is told once and costs nothing more. */
  update(title: string): Promise<void>;
  /** A line in the log. */
  say(line: string): void;
  now(): number;
}

/**
 * Tells what changes: at once in the log, and on the check run at most every 30 s, since a workflow's token has
 * 1,000 requests an hour for everything that the repository does.
 */
export class ProgressReporter {
  readonly #parts: ReporterParts;
  #key = '';
  #since: number;
  #state = '';
  #updatedAt = Number.NEGATIVE_INFINITY;
  #pending: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #hasFailed = false;

  constructor(parts: ReporterParts) {
    this.#parts = parts;
    this.#since = parts.now();
  }

  change(status: Status): void {
    // Progress alone is no change: it would be told for every step of a training.
    const key = JSON.stringify([status.state, status.reason, status.message]);
    if (key === this.#key) return;
    this.#key = key;
    if (status.state !== this.#state) this.#since = this.#parts.now();
    this.#state = status.state;
    const line = (): string => progressLine(status, (this.#parts.now() - this.#since) / 1000);
    this.#parts.say(line());
    clearTimeout(this.#pending);
    const wait = this.#updatedAt + shortestInterval - this.#parts.now();
    if (wait <= 0) this.#write(line());
    else this.#pending = setTimeout(() => this.#write(line()), wait);
  }

  #write(title: string): void {
    this.#updatedAt = this.#parts.now();
    this.#writing = this.#writing.then(async () => {
      if (this.#hasFailed) return;
      try {
        await this.#parts.update(title);
      } catch (error) {
        this.#hasFailed = true;
        this.#parts.say(
          `the check run could not be updated and will not be tried again before the end: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    });
  }

  /** No update comes after this. */
  async stop(): Promise<void> {
    clearTimeout(this.#pending);
    await this.#writing;
  }
}
