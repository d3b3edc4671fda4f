/**
 * The Mann–Whitney U test, two-sided: how probable a difference of this size is between two samples of one population.
 *
 * The exact permutation distribution with ties (Klotz 1966, https://doi.org/10.1080/01621459.1966.10480899), as
 * `scipy.stats.permutation_test` gives it; scipy's own `mannwhitneyu` leaves ties out of its exact method. Above 50 values a
 * side, 25 with ties, the normal approximation with tie and continuity correction, as benchstat has it
 * (https://pkg.go.dev/github.com/aclements/go-moremath/stats#MannWhitneyUTest).
 */
export function mannWhitney(first: readonly number[], second: readonly number[]): { p: number; exact: boolean } {
  const groups = tieGroups(first, second);
  // All values are equal: nothing speaks for a difference.
  if (groups.length <= 1) return { p: 1, exact: true };
  const [n, m] = [first.length, second.length];
  const twice = twiceU(groups);
  const most = groups.some(({ size }) => size > 1) ? 25 : exactLimit;
  if (n > most || m > most) return { p: approximate(groups, n, m, twice / 2), exact: false };
  const counts = distribution(
    groups.map(({ size }) => size),
    n,
    m,
  );
  const lower = share(counts, 0, twice);
  const upper = share(counts, twice, 2 * n * m);
  return { p: Math.min(1, 2 * Math.min(lower, upper)), exact: true };
}

/** The most values a side for which the distribution without ties is computed exactly. */
export const exactLimit = 50;

/** The smallest two-sided p that samples of these sizes can have. */
export function leastP(n: number, m: number): number {
  let combinations = 1;
  for (let k = 1; k <= Math.min(n, m); k++) combinations *= (n + m - Math.min(n, m) + k) / k;
  return Math.min(1, 2 / combinations);
}

/**
 * The rank from either end of the sorted differences at which the interval of a shift begins, from 1, by the exact distribution
 * without ties: as `wilcox.test(conf.int = TRUE)` of R has it.
 */
export function intervalRank(n: number, m: number, confidence: number): number {
  const counts = distribution(Array<number>(n + m).fill(1), n, m);
  const total = sum(counts);
  const tail = (1 - confidence) / 2;
  let below = 0;
  // qwilcox: the smallest u with P(U <= u) >= tail; U counts in halves here.
  for (let u = 0; u <= n * m; u++) {
    below += counts[2 * u] ?? 0;
    // R's own fuzz, against the last bit of a sum.
    if (below / total >= tail * (1 - 64 * Number.EPSILON)) return Math.max(u, 1);
  }
  return 1;
}

/** Equal values of both samples, in ascending order. */
interface TieGroup {
  size: number;
  /** How many of them are the first sample's. */
  own: number;
}

function tieGroups(first: readonly number[], second: readonly number[]): TieGroup[] {
  const groups = new Map<number, TieGroup>();
  for (const [sample, own] of [
    [first, 1],
    [second, 0],
  ] as const) {
    for (const value of sample) {
      // 0 and -0 are equal.
      const group = groups.get(value + 0) ?? { size: 0, own: 0 };
      groups.set(value + 0, { size: group.size + 1, own: group.own + own });
    }
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}

/** Twice U of the first sample: 2 for each value of the second below one of the first, 1 for an equal one. */
function twiceU(groups: readonly TieGroup[]): number {
  let others = 0;
  let twice = 0;
  for (const { size, own } of groups) {
    twice += own * (2 * others + (size - own));
    others += size - own;
  }
  return twice;
}

const known = new Map<string, Float64Array>();

/**
 * In how many ways n of all values can be the first sample's, by twice U. Group by group: with k of a group of t after `used`
 * of `seen` values, twice U grows by k·(2·(seen − used) + t − k), in `t over k` ways.
 */
function distribution(sizes: readonly number[], n: number, m: number): Float64Array {
  // Without ties the sizes say it all, and each metric of the same runs asks again.
  const key = sizes.length === n + m ? `${n},${m}` : undefined;
  const before = key === undefined ? undefined : known.get(key);
  if (before) return before;
  const width = 2 * n * m + 1;
  let ways = Array.from({ length: n + 1 }, () => new Float64Array(0));
  ways[0] = new Float64Array(width);
  ways[0][0] = 1;
  let seen = 0;
  for (const size of sizes) {
    const next = Array.from({ length: n + 1 }, () => new Float64Array(0));
    for (const [used, row] of ways.entries()) {
      if (row.length === 0) continue;
      for (let k = 0, choices = 1; k <= size && used + k <= n; choices = (choices * (size - k)) / (k + 1), k++) {
        const others = seen - used;
        if (others + size - k > m) continue;
        const shift = k * (2 * others + size - k);
        let target = next[used + k]!;
        if (target.length === 0) next[used + k] = target = new Float64Array(width);
        for (let u = 0; u + shift < width; u++) target[u + shift]! += row[u]! * choices;
      }
    }
    ways = next;
    seen += size;
  }
  const counts = ways[n]!;
  if (key !== undefined) known.set(key, counts);
  return counts;
}

function share(counts: Float64Array, from: number, to: number): number {
  return sum(counts.subarray(from, to + 1)) / sum(counts);
}

function sum(values: Float64Array): number {
  return values.reduce((all, value) => all + value, 0);
}

function approximate(groups: readonly TieGroup[], n: number, m: number, u: number): number {
  const all = n + m;
  const ties = groups.reduce((sumOf, { size }) => sumOf + (size ** 3 - size), 0);
  const deviation = Math.sqrt((n * m * (all + 1 - ties / (all * (all - 1)))) / 12);
  const off = Math.abs(u - (n * m) / 2);
  return Math.min(1, 2 * normalTail((off - (off > 0 ? 0.5 : 0)) / deviation));
}

/** How much of a standard normal distribution lies above z ≥ 0, by a continued fraction (Lentz) or, near 0, by a series. */
function normalTail(z: number): number {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z < 3) {
    let [term, total] = [z, z];
    for (let k = 1; Math.abs(term) > total * 1e-17; k++) {
      term *= (z * z) / (2 * k + 1);
      total += term;
    }
    return 0.5 - density * total;
  }
  let fraction = z;
  for (let k = 60; k > 0; k--) fraction = z + k / fraction;
  return density / fraction;
}
