import { sparkline } from '../charts/sparkline.ts';
import { clip, code, escapeText, table, type Alignment } from '../markdown/markdown.ts';
import { formatChange, formatPair, formatValue } from './format.ts';
import type { Direction, Gate, GateOutcome, MetricSummary } from './metrics.ts';
import type { MetricRow } from './rows.ts';

const longestName = 80;

/** An outcome with its sign: the word says it as well, for those who do not see the sign. */
export const outcomeWords: Record<GateOutcome, string> = {
  pass: '✅ pass',
  fail: '❌ fail',
  inconclusive: '⚠️ inconclusive',
  'no-baseline': '⚪ no baseline',
  missing: '⚠️ missing',
  error: '⚠️ error',
};

/** A gate's rule, in the words of the configuration: `min 0.9, max-regression 1%`. */
export function ruleOf(gate: Gate): string {
  return [
    ...(gate.min === undefined ? [] : [`min ${gate.min}`]),
    ...(gate.max === undefined ? [] : [`max ${gate.max}`]),
    ...(gate['max-regression'] === undefined ? [] : [`max-regression ${gate['max-regression']}`]),
    ...(gate['min-improvement'] === undefined ? [] : [`min-improvement ${gate['min-improvement']}`]),
    ...(gate.on === undefined || gate.on === 'last' ? [] : [`on ${gate.on}`]),
    ...(gate['require-seeds'] === undefined ? [] : [`require-seeds ${gate['require-seeds']}`]),
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

/** Metrics of candidate and baseline as a table; without a baseline, its columns are left out. */
export function metricsTable(rows: readonly MetricRow[]): string {
  const hasBaseline = rows.some(({ baseline }) => baseline !== undefined);
  const hasGates = rows.some(({ gates }) => gates.length > 0);
  const columns: [header: string, alignment: Alignment, cell: (row: MetricRow) => string][] = [
    ['Metric', 'left', ({ name }) => code(clip(name, longestName))],
    ['This commit', 'right', (row) => values(row)[0]],
    ...(hasBaseline
      ? ([
          ['Baseline', 'right', (row) => values(row)[1]],
          ['Change', 'left', change],
        ] as typeof columns)
      : []),
    ['Curve', 'left', ({ candidate }) => curve(candidate)],
    ...(hasGates ? ([['Gate', 'left', gateCell]] as typeof columns) : []),
  ];
  return table(
    columns.map(([header]) => header),
    rows.map((row) => columns.map(([, , cell]) => cell(row))),
    columns.map(([, alignment]) => alignment),
  );
}

function values({ candidate, baseline, gates }: MetricRow): [string, string] {
  const [now, before] =
    candidate && baseline
      ? formatPair(candidate.last, baseline.last)
      : [candidate ? formatValue(candidate.last) : '–', baseline ? formatValue(baseline.last) : '–'];
  return [gates.length > 0 ? `**${now}**` : now, before];
}

function change({ candidate, baseline, gates }: MetricRow): string {
  if (!candidate || !baseline) return candidate ? 'new' : baseline ? 'gone' : '';
  const direction = gates[0]?.gate.direction;
  const way = direction && betterOrWorse(baseline.last, candidate.last, direction);
  const words = way === undefined || way === 'equal' ? '' : ` ${way}`;
  return `${formatChange(baseline.last, candidate.last)}${words}`;
}

function curve(summary: MetricSummary | undefined): string {
  return summary && summary.history.length > 1 ? sparkline(summary.history.map(({ value }) => value)) : '';
}

function gateCell({ gates }: MetricRow): string {
  return gates.map(({ gate, outcome }) => `${outcomeWords[outcome]}<br><sub>${escapeText(ruleOf(gate))}</sub>`).join('<br>');
}
