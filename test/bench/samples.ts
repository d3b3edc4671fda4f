import type { Row } from './part.ts';

/** The middle of the values; of an even number the lower one of the two. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which a share of the values lies: one of them, none in between. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
}

/** The middle half of values. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return {
    median: median(values),
    low: quantile(values, 0.25),
    high: -quantile(
      values.map((value) => -value),
      0.25,
    ),
  };
}

/** Ours ÷ the peer's, round by round: what else the machine does falls on both sides of a round. Empty without a peer. */
export function ratios({ ours, peer }: Pick<Row, 'ours' | 'peer'>): number[] {
  if (!peer) return [];
  return ours.slice(0, peer.samples.length).map((value, round) => value / peer.samples[round]!);
}

/** What is measured once a round. */
export type Measurements<Name extends string> = Record<Name, () => Promise<number> | number>;

/** How rounds are made. */
export interface Rounds {
  /** Whether a round goes before them that fills caches and does not count; it does unless said. */
  warmUp?: boolean;
}

/**
 * Measures each once a round, in turn, and forwards and backwards by turns, so that nobody is always the first.
 * @returns a sample a round, by name
 */
export async function inTurn<Name extends string>(
  rounds: number,
  measurements: Measurements<Name>,
  { warmUp = true }: Rounds = {},
): Promise<Record<Name, number[]>> {
  const entries = Object.entries<() => Promise<number> | number>(measurements) as [Name, () => Promise<number> | number][];
  const samples = Object.fromEntries(entries.map(([name]) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = warmUp ? -1 : 0; round < rounds; round++) {
    for (const [name, measure] of round % 2 === 0 ? entries : entries.toReversed()) {
      const value = await measure();
      if (round >= 0) samples[name].push(value);
    }
  }
  return samples;
}

/** Milliseconds that work takes. */
export async function timeOf(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
