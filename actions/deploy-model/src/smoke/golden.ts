import { messageOf } from '@slashtrain/core/action/errors';
import { parse } from 'csv-parse/sync';

/** A row of a golden set's file. */
export interface GoldenEntry {
  input: unknown;
  expected: unknown;
  /** `digits.jsonl:12`, or `digits.json[11]`. */
  place: string;
}

const mostRows = 10_000;
const largestFile = 64 * 1024 * 1024;

/**
 * Reads a golden set: `.json` (a list) and `.jsonl` of `{"input": …, "expected": …}`; `.csv` with a header, whose column
 * `expected` is the output and whose other columns, in their order, are the input.
 * @param fail is told what is wrong, with the file and line
 */
export function readGolden(text: string, file: string, fail: (words: string) => never): GoldenEntry[] {
  if (text.length > largestFile) fail(`${file} has ${text.length} characters; allowed: ${largestFile}`);
  const rows = rowsOf(text, file, fail);
  if (rows.length === 0) fail(`${file} has no rows: a golden set without any expects nothing`);
  if (rows.length > mostRows) fail(`${file} has ${rows.length} rows; allowed: ${mostRows}`);
  return rows;
}

function rowsOf(text: string, file: string, fail: (words: string) => never): GoldenEntry[] {
  switch (/\.[a-z]+$/iu.exec(file)?.[0].toLowerCase()) {
    case '.json': {
      const data = parsed(text, file, fail);
      if (!Array.isArray(data)) return fail(`${file} holds no list; allowed: [{"input": …, "expected": …}, …]`);
      return data.map((entry, index) => entryOf(entry, `${file}[${index}]`, fail));
    }
    case '.jsonl':
    case '.ndjson':
      return text
        .split('\n')
        .flatMap((line, index) =>
          line.trim() === '' ? [] : [entryOf(parsed(line, `${file}:${index + 1}`, fail), `${file}:${index + 1}`, fail)],
        );
    case '.csv':
      return csvRows(text, file, fail);
    default:
      return fail(`${file} is no golden set; allowed: .json, .jsonl, .ndjson, .csv`);
  }
}

function parsed(text: string, place: string, fail: (words: string) => never): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return fail(`${place} is no JSON: ${messageOf(error)}`);
  }
}

function entryOf(entry: unknown, place: string, fail: (words: string) => never): GoldenEntry {
  if (typeof entry !== 'object' || entry === null || !Object.hasOwn(entry, 'input') || !Object.hasOwn(entry, 'expected')) {
    return fail(`${place} has no "input" and "expected"; allowed: {"input": …, "expected": …}`);
  }
  const { input, expected } = entry as { input: unknown; expected: unknown };
  return { input, expected, place };
}

function csvRows(text: string, file: string, fail: (words: string) => never): GoldenEntry[] {
  let records: { record: string[]; info: { lines: number } }[];
  try {
    records = parse(text, { bom: true, skip_empty_lines: true, info: true }) as unknown as typeof records;
  } catch (error) {
    return fail(`${file}: ${messageOf(error)}`);
  }
  const [header, ...body] = records;
  const names = header?.record.map((name) => name.trim()) ?? [];
  const column = names.indexOf('expected');
  if (column < 0) {
    const shown = names.slice(0, 5).map((name) => JSON.stringify(name.slice(0, 60)));
    return fail(`${file} has no column "expected"; it has ${shown.join(', ')}${names.length > 5 ? ' and more' : ''}`);
  }
  return body.map(({ record, info }) => ({
    input: record.flatMap((cell, index) => (index === column ? [] : [cellOf(cell)])),
    expected: cellOf(record[column] ?? ''),
    place: `${file}:${info.lines}`,
  }));
}

/** A number where the cell is one, else its text. */
function cellOf(cell: string): number | string {
  return /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/u.test(cell.trim()) ? Number(cell) : cell;
}
