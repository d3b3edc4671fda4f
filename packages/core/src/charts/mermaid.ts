import { clip, escapeText, fence } from '../markdown/markdown.ts';
import { oneLine } from '../markdown/text.ts';
import type { MetricPoint } from '../metrics/metrics.ts';
import { gridFor, onGrid, type Grid } from './curve.ts';

/** One line of a chart. */
export interface ChartLine {
  /** In the legend. Hostile text. */
  label: string;
  /** By ascending step. */
  points: readonly MetricPoint[];
}

/** The most points that GitHub's charts show well, a line. */
const mostPoints = 50;
const mostNamedSteps = 12;
const longestTitle = 60;
// What the height of a chart has room for.
const longestAxis = 32;

// Seen on white as on black, told apart by those who see no red; each beside the emoji that looks like it.
const colours = [
  { square: '🟦', code: '#3b82f6' },
  { square: '🟧', code: '#f97316' },
  { square: '🟪', code: '#a855f7' },
  { square: '🟫', code: '#a16207' },
] as const;

/**
 * Curves as a Mermaid chart with its legend, as markdown: GitHub draws it in comments and summaries, also in private
 * repositories. Its version has no legend and no gaps: the legend is ours, values that are not finite are left out, and a
 * curve that begins later or ends earlier is drawn level there; the legend says both.
 * @param title hostile text
 * @param lines at most 4; the first is drawn on top
 * @param axis what the steps are
 * @returns undefined where there is no curve: fewer than two steps with finite values
 */
export function mermaidLine(title: string, lines: readonly ChartLine[], axis = 'step'): string | undefined {
  const drawn = colours.flatMap((colour, index) => {
    const line = lines[index];
    const finite = line?.points.filter(({ value }) => Number.isFinite(value)) ?? [];
    return line && finite.length > 0 ? [{ ...line, colour, finite }] : [];
  });
  const grid = gridFor(
    drawn.map(({ finite }) => finite),
    mostPoints,
  );
  if (!grid) return undefined;
  const series = drawn.map((line) => ({ ...line, values: onGrid(line.finite, grid) }));
  const scale = scaleOf(series.flatMap(({ values }) => values));
  const [low, high] = rangeOf(series.flatMap(({ values }) => values.map(scale.apply)));
  const onTop = series.toReversed();
  const chart = [
    `%%{init: ${JSON.stringify({
      xyChart: { width: 800, height: 220 },
      themeVariables: { xyChart: { backgroundColor: 'transparent', plotColorPalette: onTop.map(({ colour }) => colour.code).join(', ') } },
    })}}%%`,
    'xychart-beta',
    `  x-axis "${labelOf(axis)}" ${stepsOf(grid)}`,
    `  y-axis "${labelOf(title)}${scale.words}" ${decimal(low)} --> ${decimal(high)}`,
    ...onTop.map(({ values }) => `  line [${values.map((value) => decimal(scale.apply(value))).join(', ')}]`),
  ];
  const legend = series.map((line) => `${line.colour.square} ${escapeText(clip(line.label, longestTitle))}${remarks(line, grid)}`);
  return `${legend.join(' &nbsp; ')}\n\n${fence(chart.join('\n'), 'mermaid')}`;
}

function remarks({ points, finite }: { points: readonly MetricPoint[]; finite: readonly MetricPoint[] }, { from, to }: Grid): string {
  const [first, last] = [finite[0]?.step ?? from, finite.at(-1)?.step ?? to];
  const missing = points.length - finite.length;
  const words = [
    ...(first > from ? [`from step ${first}`] : []),
    ...(last < to ? [`until step ${last}`] : []),
    ...(missing > 0
      ? [missing === 1 ? '1 value that is no number is not drawn' : `${missing} values that are no numbers are not drawn`]
      : []),
  ];
  return words.length > 0 ? ` (${words.join(', ')})` : '';
}

/** Few whole steps are named each: an axis of numbers would count in halves. */
function stepsOf({ from, to, count }: Grid): string {
  const distance = (to - from) / (count - 1);
  if (count > mostNamedSteps || !Number.isInteger(from) || !Number.isInteger(distance)) return `${decimal(from)} --> ${decimal(to)}`;
  return `[${Array.from({ length: count }, (_, position) => `"${from + position * distance}"`).join(', ')}]`;
}

// Mermaid's grammar ends a text at `"`, and reads directives, comments and entities anywhere: only what is none of these stays.
function labelOf(text: string): string {
  return clip(oneLine(text), longestAxis).replace(/[^\p{L}\p{N} ._/()%+@:…-]/gu, '_');
}

interface Scale {
  apply: (value: number) => number;
  /** For the axis: ` (×10^6)`. */
  words: string;
}

/** Very large and very small values are shown in powers of ten: Mermaid knows no exponents. */
function scaleOf(values: readonly number[]): Scale {
  const largest = Math.max(...values.map(Math.abs));
  const power = largest === 0 ? 0 : Math.floor(Math.log10(largest));
  if (power > -4 && power < 6) return { apply: (value) => value, words: '' };
  // In two steps: 10 ** 320 is no number.
  const half = Math.trunc(power / 2);
  return { apply: (value) => value / 10 ** half / 10 ** (power - half), words: ` (×10^${power})` };
}

/** A little more than the values take, so that no line lies on the frame. */
function rangeOf(values: readonly number[]): [number, number] {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const room = max > min ? (max - min) * 0.05 : Math.max(Math.abs(max) * 0.1, 0.1);
  return [min - room, max + room];
}

/** A number as Mermaid's grammar has it: digits and a point, no exponent. Six significant digits are more than a pixel. */
function decimal(value: number): string {
  const digits = Math.min(100, Math.max(0, 5 - Math.floor(Math.log10(Math.abs(value) || 1))));
  const text = value.toFixed(digits);
  return text.includes('.') ? text.replace(/\.?0+$/u, '') : text;
}
