/**
 * How many letters two words differ by: inserted, left out, replaced, or two neighbours swapped
 * (optimal string alignment). Stops early above `limit`.
 */
export function distance(a: string, b: string, limit = 3): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}

/**
 * The name that `word` was probably meant to be: one letter off, two in words from 8 letters on,
 * none in words of up to 3; upper case and `-`/`_` make no difference.
 */
export function nearest(word: string, names: Iterable<string>): string | undefined {
  if (word.length > 100) return undefined;
  const plain = (text: string): string => text.toLowerCase().replaceAll('_', '-');
  let found: { name: string; off: number } | undefined;
  for (const name of names) {
    const off = distance(plain(word), plain(name));
    const length = Math.min(word.length, name.length);
    if (off <= (length >= 8 ? 2 : length >= 4 ? 1 : 0) && (!found || off < found.off)) found = { name, off };
  }
  return found?.name;
}
