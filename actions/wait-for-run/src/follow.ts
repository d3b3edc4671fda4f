import type { Log } from '@slashtrain/core/action/log';
import type { LogLine } from '@slashtrain/core/backend/backend';
import { LogGatherer } from '@slashtrain/core/run/log-gatherer';

const problemsShown = 5;

/** Where a run's log goes. */
export interface FollowParts {
  log: Log;
  /** False: the lines are kept and not shown. */
  show: boolean;
  /** Receives every line, with pod and container before it. */
  write(line: string): void;
}

/** Reads a run's log as it comes: shows it, keeps it, and gathers metrics and the last lines of each pod. */
export class Follower {
  readonly #parts: FollowParts;
  /** The run's metrics and last lines so far. */
  readonly gathered = new LogGatherer();
  readonly #sources = new Set<string>();
  #problems = 0;

  constructor(parts: FollowParts) {
    this.#parts = parts;
  }

  /** Ends with `lines`. */
  async follow(lines: AsyncIterable<LogLine>): Promise<void> {
    for await (const line of lines) this.add(line);
  }

  add(line: LogLine): void {
    this.#sources.add(`${line.pod}/${line.container}`);
    this.#parts.write(`${line.time} ${line.pod}/${line.container}${line.restart > 0 ? `#${line.restart}` : ''} ${line.text}\n`);
    if (this.#parts.show) this.#parts.log.info(this.#sources.size > 1 ? `${line.pod}/${line.container} | ${line.text}` : line.text);
    const problem = this.gathered.add(line);
    if (problem !== undefined && this.#problems++ < problemsShown) this.#parts.log.warning(`${problem}: ${line.text.slice(0, 200)}`);
  }
}
