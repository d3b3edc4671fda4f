import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { parts, type PartName } from './part.ts';
import { beforePlot, ratiosPlot } from './plots.ts';
import { root } from './programs.ts';
import { readResults, withLater, type Results } from './results.ts';
import { againOf, headOf, missed, tableOf } from './table.ts';

/** The figures that docs/performance.md tells. */
const figures = 'test/bench/results.json';
const page = 'docs/performance.md';
const plots = { ratios: 'docs/images/performance-ratios.svg', before: 'docs/images/performance-before.svg' };
const markers = ['<!-- figures -->', '<!-- /figures -->'] as const;

/** Keeps the figures of a run, and makes the page's tables and plots of them. @param isPart whether those of other parts stay */
export async function writePage(measured: Results, isPart: boolean): Promise<void> {
  const results = isPart ? withLater(readResults(join(root, figures)), measured) : measured;
  const options = { ...(await resolveConfig(join(root, figures))), parser: 'json' };
  writeFileSync(join(root, figures), await format(JSON.stringify(shortened(results)), options));
  for (const [file, text] of await pageFiles()) writeFileSync(join(root, file), text);
}

/** The page and its plots as the figures that are kept make them, by path: `pnpm generate --check` holds what stands there against it. */
export async function pageFiles(): Promise<Map<string, string>> {
  const results = readResults(join(root, figures));
  const before = readFileSync(join(root, page), 'utf8');
  const [from, to] = markers.map((marker) => before.indexOf(marker)) as [number, number];
  if (from < 0 || to < from) throw new Error(`${page} has no ${markers.join(' … ')}`);
  const text = `${before.slice(0, from + markers[0].length)}\n\n${figuresText(results)}\n\n${before.slice(to)}`;
  const files = new Map([[page, await format(text, { ...(await resolveConfig(join(root, page))), parser: 'markdown' })]]);
  files.set(plots.ratios, await ratiosPlot(results.rows));
  const comparison = await beforePlot(results.rows);
  if (comparison !== undefined) files.set(plots.before, comparison);
  return files;
}

/** What is said of a run: where, when, all tables, what was left out and what is missed. */
export function figuresText(results: Results): string {
  const { rows, skipped } = results;
  const sections = (Object.keys(parts) as PartName[]).flatMap((part) => {
    const own = rows.filter(({ id }) => id.startsWith(`${part}/`));
    return own.length === 0 ? [] : [`### ${capital(parts[part])}`, tableOf(own)];
  });
  const lines = missed(rows).map(({ what, peer }) => `- ${what}${peer ? `, ${peer.name}` : ''}`);
  return [
    `${headOf(results)}.`,
    ...(results.again ?? []).map(({ parts: own, ...one }) => `Measured again: ${own.join(', ')}, ${againOf(one)}.`),
    ...sections,
    '### Missed',
    lines.length === 0 ? 'Nothing.' : lines.join('\n'),
    ...(skipped.length === 0 ? [] : ['### Not measured', skipped.map(({ part, why }) => `- ${parts[part]}: ${why}`).join('\n')]),
  ].join('\n\n');
}

/** Four digits of each sample are enough, and no folder of the machine is kept. */
function shortened(results: Results): Results {
  const short = (values: readonly number[]): number[] => values.map((value) => Number(value.toPrecision(4)));
  return {
    ...results,
    rows: results.rows.map(({ peer, ...row }) => ({
      ...row,
      ours: short(row.ours),
      ...(peer && { peer: { ...peer, samples: short(peer.samples) } }),
    })),
  };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
