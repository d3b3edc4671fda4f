/** One trial in a plot. */
export interface Dot {
  x: string;
  y: number;
}

const width = 48;
const height = 8;
/** Values of a parameter that are words have a column each; of more, those that most trials have, and one for all others. */
const mostWords = 12;
/** So few numbers are named each. */
const mostTicks = 8;
const longestWord = 40;

/**
 * A plot in text: GitHub draws it everywhere, on light and dark, and whoever reads aloud or by mail has it too. A dot is a trial,
 * a digit so many in one place, `+` more than nine. Numbers go along an axis, by their logarithm where they were tried so or span a
 * hundredfold; words have a place each, in the order in which the sweep tried them, and where their names are too long for it a
 * letter.
 * @returns undefined where there is nothing to see: fewer than two values of either
 */
export function scatter(dots: readonly Dot[], { isLog = false }: { isLog?: boolean } = {}): string | undefined {
  const drawn = dots.filter(({ y }) => Number.isFinite(y));
  const [low, high] = [Math.min(...drawn.map(({ y }) => y)), Math.max(...drawn.map(({ y }) => y))];
  const axis = axisOf(
    drawn.map(({ x }) => x),
    isLog,
  );
  if (!axis || !(high > low)) return undefined;
  const cells = Array.from({ length: height }, () => Array<number>(width).fill(0));
  for (const { x, y } of drawn) {
    const row = Math.round((1 - (y - low) / (high - low)) * (height - 1));
    const line = cells[row];
    const column = axis.column(x);
    if (line) line[column] = (line[column] ?? 0) + 1;
  }
  const [top, bottom] = [short(high), short(low)];
  const margin = Math.max(top.length, bottom.length);
  const lines = cells.map((line, row) => {
    const label = row === 0 ? top : row === height - 1 ? bottom : '';
    return `${label.padStart(margin)} │${line.map(sign).join('')}`.trimEnd();
  });
  const below = axis.labels.map((label) => `${' '.repeat(margin + 2)}${label}`.trimEnd());
  return [...lines, `${' '.repeat(margin)} └${'─'.repeat(width)}`, ...below].join('\n');
}

function sign(count: number): string {
  if (count === 0) return ' ';
  return count === 1 ? '●' : count > 9 ? '+' : String(count);
}

interface Axis {
  /** Of `width`, from 0. */
  column(x: string): number;
  /** Lines below it. */
  labels: string[];
}

function axisOf(values: readonly string[], isLog: boolean): Axis | undefined {
  const different = [...new Set(values)];
  if (different.length < 2) return undefined;
  const numbers = different.flatMap((value) => numberOf(value) ?? []);
  return numbers.length === different.length ? numberAxis(numbers, isLog) : wordAxis(values, different);
}

function wordAxis(values: readonly string[], different: readonly string[]): Axis {
  const count = (word: string): number => values.filter((value) => value === word).length;
  const isMany = different.length > mostWords;
  const most = new Set(different.toSorted((a, b) => count(b) - count(a)).slice(0, isMany ? mostWords - 1 : mostWords));
  const words = different.filter((word) => most.has(word));
  const names = [...words.map(plain), ...(isMany ? [`${different.length - words.length} others`] : [])];
  const room = Math.floor(width / names.length);
  // Names that share a beginning would be alike once they are cut.
  const isLong = names.some((name) => name.length > room - 1);
  const letter = (index: number): string => String.fromCharCode('a'.charCodeAt(0) + index);
  const shown = names.map((name, index) => centre(isLong ? letter(index) : name, room));
  const legend = names.map(
    (name, index) => `${letter(index)} = ${name.length > longestWord ? `${name.slice(0, longestWord - 1)}…` : name}`,
  );
  return {
    column(x) {
      const found = words.indexOf(x);
      return (found < 0 ? words.length : found) * room + Math.max(0, Math.floor((room - 1) / 2));
    },
    labels: [shown.join(''), ...(isLong ? legend : [])],
  };
}

function numberAxis(numbers: readonly number[], asLog: boolean): Axis | undefined {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  if (!(high > low)) return undefined;
  const isLog = low > 0 && (asLog || high / low >= 100);
  const scale = isLog ? Math.log : (value: number): number => value;
  const column = (value: number): number => Math.round(((scale(value) - scale(low)) / (scale(high) - scale(low))) * (width - 1));
  const [left, right] = [short(low), short(high)];
  const ends = left + centre(isLog ? '(logarithmic)' : '', width - left.length - right.length) + right;
  const named =
    numbers.length <= mostTicks
      ? ticks(
          numbers.toSorted((a, b) => a - b),
          column,
        )
      : undefined;
  return {
    column: (x) => column(numberOf(x) ?? low),
    labels: named === undefined ? [ends] : [named, ...(isLog ? [centre('(logarithmic)', width)] : [])],
  };
}

/** Each number below its column; undefined where they would run into each other. */
function ticks(numbers: readonly number[], column: (value: number) => number): string | undefined {
  let line = '';
  for (const number of numbers) {
    const label = short(number);
    const start = Math.min(width - label.length, Math.max(0, column(number) - Math.floor((label.length - 1) / 2)));
    if (line !== '' && start <= line.length) return undefined;
    line = line.padEnd(start) + label;
  }
  return line;
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
