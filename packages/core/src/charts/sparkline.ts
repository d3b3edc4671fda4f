const blocks = '▁▂▃▄▅▆▇█';
const notANumber = '·';

/**
 * A curve in a few characters, for a table's cell: `▁▃▅▆▇█`. Low is low, whichever way is better. What is not finite is `·`.
 * Longer curves become `width` stretches of equal length, each shown by its last value: the curve ends where the run ended.
 */
export function sparkline(values: readonly number[], width = 16): string {
  const shown = values.length <= width ? values : stretches(values, width);
  const finite = shown.filter(Number.isFinite);
  const min = Math.min(...finite);
  // Halves, since the difference of two finite numbers may be infinite.
  const span = Math.max(...finite) / 2 - min / 2;
  return shown.map((value) => (Number.isFinite(value) ? block(span > 0 ? (value / 2 - min / 2) / span : 0.5) : notANumber)).join('');
}

function block(share: number): string {
  return blocks[Math.min(blocks.length - 1, Math.floor(share * blocks.length))] ?? '';
}

function stretches(values: readonly number[], width: number): number[] {
  return Array.from({ length: width }, (_, slot) => values[Math.ceil(((slot + 1) * values.length) / width) - 1] ?? Number.NaN);
}
