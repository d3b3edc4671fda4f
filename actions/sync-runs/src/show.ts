import { code, escapeText, table } from '@slashtrain/core/markdown/markdown';
import type { Tried } from './settle.ts';

// GitHub shows nothing of a summary above 1 MiB.
const mostRows = 500;

/** What a sync came to. */
export interface Story {
  /** The records that had no end before. */
  tried: readonly Tried[];
  /** How many are to be reported, and how many of these this time. */
  waiting: number;
  listed: number;
  deleted: number;
  orphans: readonly string[];
}

/** The step's summary: what came of every record that had no end, those that could not be settled first. */
export function summaryMarkdown({ tried, waiting, listed, deleted, orphans }: Story): string {
  const rows = [...tried]
    .toSorted((a, b) => Number(b.failure !== undefined) - Number(a.failure !== undefined))
    .map(({ stored: { name, record }, what = '' }) => [
      code(name),
      escapeText(record.pipeline),
      record.pullRequest === undefined ? '–' : `#${record.pullRequest}`,
      code(record.sha.slice(0, 7)),
      escapeText(what),
    ]);
  const words = [
    `${tried.length} ${tried.length === 1 ? 'run' : 'runs'} had no end`,
    `${waiting} to be reported${listed < waiting ? `, ${listed} of them now` : ''}`,
    ...(deleted > 0 ? [`${deleted} old records deleted`] : []),
  ];
  return [
    `### Runs: ${words.join('; ')}`,
    ...(rows.length > 0 ? [table(['Run', 'Pipeline', 'Pull request', 'Commit', 'What came of it'], rows.slice(0, mostRows))] : []),
    ...(rows.length > mostRows ? [`… and ${rows.length - mostRows} more`] : []),
    ...(orphans.length > 0 ? [`Runs without a record, which nobody looks after: ${orphans.map(code).join(', ')}`] : []),
  ].join('\n\n');
}
