import { clip, escapeText, table } from '@slashtrain/core/markdown/markdown';
import { oneLine } from '@slashtrain/core/markdown/text';
import type { Judgement } from '../types.ts';
import { formatSeconds } from './percentile.ts';

const mostRows = 100;
const longestDetail = 600;

/** A judgement as a table of its checks, what failed first. */
export function judgementMarkdown({ checks, latency }: Judgement): string {
  const sorted = checks.toSorted((a, b) => Number(a.outcome === 'pass') - Number(b.outcome === 'pass'));
  const rows = sorted
    .slice(0, mostRows)
    .map(({ name, outcome, detail }) => [
      outcome === 'pass' ? '✅' : '❌',
      escapeText(clip(name, 100)),
      escapeText(clip(detail, longestDetail)),
    ]);
  const more = sorted.length > mostRows ? `\n\nand ${sorted.length - mostRows} more` : '';
  const times = latency
    ? `\n\n${latency.requests} answers: half within ${formatSeconds(latency.p50)}, 95 % within ${formatSeconds(latency.p95)}, 99 % within ${formatSeconds(latency.p99)}`
    : '';
  return table(['', 'Check', 'What came'], rows) + more + times;
}

/** A judgement on one line, such as for a deployment's description: `5 of 6 checks passed; knows a seven: status is 500, …`. */
export function judgementLine({ checks, latency }: Judgement, limit = 140): string {
  const passed = checks.filter(({ outcome }) => outcome === 'pass').length;
  const failed = checks.find(({ outcome }) => outcome === 'fail');
  const rest = failed ? `; ${failed.name}: ${failed.detail}` : latency ? `; p95 ${formatSeconds(latency.p95)}` : '';
  return clip(oneLine(`${passed} of ${checks.length} checks passed${rest}`), limit);
}
