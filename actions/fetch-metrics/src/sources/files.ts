import { readFile, stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { messageOf } from '@slashtrain/core/action/errors';
import type { MetricSeries } from '@slashtrain/core/metrics/metrics';
import { summariseAll } from '@slashtrain/core/metrics/summary';
import { readCsv } from './csv.ts';
import { readJson, readJsonLines } from './json.ts';
import type { Measured } from './measured.ts';
import type { Readings } from './readings.ts';

const largestFile = 64 * 1024 * 1024;

const readers: Record<string, (text: string) => Readings | Promise<Readings>> = {
  '.json': readJson,
  '.jsonl': readJsonLines,
  '.ndjson': readJsonLines,
  '.csv': (text) => readCsv(text, ','),
  '.tsv': (text) => readCsv(text, '\t'),
};

/**
 * Reads files as the metrics of one run. A file that cannot be read is a problem, and the others are read all the same;
 * a metric in two files is one as well, since nobody could say which counts.
 * @param folder what relative paths are below
 */
export async function readFiles(files: readonly string[], folder: string, of: { sha: string; pullRequest?: number }): Promise<Measured> {
  const measured: Measured = { runs: [], notes: [], problems: [] };
  const series = new Map<string, { file: string; one: MetricSeries }>();
  for (const file of files) {
    for (const one of await readOne(file, folder, measured)) {
      const other = series.get(one.name);
      if (other)
        measured.problems.push(`${JSON.stringify(one.name.slice(0, 100))} stands in ${other.file} and in ${file}; the first was taken`);
      else series.set(one.name, { file, one });
    }
  }
  const metrics = summariseAll([...series.values()].map(({ one }) => one));
  if (metrics.length > 0)
    measured.runs.push({
      id: files[0] ?? '',
      sha: of.sha,
      ...(of.pullRequest === undefined ? {} : { pullRequest: of.pullRequest }),
      parameters: [],
      metrics,
    });
  return measured;
}

async function readOne(file: string, folder: string, { notes, problems }: Measured): Promise<MetricSeries[]> {
  const reader = readers[extname(file).toLowerCase()];
  if (!reader) {
    problems.push(`${file} was not read; allowed: ${Object.keys(readers).join(', ')}`);
    return [];
  }
  try {
    const path = resolve(folder, file);
    const { size } = await stat(path);
    if (size > largestFile) {
      problems.push(`${file} was not read: it has ${size} bytes; allowed: ${largestFile}`);
      return [];
    }
    const text = (await readFile(path, 'utf8')).replace(/^\ufeff/u, '');
    if (text.trim() === '') {
      problems.push(`${file} is empty`);
      return [];
    }
    const readings = await reader(text);
    notes.push(...readings.notes.map((note) => `${file}: ${note}`));
    const series = readings.collector.series();
    if (series.length === 0) notes.push(`${file} has no numbers`);
    return series;
  } catch (error) {
    problems.push(`${file} cannot be read: ${messageOf(error)}`);
    return [];
  }
}
