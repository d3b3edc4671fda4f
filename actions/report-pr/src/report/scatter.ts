/** One trial in a plot. */
export interface Dot {
  x: string;
  y: number;
}

const width = 48;
const height = 8;
/** Values of a parameter that are words have a column each; more than these are not drawn. */
const mostWords = 12;

/**
 * A plot in text: GitHub draws it everywhere, on light and dark, and whoever reads aloud or by mail has it too. A dot is a trial,
 * a digit so many in one place, `+` more than nine. Numbers go along an axis, by their logarithm where they span a hundredfold;
 * words have a place each.
 * @returns undefined where there is nothing to see: fewer than two values of either
 */
export function scatter(dots: readonly Dot[]): string | undefined {
  const drawn = dots.filter(({ y }) => Number.isFinite(y));
  const [low, high] = [Math.min(...drawn.map(({ y }) => y)), Math.max(...drawn.map(({ y }) => y))];
  const axis = axisOf(drawn.map(({ x }) => x));
  if (!axis || !(high > low)) return undefined;
  const cells = Array.from({ length: height }, () => Array<number>(width).fill(0));
  for (const { x, y } of drawn) {
    const row = Math.round((1 - (y - low) / (high - low)) * (height - 1));
    const column = Math.round(axis.place(x) * (width - 1));
    const line = cells[row];
    if (line) line[column] = (line[column] ?? 0) + 1;
  }
  const [top, bottom] = [short(high), short(low)];
  const margin = Math.max(top.length, bottom.length);
  const lines = cells.map((line, row) => {
    const label = row === 0 ? top : row === height - 1 ? bottom : '';
    return `${label.padStart(margin)} │${line.map(sign).join('')}`.trimEnd();
  });
  return [...lines, `${' '.repeat(margin)} └${'─'.repeat(width)}`, `${' '.repeat(margin + 2)}${axis.labels}`.trimEnd()].join('\n');
}

function sign(count: number): string {
  if (count === 0) return ' ';
  return count === 1 ? '●' : count > 9 ? '+' : String(count);
}

interface Axis {
  /** From 0 to 1. */
  place(x: string): number;
  labels: string;
}

function axisOf(values: readonly string[]): Axis | undefined {
  const different = [...new Set(values)];
  if (different.length < 2) return undefined;
  const numbers = different.map(numberOf);
  if (numbers.every((number) => number !== undefined)) return numberAxis(Math.min(...numbers), Math.max(...numbers));
  if (different.length > mostWords) return undefined;
  const words = different.toSorted();
  const room = Math.floor(width / words.length);
  return {
    place: (x) => (words.indexOf(x) + 0.5) / words.length,
    labels: words.map((word) => centre(plain(word).slice(0, room - 1), room)).join(''),
  };
}

function numberAxis(low: number, high: number): Axis | undefined {
  if (!(high > low)) return undefined;
  const isLog = low > 0 && high / low >= 100;
  const scale = isLog ? Math.log : (value: number): number => value;
  const [left, right] = [short(low), short(high)];
  const middle = isLog ? '(logarithmic)' : '';
  const space = width - left.length - right.length;
  return {
    place: (x) => (scale(numberOf(x) ?? low) - scale(low)) / (scale(high) - scale(low)),
    labels: left + centre(middle, space) + right,
  };
}

/** A parameter's value as a number. */
export function numberOf(text: string): number | undefined {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/u.test(text) ? Number(text) : undefined;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function centre(text: string, room: number): string {
  const left = Math.max(0, Math.floor((room - text.length) / 2));
  return (' '.repeat(left) + text).padEnd(room);
}

// Wide and combining characters would shift what stands beneath.
function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, '?');
}
