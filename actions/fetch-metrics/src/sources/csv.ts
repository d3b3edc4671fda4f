import type { MetricCollector } from '@slashtrain/core/metrics/lines';
import { noReadings, stepIn, stepKeys, valueIn, type Readings } from './readings.ts';

/**
 * Reads a table with a header line: each column is a metric, each row a step, empty cells are no readings (Lightning's
 * CSVLogger writes sparse rows). Columns without numbers are left out. Of a file that was cut, what is whole is read.
 */
export async function readCsv(text: string, delimiter: ',' | '\t'): Promise<Readings> {
  const { parse } = await import('csv-parse/sync');
  const readings = noReadings();
  const { collector, notes } = readings;
  const broken: number[] = [];
  const rows = parse(text, {
    delimiter,
    bom: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    info: true,
    on_skip: (error) => {
      broken.push(Number(error?.['lines'] ?? 0));
    },
  }) as unknown as { record: string[]; info: { lines: number } }[];

  const [header, ...body] = rows;
  if (!header) return readings;
  const names = header.record.map((name) => name.trim());
  for (const [index, { record, info }] of body.entries()) {
    if (record.length !== names.length) {
      broken.push(info.lines);
      continue;
    }
    addCells(collector, names, record, index);
  }
  const columns = names.filter((_, column) => !body.some(({ record }) => numberIn(record[column]) !== undefined));
  if (columns.length > 0 && body.length > 0) {
    notes.push(
      `without numbers, hence left out: ${columns
        .slice(0, 5)
        .map((name) => JSON.stringify(name.slice(0, 60)))
        .join(', ')}`,
    );
  }
  if (broken.length > 0)
    notes.push(
      `left out, since they do not have ${names.length} cells: line ${broken.slice(0, 5).join(', ')}${broken.length > 5 ? ', …' : ''}`,
    );
  if (!text.endsWith('\n')) notes.push('it does not end with a line feed: if it was cut, its last value is too short');
  return readings;
}

function addCells(collector: Pick<MetricCollector, 'add'>, names: readonly string[], cells: readonly string[], row: number): void {
  const byName = new Map(names.map((name, column) => [name, numberIn(cells[column])]));
  const step = stepIn((key) => byName.get(key)) ?? row;
  for (const [name, value] of byName) if (value !== undefined && !stepKeys.includes(name)) collector.add({ name, value, step });
}

function numberIn(cell: string | undefined): number | undefined {
  const text = cell?.trim() ?? '';
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/u.test(text)) return Number(text);
  return valueIn(text);
}
