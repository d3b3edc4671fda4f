import type { MetricSeries } from '@slashtrain/core/metrics/metrics';

interface Curve {
  name: string;
  steps: number[];
  values: number[];
}

/** Gathers millions of points by tag, whose bytes become a text once. Of two points of one step the later counts. */
export class Curves {
  /** By a hash of the tag's bytes; tags that share one stand in a list. */
  readonly #byHash = new Map<number, { tag: Buffer; curve: Curve }[]>();
  readonly #curves: Curve[] = [];

  add(buffer: Buffer, from: number, to: number, step: number, value: number): void {
    const { steps, values } = this.#curveOf(buffer, from, to);
    steps.push(step);
    values.push(value);
  }

  series(): MetricSeries[] {
    return this.#curves.map(seriesOf);
  }

  /** One after the other, each forgotten once it is given: the points of all of them at once are several times the file. */
  *drain(): Generator<MetricSeries> {
    this.#byHash.clear();
    for (let curve = this.#curves.shift(); curve; curve = this.#curves.shift()) yield seriesOf(curve);
  }

  #curveOf(buffer: Buffer, from: number, to: number): Curve {
    let hash = to - from;
    for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + buffer[at]!) | 0;
    const same = this.#byHash.get(hash);
    const known = same?.find(({ tag }) => buffer.compare(tag, 0, tag.length, from, to) === 0);
    if (known) return known.curve;
    const tag = Buffer.from(buffer.subarray(from, to));
    const curve: Curve = { name: tag.toString('utf8'), steps: [], values: [] };
    this.#byHash.set(hash, [...(same ?? []), { tag, curve }]);
    this.#curves.push(curve);
    return curve;
  }
}

function seriesOf({ name, steps, values }: Curve): MetricSeries {
  let isSorted = true;
  for (let index = 1; index < steps.length; index++) if (steps[index]! <= steps[index - 1]!) isSorted = false;
  if (isSorted) return { name, points: steps.map((step, index) => ({ step, value: values[index]! })) };
  const latest = new Map<number, number>();
  for (const [index, step] of steps.entries()) latest.set(step, values[index]!);
  return { name, points: [...latest].map(([step, value]) => ({ step, value })).sort((a, b) => a.step - b.step) };
}

/** A 32-bit float as the shortest decimal that means it: what somebody logged as 0.9 is 0.9, and not 0.8999999761581421. */
export function asWritten(value: number): number {
  if (!Number.isFinite(value) || Math.fround(value) !== value) return value;
  for (let digits = 6; digits <= 8; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
