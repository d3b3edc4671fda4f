import type { Status } from '@slashtrain/core/run/state';
import { podCounts, progressLine } from './show.ts';
import type { PodResult, RunResult } from '@slashtrain/core/run/result';

// A workflow's token has 1,000 requests an hour for everything that the repository does.
const shortestInterval = 30_000;
const progressInterval = 20 * 60_000;

/** Where progress is told. */
export interface ReporterParts {
  /** Patches the check run. What it throws is told once and costs nothing more. */
  update(title: string, result: RunResult | undefined): Promise<void>;
  /** A line in the log. */
  say(line: string): void;
  now(): number;
}

/**
 * Tells what changes: in the log, and on the check run. A change of state or reason stands there within 30 s; other
 * words, progress and pods are told every 20 minutes.
 */
export class ProgressReporter {
  readonly #parts: ReporterParts;
  #status: Status = { state: 'unknown' };
  #pods = '';
  #result: (() => RunResult) | undefined;
  /** State and reason that were told last, in the log and on the check. */
  #key = '';
  #told = '';
  #written = '';
  #since: number;
  #updatedAt = Number.NEGATIVE_INFINITY;
  #saidAt = Number.NEGATIVE_INFINITY;
  #pending: { timer: NodeJS.Timeout; at: number } | undefined;
  #writing: Promise<void> = Promise.resolve();
  #hasFailed = false;

  constructor(parts: ReporterParts) {
    this.#parts = parts;
    this.#since = parts.now();
  }

  /** @param result how the run stands, asked for where it is told */
  change(status: Status, pods: readonly PodResult[] = [], result?: () => RunResult): void {
    this.#result = result;
    if (status.state !== this.#status.state) this.#since = this.#parts.now();
    this.#status = status;
    this.#pods = podCounts(pods);
    const key = JSON.stringify([status.state, status.reason]);
    const isNews = key !== this.#key;
    this.#key = key;
    const words = this.#words();
    if (words === this.#told && !isNews) return;
    // The scheduler's words change with every node that comes and goes: in the log, once a minute is enough of them.
    if (isNews || this.#parts.now() - this.#saidAt >= 60_000) {
      this.#saidAt = this.#parts.now();
      this.#parts.say(this.#line());
    }
    this.#told = words;
    this.#plan(this.#updatedAt + (key !== this.#written ? shortestInterval : progressInterval));
  }

  /** Everything but the time that passed, and progress in whole percents. */
  #words(): string {
    return progressLine(this.#status, 0, this.#pods);
  }

  #line(): string {
    return progressLine(this.#status, (this.#parts.now() - this.#since) / 1000, this.#pods);
  }

  #plan(at: number): void {
    if (this.#pending && this.#pending.at <= at) return;
    clearTimeout(this.#pending?.timer);
    const wait = at - this.#parts.now();
    if (wait <= 0) this.#write();
    else this.#pending = { at, timer: setTimeout(() => this.#write(), wait) };
  }

  #write(): void {
    this.#pending = undefined;
    this.#updatedAt = this.#parts.now();
    this.#written = this.#key;
    const title = this.#line();
    this.#writing = this.#writing.then(async () => {
      if (this.#hasFailed) return;
      try {
        await this.#parts.update(title, this.#result?.());
      } catch (error) {
        this.#hasFailed = true;
        this.#parts.say(
          `the check run could not be updated and will not be tried again before the end: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    });
  }

  /** The end, in the log at once: what is still to be read and written takes a while. The check is concluded with the result. */
  end({ state }: Status): void {
    this.#parts.say(`the run has ended: ${state}; now the rest of its log is read`);
  }

  /** No update comes after this. */
  async stop(): Promise<void> {
    clearTimeout(this.#pending?.timer);
    await this.#writing;
  }
}
