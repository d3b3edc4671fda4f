import { mermaidLine, type ChartLine } from '@slashtrain/core/charts/mermaid';
import { clip, code, escapeText, picture } from '@slashtrain/core/markdown/markdown';
import { compareMetrics, type MetricRow } from '@slashtrain/core/metrics/rows';
import { isEnded } from '@slashtrain/core/run/state';
import type { Pictures } from '../charts/pictures.ts';
import type { Story } from '../story.ts';

const mostCharts = 2;

/** All metrics of an ended run, those that matter most first. */
export function rowsOf({ state, candidate, baseline, gates, comparisons }: Story): MetricRow[] {
  if (!isEnded(state)) return [];
  // Of a run that broke off the metrics are shown, and no gate holds or fails.
  if (state !== 'succeeded') return compareMetrics(candidate, [], []);
  return compareMetrics(candidate, baseline?.metrics ?? [], gates, comparisons);
}

/** Curves of the metrics that matter most: those with gates, else those that changed most. */
export function curvesOf({ baseline }: Story, rows: readonly MetricRow[]): { name: string; lines: ChartLine[] }[] {
  const drawn = rows.filter(({ candidate }) => (candidate?.history.length ?? 0) > 1);
  const gated = drawn.filter(({ gates }) => gates.length > 0);
  return (gated.length > 0 ? gated : drawn).slice(0, mostCharts).map(({ name, candidate: now, baseline: before }) => ({
    name,
    lines: [
      { label: 'this commit', points: now?.history ?? [] },
      ...(baseline && before ? [{ label: 'baseline', points: before.history }] : []),
    ],
  }));
}

/** The curves as markdown: a picture where there is one, else Mermaid. */
export function curvesMarkdown(
  story: Story,
  rows: readonly MetricRow[],
  { addresses, problem }: Pictures = { addresses: new Map() },
): string {
  const parts = curvesOf(story, rows).flatMap(({ name, lines }) => {
    const address = addresses.get(name);
    const chart = address === undefined ? mermaidLine(name, lines) : picture(`learning curves of ${clip(name, 60)}`, address);
    return chart === undefined ? [] : [`${code(clip(name, 60))} &nbsp; ${chart}`];
  });
  const note = problem === undefined ? [] : [`<sub>No SVG could be written: ${escapeText(clip(problem, 300))}</sub>`];
  return [...parts, ...(parts.length > 0 ? note : [])].join('\n\n');
}
