import type { LogLine } from '../backend/backend.ts';
import { MetricCollector, parseMetricLine } from '../metrics/lines.ts';
import type { MetricSeries } from '../metrics/metrics.ts';

// A crash of many threads or ranks writes dozens of lines after the one that says why.
const tailLength = 300;
const longestLine = 4_000;

/** What of a run's log its record keeps: the metrics, and the last lines of each pod. */
export class LogGatherer {
  readonly #metrics = new Map<string, MetricCollector>();
  readonly #isByPod: boolean;
  readonly #tails = new Map<string, string[]>();
  #lastPod: string | undefined;

  /** @param options.byPod each pod has metrics of its own, as the trials of a sweep; else all have them together */
  constructor({ byPod = false }: { byPod?: boolean } = {}) {
    this.#isByPod = byPod;
  }

  /** @returns what is wrong with the line where it is a metric that cannot be read */
  add({ pod, text }: Pick<LogLine, 'pod' | 'text'>): string | undefined {
    const tail = this.#tails.get(pod) ?? [];
    // A copy: V8 keeps a whole line of 20 MB for the sake of a piece of it.
    tail.push(text.length > longestLine ? Buffer.from(text.slice(0, longestLine)).toString() : text);
    // Not one by one: moving 300 entries for each of a million lines takes longer than reading them.
    if (tail.length >= 2 * tailLength) tail.splice(0, tailLength);
    this.#tails.set(pod, tail);
    this.#lastPod = pod;
    const metric = parseMetricLine(text);
    if (metric === undefined || typeof metric === 'string') return metric;
    const of = this.#isByPod ? pod : '';
    let metrics = this.#metrics.get(of);
    if (!metrics) this.#metrics.set(of, (metrics = new MetricCollector()));
    metrics.add(metric);
    return undefined;
  }

  /** The curves so far: of all pods together, or of the given one where each has its own. */
  series(pod = ''): MetricSeries[] {
    return this.#metrics.get(pod)?.series() ?? [];
  }

  /** The last lines of `pod`, else of the pod that wrote last; at most 300. */
  tail(pod?: string): string[] {
    const of = pod !== undefined && this.#tails.has(pod) ? pod : this.#lastPod;
    return of === undefined ? [] : this.tailOf(of);
  }

  /** The last lines of this very pod; at most 300. */
  tailOf(pod: string): string[] {
    return (this.#tails.get(pod) ?? []).slice(-tailLength);
  }
}
