import type { Limit, Row, Unit } from './part.ts';
import type { Machine, Results } from './results.ts';
import { median, ratios, spreadOf } from './samples.ts';

/** Whether a figure keeps a limit; undefined where there is nothing to hold against it. */
export function keeps(row: Row, limit: Limit): boolean | undefined {
  const value = valueOf(row, limit.of);
  if (value === undefined || !Number.isFinite(value)) return undefined;
  return value <= (limit.most ?? Infinity) && value >= (limit.least ?? -Infinity);
}

function valueOf(row: Row, of: Limit['of']): number | undefined {
  if (of === 'memory') return row.memory?.ours;
  return median(of === 'ratio' ? ratios(row) : row.ours);
}

/** All limits that are not kept. */
export function missed(rows: readonly Row[]): Row[] {
  return rows.filter((row) => (row.limits ?? []).some((limit) => keeps(row, limit) === false));
}

const columns = ['what', 'ours', 'peer', 'ratio', 'limit', 'met', 'memory', 'rounds', 'issue'];

/** The rows as a table of markdown. */
export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.what,
    shown(row.ours, row.unit),
    row.peer ? `${shown(row.peer.samples, row.unit)} ${row.peer.name}${row.peer.version ? ` (${row.peer.version})` : ''}` : '–',
    shown(ratios(row), 'ratio'),
    (row.limits ?? []).map((limit) => limitWords(limit, row.unit)).join(', ') || '–',
    (row.limits ?? []).map((limit) => metWord(keeps(row, limit))).join(', ') || '–',
    memoryWords(row.memory),
    String(row.ours.length),
    row.issues.join(', '),
  ]);
  return [columns, columns.map(() => '---'), ...lines].map((cells) => `| ${cells.map(escape).join(' | ')} |`).join('\n');
}

export function machineWords({ cpu, cores, memory, kernel, node, load }: Machine): string {
  return `${cpu}, ${cores} cores, ${memory} GiB, ${kernel}, Node ${node}, load ${load} at the begin`;
}

/** One line over a table. */
export function headOf({ seconds, machine, ...run }: Results): string {
  return `${momentOf(run)}, ${Math.round(seconds / 60)} min: ${machineWords(machine)}`;
}

/** When parts were measured again, on which commit, and how busy the machine was. */
export function againOf({ machine, ...run }: Pick<Results, 'commit' | 'at' | 'machine'>): string {
  return `${momentOf(run)}, load ${machine.load} at the begin`;
}

function momentOf({ commit, at }: Pick<Results, 'commit' | 'at'>): string {
  return `${at.slice(0, 16).replace('T', ' ')} UTC, commit ${commit.slice(0, 7)}${commit.endsWith('+') ? ' with changes' : ''}`;
}

/** `0.97 (0.95 – 1.02)`: the median, and the quartiles where there are enough rounds for them to say something. */
export function shown(values: readonly number[], unit: Unit | 'ratio'): string {
  if (values.length === 0) return '–';
  const { median: middle, low, high } = spreadOf(values);
  const suffix = unit === 'ratio' || unit === 'count' ? '' : ` ${unit}`;
  const text = unit === 'ratio' ? middle.toFixed(2) : number(middle);
  if (values.length < 3 || low === high) return `${text}${suffix}`;
  const ends = unit === 'ratio' ? [low.toFixed(2), high.toFixed(2)] : [number(low), number(high)];
  return `${text} (${ends.join(' – ')})${suffix}`;
}

/** Three digits that mean something, and no more. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-GB');
  return String(Number(value.toPrecision(Math.abs(value) >= 10 ? 3 : 2)));
}

function limitWords({ of, most, least }: Limit, unit: Unit): string {
  const suffix = of === 'ratio' ? '×' : of === 'memory' ? ' MB' : unit === 'count' ? '' : ` ${unit}`;
  return [most === undefined ? [] : `≤ ${number(most)}${suffix}`, least === undefined ? [] : `≥ ${number(least)}${suffix}`]
    .flat()
    .join(', ');
}

function metWord(kept: boolean | undefined): string {
  return kept === undefined ? 'not measured' : kept ? 'yes' : '**no**';
}

function memoryWords(memory: Row['memory']): string {
  if (memory?.ours === undefined) return '–';
  const ours = `${number(Math.round(memory.ours))} MB`;
  return memory.peer === undefined ? ours : `${ours} / ${number(Math.round(memory.peer))} MB`;
}

function escape(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}
