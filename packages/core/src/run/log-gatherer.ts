import type { LogLine } from '../backend/backend.ts';
import { MetricCollector, parseMetricLine } from '../metrics/lines.ts';
import type { MetricSeries } from '../metrics/metrics.ts';

const tailLength = 30;

/** What of a run's log its record keeps: the metrics, and the last lines of each pod. */
export class LogGatherer {
  readonly #metrics = new MetricCollector();
  readonly #tails = new Map<string, string[]>();
  #lastPod: string | undefined;

  /** @returns what is wrong with the line where it is a metric that cannot be read */
  add({ pod, text }: Pick<LogLine, 'pod' | 'text'>): string | undefined {
    const tail = this.#tails.get(pod) ?? [];
    tail.push(text);
    if (tail.length > tailLength) tail.shift();
    this.#tails.set(pod, tail);
    this.#lastPod = pod;
    const metric = parseMetricLine(text);
    if (metric === undefined || typeof metric === 'string') return metric;
    this.#metrics.add(metric);
    return undefined;
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
