import { diff } from 'node:util';

const context = 3;
/** Above it a change is shown without its lines; GitHub's own limits are higher (https://docs.github.com/repositories/creating-and-managing-repositories/repository-limits#diff-limits). */
const largest = 100_000;

/** A line of a change: on both sides, on the old one, on the new one. */
interface Row {
  side: ' ' | '-' | '+';
  text: string;
  /** Its number on each side, from 1; of a line that is not there, that of the next. */
  old: number;
  now: number;
}

export interface Patch {
  additions: number;
  deletions: number;
  /** Hunks, without the lines that name the file; absent where there are none, as of a binary file. */
  patch?: string;
}

/** What `git diff` shows of a file that was and is so; undefined for one that is not there. */
export function patchOf(before: Buffer | undefined, after: Buffer | undefined): Patch {
  const rows = rowsOf(before, after);
  const count = (side: Row['side']): number => rows.filter((row) => row.side === side).length;
  const near = rows.map((_, index) => rows.slice(Math.max(0, index - context), index + context + 1).some(({ side }) => side !== ' '));
  const hunks: string[] = [];
  for (let start = near.indexOf(true); start >= 0;) {
    const end = near.indexOf(false, start) < 0 ? rows.length : near.indexOf(false, start);
    hunks.push(hunkOf(rows.slice(start, end)));
    start = near.indexOf(true, end);
  }
  return { additions: count('+'), deletions: count('-'), ...(hunks.length > 0 ? { patch: hunks.join('\n') } : {}) };
}

/** Lines of the new file that a change shows, hunk by hunk. */
export function shownLines(before: Buffer | undefined, after: Buffer | undefined): Set<number>[] {
  const hunks: Set<number>[] = [];
  const rows = rowsOf(before, after);
  let last = Number.NEGATIVE_INFINITY;
  for (const [index, row] of rows.entries()) {
    if (!rows.slice(Math.max(0, index - context), index + context + 1).some(({ side }) => side !== ' ')) continue;
    if (last !== index - 1) hunks.push(new Set());
    if (row.side !== '-') hunks.at(-1)?.add(row.now);
    last = index;
  }
  return hunks;
}

/** Where a line of the old file stands in the new one; undefined where it was changed. */
export function movedLine(before: Buffer | undefined, after: Buffer | undefined, line: number): number | undefined {
  if (before && after?.equals(before)) return line;
  return rowsOf(before, after).find(({ side, old }) => side === ' ' && old === line)?.now;
}

function rowsOf(before: Buffer | undefined, after: Buffer | undefined): Row[] {
  if ([before, after].some((side) => side && (side.length > largest || side.includes(0)))) return [];
  const [oldLines, newLines] = [linesOf(before), linesOf(after)];
  // Of two empty files Node's diff makes nothing but an error.
  if (oldLines.length + newLines.length === 0) return [];
  // Added comes first where a line was replaced; git has it the other way round.
  const entries = diff(newLines, oldLines).map(([operation, text]) => ({ side: ([' ', '+', '-'] as const).at(operation)!, text }));
  const rows: Row[] = [];
  let [old, now] = [1, 1];
  for (let index = 0; index < entries.length;) {
    const end = entries.findIndex(({ side }, at) => at >= index && side === ' ');
    const run = entries.slice(index, end === index ? index + 1 : end < 0 ? undefined : end);
    for (const { side, text } of [...run.filter((one) => one.side !== '+'), ...run.filter((one) => one.side === '+')]) {
      rows.push({ side, text, old, now });
      if (side !== '+') old++;
      if (side !== '-') now++;
    }
    index += run.length;
  }
  return rows;
}

/** Lines with their line feeds, so that the last one without is another than one with. */
function linesOf(file: Buffer | undefined): string[] {
  return file === undefined ? [] : (file.toString('utf8').match(/[^\n]*\n|[^\n]+/gu) ?? []);
}

function hunkOf(rows: readonly Row[]): string {
  const range = (side: '-' | '+'): string => {
    const own = rows.filter((row) => row.side === ' ' || row.side === side);
    const first = (side === '-' ? rows[0]?.old : rows[0]?.now) ?? 1;
    // A side without lines is named by the line before.
    return `${side}${own.length === 0 ? first - 1 : first}${own.length === 1 ? '' : `,${own.length}`}`;
  };
  const body = rows.map(({ side, text }) => side + (text.endsWith('\n') ? text.slice(0, -1) : `${text}\n\\ No newline at end of file`));
  return [`@@ ${range('-')} ${range('+')} @@`, ...body].join('\n');
}
