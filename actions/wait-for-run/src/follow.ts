import type { Log } from '@slashtrain/core/action/log';
import type { LogLine } from '@slashtrain/core/backend/backend';
import { MetricCollector, parseMetricLine } from '@slashtrain/core/metrics/lines';
import type { MetricSeries } from '@slashtrain/core/metrics/metrics';

const tailLength = 30;
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
  readonly #metrics = new MetricCollector();
  readonly #tails = new Map<string, string[]>();
  readonly #sources = new Set<string>();
  #problems = 0;
  #lastPod: string | undefined;

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
    const tail = this.#tails.get(line.pod) ?? [];
    tail.push(line.text);
    if (tail.length > tailLength) tail.shift();
    this.#tails.set(line.pod, tail);
    this.#lastPod = line.pod;
    this.#read(line.text);
  }

  #read(text: string): void {
    const metric = parseMetricLine(text);
    if (metric === undefined) return;
    if (typeof metric !== 'string') {
      this.#metrics.add(metric);
    } else if (this.#problems++ < problemsShown) {
      this.#parts.log.warning(`${metric}: ${text.slice(0, 200)}`);
    }
  }

  /** The curves so far. */
  series(): MetricSeries[] {
    return this.#metrics.series();
  }

  /** The last lines of `pod`, else of the pod that wrote last; at most 30. */
  tail(pod?: string): string[] {
    const of = pod !== undefined && this.#tails.has(pod) ? pod : this.#lastPod;
    return of === undefined ? [] : [...(this.#tails.get(of) ?? [])];
  }
}
