import { fit } from '@slashtrain/core/markdown/fit';
import { code, details, escapeText } from '@slashtrain/core/markdown/markdown';
import type { MetricsFile } from '@slashtrain/core/metrics/metrics';
import type { MetricRow } from '@slashtrain/core/metrics/rows';
import { metricsTable, outcomeWords } from '@slashtrain/core/metrics/table';

const shownRows = 20;
const limit = 60_000;

/** Verdict, gates that did not pass, table and notes, as markdown. */
export function summaryMarkdown(file: MetricsFile, rows: readonly MetricRow[]): string {
  const open = file.gates.filter(({ outcome }) => outcome !== 'pass');
  const rest = rows.slice(shownRows);
  const sections = [
    {
      name: 'verdict',
      text: `### ${outcomeWords[file.verdict]}: metrics of ${escapeText(file.pipeline)} at ${code(file.sha.slice(0, 7))}`,
      priority: 'required' as const,
    },
    {
      name: 'gates',
      text: open
        .map(({ gate, outcome, why }) => `- ${outcomeWords[outcome]} ${code(gate.metric.slice(0, 80))}: ${escapeText(why)}`)
        .join('\n'),
      priority: 5,
    },
    { name: 'baseline', text: file.baseline ? `Baseline: ${escapeText(file.baseline.description)}` : 'No baseline.', priority: 6 },
    { name: 'metrics', text: rows.length > 0 ? metricsTable(rows.slice(0, shownRows)) : '', priority: 4 },
    { name: 'more metrics', text: rest.length > 0 ? details(`${rest.length} more`, metricsTable(rest)) : '', priority: 1 },
    { name: 'notes', text: file.notes.map((note) => `- ${escapeText(note)}`).join('\n'), priority: 3 },
  ];
  return fit(sections, limit, 'characters').text;
}
