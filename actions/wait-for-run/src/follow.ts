import type { Log } from '@slashtrain/core/action/log';
import type { LogLine } from '@slashtrain/core/backend/backend';
import { LogGatherer } from '@slashtrain/core/run/log-gatherer';

const problemsShown = 5;

/** Where a run's log goes. */
export interface FollowParts {
  log: Log;
  /** The run's name, which the names of its pods begin with. */
  run: string;
  /** False: the lines are kept and not shown. */
  show: boolean;
  /** Receives all lines, with time, pod and container before each; whole lines, many at once. */
  write(lines: string): void;
  /** Each pod has metrics of its own, as the trials of a sweep. */
  byPod?: boolean;
}

/** Reads a run's log as it comes: shows it, keeps it, and gathers metrics and the last lines of each pod. */
export class Follower {
  readonly #parts: FollowParts;
  /** The run's metrics and last lines so far. */
  readonly gathered: LogGatherer;
  /** The containers of each pod that wrote something, and with them whose lines are to be told apart. */
  readonly #sources = new Map<string, Set<string>>();
  #problems = 0;

  constructor(parts: FollowParts) {
    this.#parts = parts;
    this.gathered = new LogGatherer({ byPod: parts.byPod ?? false });
  }

  /** Ends with `batches`. */
  async follow(batches: AsyncIterable<LogLine[]>): Promise<void> {
    for await (const batch of batches) {
      this.add(batch);
      await this.#parts.log.drained?.();
    }
  }

  add(batch: readonly LogLine[]): void {
    const shown: string[] = [];
    let kept = '';
    for (const line of batch) {
      const { pod, container, restart, time, text } = line;
      kept += `${time} ${pod}/${container}${restart > 0 ? `#${restart}` : ''} ${text}\n`;
      if (this.#parts.show) shown.push(this.#prefix(line) + text);
      const problem = this.gathered.add(line);
      if (problem !== undefined && this.#problems++ < problemsShown) this.#parts.log.warning(`${problem}: ${text.slice(0, 200)}`);
    }
    this.#parts.write(kept);
    // Together: a write for each of a million lines takes longer than all the rest.
    if (shown.length > 0) this.#parts.log.info(shown.join('\n'));
  }

  /** Whose line it is, as short as it can be said: nothing while one container writes. */
  #prefix({ pod, container, restart }: LogLine): string {
    let containers = this.#sources.get(pod);
    if (!containers) this.#sources.set(pod, (containers = new Set()));
    containers.add(container);
    const life = restart > 0 ? ` (restart ${restart})` : '';
    if (this.#sources.size === 1 && containers.size === 1) return life ? `${life.trim()} | ` : '';
    const who = this.#sources.size === 1 ? '' : shortName(pod, this.#parts.run);
    const what = containers.size === 1 ? '' : container;
    return `${[who, what].filter(Boolean).join('/')}${life} | `;
  }
}

/** A pod's name without its run's: `worker-0`, `x7k2p`. */
export function shortName(pod: string, run: string): string {
  return pod.startsWith(`${run}-`) ? pod.slice(run.length + 1) : pod;
}
