import { clip, code, details, escapeText, link, table } from '@slashtrain/core/markdown/markdown';
import { outcomeWords } from '@slashtrain/core/metrics/table';
import type { Earlier, Links } from '../story.ts';

const mostRows = 30;

/** What was trained before for the same pull request and pipeline, newest first, folded away; empty where nothing was. */
export function earlierTable(earlier: readonly Earlier[], links: Links): string {
  if (earlier.length === 0) return '';
  const rows = earlier
    .slice(0, mostRows)
    .map(({ record }) => [
      link(record.sha.slice(0, 7), `${links.repository}/commit/${record.sha}`) + (record.attempt > 1 ? ` attempt ${record.attempt}` : ''),
      wordsOf(record),
      whyOf(record),
      escapeText(record.createdAt.slice(0, 16).replace('T', ' ')),
    ]);
  const more = earlier.length - rows.length;
  const title = `${earlier.length} earlier ${earlier.length === 1 ? 'run' : 'runs'} of this pull request`;
  return details(title, table(['Commit', 'Verdict', 'Why', 'Asked (UTC)'], rows) + (more > 0 ? `\n\nand ${more} more` : ''));
}

function wordsOf({ state, verdict }: Earlier['record']): string {
  if (state === 'failed') return '❌ training failed';
  if (state !== 'succeeded') return escapeText(state);
  return verdict ? outcomeWords[verdict] : 'not judged';
}

function whyOf({ comparison, result, refusal, state, verdict }: Earlier['record']): string {
  const decisive = comparison?.gates.find(({ outcome }) => outcome === verdict) ?? comparison?.gates[0];
  if (state !== 'succeeded' || !decisive) return escapeText(clip(result?.message ?? refusal ?? '', 160));
  return `${code(clip(decisive.gate.metric, 60))}: ${escapeText(clip(decisive.why, 160))}`;
}
