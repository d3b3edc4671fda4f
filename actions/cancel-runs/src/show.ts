import { code, escapeText, table } from '@slashtrain/core/markdown/markdown';
import type { Outcome } from './cancel.ts';

/** The output `cancelled`. */
export function cancelledList(outcomes: readonly Outcome[]): string {
  const cancelled = outcomes.filter((outcome) => outcome.cancelled).map(({ stored: { record } }) => record);
  return JSON.stringify(cancelled.map(({ run = '', sha, pullRequest, pipeline }) => ({ run, sha, 'pr-number': pullRequest, pipeline })));
}

/** The step's summary: what came of every run that was looked at. */
export function summaryMarkdown(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ stored: { name, record }, what }) => [
    code(name),
    escapeText(record.pipeline),
    code(record.sha.slice(0, 7)),
    escapeText(what),
  ]);
  return `### Cancelled ${outcomes.filter(({ cancelled }) => cancelled).length} of ${outcomes.length} runs\n\n${table(['Run', 'Pipeline', 'Commit', 'What came of it'], rows)}`;
}
