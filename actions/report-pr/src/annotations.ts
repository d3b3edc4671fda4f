import { mostAnnotations, type Annotation } from '@slashtrain/core/github/checks';
import { clip, oneLine } from '@slashtrain/core/markdown/text';
import { conclusionOfVerdict } from '@slashtrain/core/metrics/verdict';
import type { Story } from './story.ts';

/**
 * A remark at the line of each gate that keeps the check from being a success, or would if its level were not `warn`. Gates of a
 * workflow's input have no line. Those that decide come first, and at most as many as GitHub takes in one request: the table of
 * the report has all. The texts are plain: GitHub makes no markdown of them.
 */
export function annotationsOf({ gates, noBaseline }: Pick<Story, 'gates' | 'noBaseline'>): Annotation[] {
  const all = gates.flatMap(({ gate, place, outcome, why }): Annotation[] => {
    if (!place || conclusionOfVerdict(outcome, noBaseline) === 'success') return [];
    const metric = clip(oneLine(gate.metric), 100) || '""';
    return [
      {
        path: place.file,
        line: place.line,
        level: gate.level === 'warn' ? 'warning' : 'failure',
        title: `${outcome}: the gate of ${metric}`,
        message: clip(oneLine(why), 1000) || outcome,
      },
    ];
  });
  const deciding = all.filter(({ level }) => level === 'failure');
  return [...deciding, ...all.filter(({ level }) => level !== 'failure')].slice(0, mostAnnotations);
}
