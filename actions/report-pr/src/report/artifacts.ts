import { clip, code, details, escapeText, table } from '@slashtrain/core/markdown/markdown';
import type { RunArtifact } from '@slashtrain/core/metrics/metrics';
import type { Story } from '../story.ts';

const mostArtifacts = 30;
const mostInputs = 5;

/** What the tasks of a pipeline made, where it is, and what each was made from, folded away. */
export function artifactTable({ runs = [], result }: Pick<Story, 'runs' | 'result'>): string {
  const all = result?.artifacts ?? runs[0]?.artifacts ?? [];
  if (all.length === 0) return '';
  const left = all.length - mostArtifacts;
  const note = left > 0 ? `\n\nThe first ${mostArtifacts} artifacts; ${left} more are not shown.` : '';
  const title = `${all.length} ${all.length === 1 ? 'artifact' : 'artifacts'}, and what each was made from`;
  return details(title, table(['artifact', 'type', 'where', 'made from'], all.slice(0, mostArtifacts).map(row)) + note);
}

function row({ name, type, uri, from, cached }: RunArtifact): string[] {
  const inputs = from.slice(0, mostInputs).map((one) => code(clip(one, 80)));
  const more = from.length > mostInputs ? `, and ${from.length - mostInputs} more` : '';
  return [
    code(clip(name, 80)) + (cached ? ' (from the cache)' : ''),
    escapeText(clip(type.replace(/^system\./u, ''), 60)),
    uri === '' ? '' : code(clip(uri, 300)),
    inputs.join(', ') + more,
  ];
}
