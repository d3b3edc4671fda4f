import { clip, code, details, escapeText, link, table } from '@slashtrain/core/markdown/markdown';
import { formatValue } from '@slashtrain/core/metrics/format';
import type { Direction, MetricRun } from '@slashtrain/core/metrics/metrics';
import type { Story } from '../story.ts';

const mostTrials = 10;
const mostMetrics = 3;
const mostParameters = 4;

/** The runs of a side with several, best first by the first gate, folded away; empty where there is one. */
export function trialsTable({ runs = [], gates }: Pick<Story, 'runs' | 'gates'>): string {
  if (runs.length < 2) return '';
  const gate = gates[0]?.gate;
  const sorted = gate ? runs.toSorted((a, b) => byMetric(a, b, gate.metric, gate.direction)) : runs;
  const metrics = metricsToShow(runs, gates);
  const parameters = parametersThatDiffer(runs).slice(0, mostParameters);
  const rows = sorted
    .slice(0, mostTrials)
    .map((run) => [
      nameOf(run),
      ...parameters.map((name) => cellOf(run.parameters.find((one) => one.name === name)?.value)),
      ...metrics.map((name) => valueOf(run, name)),
    ]);
  const headers = ['Run', ...parameters.map((name) => code(clip(name, 40))), ...metrics.map((name) => code(clip(name, 40)))];
  const top = runs.length > mostTrials ? (gate ? `, the ${mostTrials} best by ${clip(gate.metric, 60)}` : `, the first ${mostTrials}`) : '';
  return details(
    `${runs.length} runs${top}`,
    table(headers, rows, ['left', ...parameters.map(() => 'left' as const), ...metrics.map(() => 'right' as const)]),
  );
}

function metricsToShow(runs: readonly MetricRun[], gates: Story['gates']): string[] {
  const gated = gates.map(({ gate }) => gate.metric);
  const measured = runs.flatMap(({ metrics }) => metrics.map(({ name }) => name));
  return [...new Set(gated.length > 0 ? gated : measured)].slice(0, mostMetrics);
}

/** What the trials were made to try: parameters with one value alone say nothing. */
function parametersThatDiffer(runs: readonly MetricRun[]): string[] {
  const values = new Map<string, Set<string>>();
  for (const { parameters } of runs) for (const { name, value } of parameters) values.set(name, (values.get(name) ?? new Set()).add(value));
  return [...values].filter(([, all]) => all.size > 1).map(([name]) => name);
}

function byMetric(a: MetricRun, b: MetricRun, metric: string, direction: Direction): number {
  const [first, second] = [a, b].map((run) => run.metrics.find(({ name }) => name === metric)?.last ?? Number.NaN) as [number, number];
  // What is no number is the worst that there is.
  if (Number.isNaN(first) || Number.isNaN(second)) return Number(Number.isNaN(first)) - Number(Number.isNaN(second));
  return direction === 'higher' ? second - first : first - second;
}

function nameOf({ id, name, url }: MetricRun): string {
  const text = clip(name ?? id, 60);
  return url === undefined ? code(text) : link(text, url);
}

function cellOf(value: string | undefined): string {
  return value === undefined ? '–' : code(clip(value, 60));
}

function valueOf(run: MetricRun, metric: string): string {
  const found = run.metrics.find(({ name }) => name === metric);
  return found ? escapeText(formatValue(found.last)) : '–';
}
