import { dirname } from 'node:path';
import { messageOf } from '@slashtrain/core/action/errors';
import type { MetricRun, MetricSummary } from '@slashtrain/core/metrics/metrics';
import { summarise, summariseAll } from '@slashtrain/core/metrics/summary';
import { asWritten } from './events/curves.ts';
import { expandFiles, type FoundFile } from './expand.ts';
import { isEventFile, readTextFile } from './formats.ts';
import { nothingMeasured, type Measured } from './measured.ts';
import type { FileMetrics } from './readings.ts';

/**
 * Reads files as the metrics of one run, or with `{run}` in a pattern of several. A file that cannot be read is a problem, and
 * the others are read all the same; a metric in two files is one as well, since nobody could say which counts.
 * @param folder what relative paths are below
 */
export async function readFiles(patterns: readonly string[], folder: string, of: { sha: string; pullRequest?: number }): Promise<Measured> {
  const measured = nothingMeasured();
  const runs = Map.groupBy(await expandFiles(patterns, folder, measured.problems), ({ run }) => run);
  for (const [name, files] of runs) {
    const run = await readRunFiles(files, measured);
    if (run.metrics.length === 0 && run.parameters.length === 0 && !run.tables) continue;
    measured.runs.push({
      id: name === '' ? (files[0]?.name ?? '') : name,
      source: 'files',
      sha: of.sha,
      ...(of.pullRequest === undefined ? {} : { pullRequest: of.pullRequest }),
      ...run,
    });
  }
  return measured;
}

/** What a file, or the event files of a folder, say: the curves in short. */
type Summed = Omit<FileMetrics, 'series'> & { metrics: MetricSummary[] };

/** What all files of one run say together. */
async function readRunFiles(
  files: readonly FoundFile[],
  { notes, problems }: Measured,
): Promise<Pick<MetricRun, 'parameters' | 'metrics' | 'tables'>> {
  const metrics = new Map<string, { file: string; metric: MetricSummary }>();
  const parameters = new Map<string, string>();
  const tables: NonNullable<MetricRun['tables']> = [];
  const take = (file: string, read: Summed & { isFloat?: boolean }): void => {
    notes.push(...read.notes.map((note) => `${file}: ${note}`));
    if (read.metrics.length === 0 && read.parameters.length === 0 && read.tables.length === 0) notes.push(`${file} has no numbers`);
    for (const metric of read.metrics) {
      const merged = merge(metrics.get(metric.name), { file, metric: read.isFloat ? decimal(metric) : metric });
      if (merged === undefined) {
        const other = metrics.get(metric.name)?.file ?? '';
        problems.push(`${JSON.stringify(metric.name.slice(0, 100))} stands in ${other} and in ${file}; the first was taken`);
      } else metrics.set(metric.name, merged);
    }
    for (const { name, value } of read.parameters) parameters.set(name, value);
    tables.push(...read.tables.map((table) => ({ ...table, name: file })));
  };
  for (const { name, path } of files.filter((file) => !isEventFile(file.name))) {
    try {
      const { series, ...rest } = await readTextFile(path, name);
      take(name, { ...rest, metrics: summariseAll(series) });
    } catch (error) {
      problems.push(`${name} cannot be read: ${messageOf(error)}`);
    }
  }
  const events = files.filter((file) => isEventFile(file.name));
  if (events.length > 0) for (const [file, read] of await readEventFolders(events, problems)) take(file, { ...read, isFloat: true });
  return {
    parameters: [...parameters].map(([name, value]) => ({ name, value })),
    metrics: [...metrics.values()].map(({ metric }) => metric),
    ...(tables.length > 0 ? { tables } : {}),
  };
}

/** Event files of one folder go on with one another; those of several folders are told apart by the folder's name, as TensorBoard does. */
async function readEventFolders(files: readonly FoundFile[], problems: string[]): Promise<[string, Summed][]> {
  const [{ readEvents }, { Curves }] = await Promise.all([import('./events/read.ts'), import('./events/curves.ts')]);
  const folders = Map.groupBy(files, ({ name }) => dirname(name));
  const shared = commonFolder([...folders.keys()]);
  const read: [string, Summed][] = [];
  for (const [folder, own] of folders) {
    const curves = new Curves();
    const whole: Summed = { metrics: [], notes: [], parameters: [], tables: [] };
    for (const { name, path } of own.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      try {
        const { notes, parameters } = await readEvents(path, curves);
        whole.notes.push(...notes);
        whole.parameters.push(...parameters);
      } catch (error) {
        problems.push(`${name} cannot be read: ${messageOf(error)}`);
      }
    }
    const prefix = folder.slice(shared.length).replace(/^\//u, '');
    for (const { name, points } of curves.drain()) {
      const metric = summarise({ name: prefix === '' ? name : `${prefix}/${name}`, points });
      if (metric) whole.metrics.push(metric);
    }
    read.push([own[0]?.name ?? folder, whole]);
  }
  return read;
}

function commonFolder(folders: readonly string[]): string {
  const [first = [], ...rest] = folders.map((folder) => folder.split('/'));
  let length = first.length;
  for (const other of rest) while (length > 0 && first.slice(0, length).join('/') !== other.slice(0, length).join('/')) length--;
  return first.slice(0, length).join('/');
}

interface Standing {
  file: string;
  metric: MetricSummary;
}

/** A curve, and its last value again in another file, are one metric: DVCLive writes both. @returns undefined where two differ */
function merge(before: Standing | undefined, now: Standing): Standing | undefined {
  if (before === undefined) return now;
  if (!Object.is(before.metric.last, now.metric.last)) return undefined;
  const [longer, shorter] = before.metric.history.length >= now.metric.history.length ? [before, now] : [now, before];
  return shorter.metric.history.length === 1 ? longer : undefined;
}

function decimal(metric: MetricSummary): MetricSummary {
  return {
    ...metric,
    last: asWritten(metric.last),
    min: asWritten(metric.min),
    max: asWritten(metric.max),
    history: metric.history.map(({ step, value }) => ({ step, value: asWritten(value) })),
  };
}
