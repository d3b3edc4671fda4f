import type { LineChange } from './edit.ts';

const context = 3;

/**
 * The lines of a file's new side that a pull request's diff shows, hunk by hunk: GitHub takes comments on these alone, and on
 * several of one hunk (https://docs.github.com/rest/pulls/comments#create-a-review-comment-for-a-pull-request).
 * @param patch as `GET /pulls/{number}/files` has it
 */
export function hunksOf(patch: string): Set<number>[] {
  const hunks: Set<number>[] = [];
  let line = 0;
  for (const row of patch.split('\n')) {
    const start = /^@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@/u.exec(row)?.[1];
    if (start !== undefined) {
      line = Number(start);
      hunks.push(new Set());
    } else if (row.startsWith('+') || row.startsWith(' ')) {
      hunks.at(-1)?.add(line++);
    }
  }
  return hunks;
}

/** The change of single lines as `git apply` takes it. */
export function unifiedDiff(path: string, text: string, changes: readonly LineChange[]): string {
  const rows = text.split('\n');
  const isOpen = rows.at(-1) !== '';
  if (!isOpen) rows.pop();
  const byLine = new Map(changes.map((change) => [change.line, change]));
  const near = rows.map((_, index) => changes.some(({ line }) => Math.abs(line - 1 - index) <= context));
  const out = [`--- a/${path}`, `+++ b/${path}`];
  for (let start = near.indexOf(true); start >= 0;) {
    const end = near.indexOf(false, start) < 0 ? rows.length : near.indexOf(false, start);
    out.push(`@@ -${start + 1},${end - start} +${start + 1},${end - start} @@`);
    for (let index = start; index < end;) {
      const first = index;
      while (index < end && byLine.has(index + 1)) index++;
      const run = rows.slice(first, index);
      const last = (side: string): string[] => [side, ...(isOpen && index === rows.length ? ['\\ No newline at end of file'] : [])];
      for (const [at, row] of run.entries()) out.push(...(at === run.length - 1 ? last(`-${row}`) : [`-${row}`]));
      for (const at of run.keys()) {
        const after = `+${byLine.get(first + at + 1)?.after ?? ''}`;
        out.push(...(at === run.length - 1 ? last(after) : [after]));
      }
      if (run.length > 0) continue;
      index++;
      out.push(...last(` ${rows[first] ?? ''}`));
    }
    start = near.indexOf(true, end);
  }
  return out.join('\n');
}
