import type { Host } from '@slashtrain/core/action/host';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { code, details, escapeText, fence, table } from '@slashtrain/core/markdown/markdown';
import type { Before } from './targets/before.ts';
import { diffText } from './rollout/diff.ts';
import { judgementMarkdown } from './smoke/show.ts';
import type { Judgement } from './types.ts';

/** What the step's summary tells. All of it may be hostile but the title. */
export interface Told {
  title: string;
  rows: [string, string | undefined][];
  notes: readonly string[];
  /** What would be, or was, changed. */
  diff?: string;
  judgement?: Judgement;
}

/** The objects' differences, one after the other. */
export function diffOf(before: Before, after: readonly KubernetesObject[]): string {
  return after.map((object) => diffText(before.of(object), object)).join('\n');
}

export async function summarise(host: Host, { title, rows, notes, diff, judgement }: Told): Promise<void> {
  const cells = rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, code(value)]]));
  await host.summarise(
    [
      `### ${escapeText(title)}`,
      table(['', ''], cells),
      ...notes.map(escapeText),
      ...(judgement ? [judgementMarkdown(judgement)] : []),
      ...(diff === undefined ? [] : [details('What changed', fence(diff.slice(0, 200_000), 'diff'))]),
    ].join('\n\n'),
  );
}
