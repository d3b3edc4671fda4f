import { sparkline } from '../charts/sparkline.ts';
import { clipMiddle, code, escapeText, table, type Alignment } from '../markdown/markdown.ts';
import { formatChange, formatPair, formatValue } from './format.ts';
import type { Change, Direction, Gate, GateOutcome, MetricSummary, Sample } from './metrics.ts';
import { valuesOf, type MetricRow } from './rows.ts';

const longestName = 50;

/** An outcome with its sign: the word says it as well, for those who do not see the sign. */
export const outcomeWords: Record<GateOutcome, string> = {
  pass: '✅ pass',
  fail: '❌ fail',
  inconclusive: '⚠️ inconclusive',
  'no-baseline': '⚪ no baseline',
  missing: '⚠️ missing',
  error: '⚠️ error',
};

/** A gate's rule in few words: `≥ 0.9, ≤ 1% worse`. */
export function ruleOf(gate: Gate): string {
  return [
    ...(gate.min === undefined ? [] : [`≥ ${gate.min}`]),
    ...(gate.max === undefined ? [] : [`≤ ${gate.max}`]),
    ...(gate['max-regression'] === undefined ? [] : [`≤ ${gate['max-regression']} worse`]),
    ...(gate['min-improvement'] === undefined ? [] : [`≥ ${gate['min-improvement']} better`]),
    ...(gate.on === undefined || gate.on === 'last' ? [] : [`on ${gate.on}`]),
    ...(gate['require-seeds'] === undefined ? [] : [`${gate['require-seeds']} seeds`]),
    ...(gate.confidence === undefined ? [] : [`confidence ${gate.confidence}`]),
    ...(gate.level === 'warn' ? ['warns only'] : []),
  ].join(', ');
}

/** Which way a change goes: where nobody said which way is better, nothing. */
export function betterOrWorse(from: number, to: number, direction: Direction): 'better' | 'worse' | 'equal' | undefined {
  if (Number.isNaN(from) || Number.isNaN(to)) return undefined;
  if (from === to) return 'equal';
  return to > from === (direction === 'higher') ? 'better' : 'worse';
}

/**
 * Metrics of candidate and baseline as a table; without a baseline, its columns are left out. Several samples of a side are
 * shown by their mean and standard deviation.
 */
export function metricsTable(rows: readonly MetricRow[]): string {
  const hasBaseline = rows.some((row) => valuesOf(row)[1] !== undefined);
  const hasGates = rows.some(({ gates }) => gates.length > 0);
  const columns: [header: string, alignment: Alignment, cell: (row: MetricRow) => string][] = [
    ['Metric', 'left', ({ name }) => code(clipMiddle(name, longestName))],
    ['This commit', 'right', (row) => sides(row)[0]],
    ...(hasBaseline
      ? ([
          ['Baseline', 'right', (row) => sides(row)[1]],
          ['Change', 'left', changeCell],
        ] as typeof columns)
      : []),
    ...(rows.some(({ candidate }) => curve(candidate) !== '')
      ? ([['Curve', 'left', ({ candidate }) => curve(candidate)]] as typeof columns)
      : []),
    ...(hasGates ? ([['Gate', 'left', gateCell]] as typeof columns) : []),
  ];
  return table(
    columns.map(([header]) => header),
    rows.map((row) => columns.map(([, , cell]) => cell(row))),
    columns.map(([, alignment]) => alignment),
  );
}

function sides(row: MetricRow): [string, string] {
  const [now, before] = valuesOf(row);
  const [first, second] =
    now !== undefined && before !== undefined
      ? formatPair(now, before)
      : [now, before].map((value) => (value === undefined ? '–' : formatValue(value)));
  const { comparison, gates } = row;
  return [
    (gates.length > 0 ? `**${first}**` : (first ?? '')) + spread(comparison?.candidate),
    (second ?? '') + spread(comparison?.baseline),
  ];
}

/** What stands behind a mean: ` ± 0.004 (5)`. */
function spread(sample: Sample | undefined): string {
  if (!sample || sample.n < 2) return '';
  return unbroken(`${sample.deviation === undefined ? '' : ` ± ${formatValue(sample.deviation, 2)}`} (${sample.n})`);
}

function changeCell(row: MetricRow): string {
  const [now, before] = valuesOf(row);
  if (now === undefined || before === undefined) return now !== undefined ? 'new' : before !== undefined ? 'gone' : '';
  const direction = row.gates[0]?.gate.direction;
  const way = direction && betterOrWorse(before, now, direction);
  const words = way === undefined || way === 'equal' ? '' : ` ${way}`;
  const change = row.comparison?.change;
  if (change?.p === undefined) return unbroken(formatChange(before, now) + words);
  // As benchstat has it: "~" is no difference that these samples can show.
  const said = isClear(change) ? formatChange(before, now) + words : `~ ${formatChange(before, now)}`;
  return unbroken(`${said}<br><sub>p = ${formatValue(change.p, 2)}${intervalOf(change)}</sub>`);
}

/** With spaces where no line breaks: a narrow page scrolls a table sideways, and a row does not become six lines high. */
function unbroken(text: string): string {
  return text.replaceAll(' ', '\u00a0');
}

/** Whether chance alone would hardly make such a change; of samples that are too few to tell, it is taken as it stands. */
export function isClear({ low, high }: Change): boolean {
  return low === undefined || high === undefined || low > 0 || high < 0;
}

function intervalOf({ low, high, confidence = 0.95 }: Change): string {
  if (low === undefined || high === undefined) return '';
  return `, ${formatValue(confidence * 100)} %: ${formatValue(low, 3)} to ${formatValue(high, 3)}`;
}

function curve(summary: MetricSummary | undefined): string {
  return summary && summary.history.length > 1 ? sparkline(summary.history.map(({ value }) => value)) : '';
}

function gateCell({ gates }: MetricRow): string {
  return gates
    .map(({ gate, outcome }) => `${unbroken(outcomeWords[outcome])}<br><sub>${unbroken(escapeText(ruleOf(gate)))}</sub>`)
    .join('<br>');
}
