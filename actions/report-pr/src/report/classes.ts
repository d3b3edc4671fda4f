import { clip, code, details, escapeText, table } from '@slashtrain/core/markdown/markdown';
import { formatValue } from '@slashtrain/core/metrics/format';
import type { ClassTable } from '@slashtrain/core/metrics/metrics';
import type { Story } from '../story.ts';

const mostClasses = 20;
const mostTables = 4;

/** Confusion matrices and tables by class, folded away. */
export function classTables({ runs = [] }: Pick<Story, 'runs'>): string {
  const tables = runs[0]?.tables ?? [];
  return tables.slice(0, mostTables).map(shown).join('\n\n');
}

function shown({ kind, name, columns, rows }: ClassTable): string {
  const isMatrix = kind === 'confusion';
  const title = `${isMatrix ? 'Confusion matrix' : 'By class'}: ${clip(name, 80)}`;
  const headers = [isMatrix ? 'true \\ predicted' : 'class', ...columns.slice(0, mostClasses).map((column) => code(clip(column, 40)))];
  const body = rows.slice(0, mostClasses).map(({ label, values }, row) => [
    code(clip(label, 40)),
    ...values.slice(0, mostClasses).map((value, column) => {
      const text = escapeText(formatValue(value));
      // What was recognised for what it is.
      return isMatrix && row === column ? `**${text}**` : text;
    }),
  ]);
  const left = Math.max(rows.length, columns.length) - mostClasses;
  const note = left > 0 ? `\n\nThe first ${mostClasses} classes; ${left} more are not shown.` : '';
  return details(title, table(headers, body, ['left', ...columns.map(() => 'right' as const)]) + note);
}
