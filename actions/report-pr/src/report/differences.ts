import { clip, code, details, escapeText } from '@slashtrain/core/markdown/markdown';
import type { Difference, ExcludedRun } from '@slashtrain/core/metrics/metrics';
import type { Story } from '../story.ts';

const mostLines = 15;

/** What is not as it was in the baseline, besides the code: a number that changed with the data is no merit of the code. */
export function differencesList({ differences = [], baseline }: Pick<Story, 'differences' | 'baseline'>): string {
  if (!baseline || differences.length === 0) return '';
  const lines = differences.slice(0, mostLines).map((one) => `- ${subjectOf(one)}: ${sideOf(one.baseline)} → ${sideOf(one.candidate)}`);
  if (differences.length > mostLines) lines.push(`- and ${differences.length - mostLines} more`);
  return `**Changed besides the code:**\n\n${lines.join('\n')}`;
}

function subjectOf({ what, name }: Difference): string {
  if (what === 'data') return 'data version';
  if (what === 'gpu') return 'GPU';
  return `${what} ${code(clip(name, 80))}`;
}

function sideOf(value: string | undefined): string {
  return value === undefined ? 'not set' : code(clip(value, 200));
}

/** Runs that were found and do not count, each with the reason. */
export function excludedList(excluded: readonly ExcludedRun[] = []): string {
  if (excluded.length === 0) return '';
  const lines = excluded
    .slice(0, mostLines)
    .map(({ id, name, source, reason }) => `- ${code(clip(name ?? id, 80))} (${escapeText(source)}): ${escapeText(clip(reason, 300))}`);
  if (excluded.length > mostLines) lines.push(`- and ${excluded.length - mostLines} more`);
  return details(
    `${excluded.length} ${excluded.length === 1 ? 'run was' : 'runs were'} found and ${excluded.length === 1 ? 'does' : 'do'} not count`,
    lines.join('\n'),
  );
}
