import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { readCsv } from './csv.ts';
import { readJson, readJsonLines } from './json.ts';
import { flattenParameters, noReadings, type FileMetrics, type Readings } from './readings.ts';

const largestFile = 64 * 1024 * 1024;

const readers: Record<string, (text: string, name: string) => Readings | Promise<Readings>> = {
  '.json': (text, name) => (isParameters(name) ? readParameters(text) : readJson(text)),
  '.jsonl': readJsonLines,
  '.ndjson': readJsonLines,
  '.csv': (text) => readCsv(text, ','),
  '.tsv': (text) => readCsv(text, '\t'),
  '.yaml': async (text, name) => (await import('./yaml.ts')).readYaml(text, isParameters(name) ? 'parameters' : 'metrics'),
  '.yml': async (text, name) => (await import('./yaml.ts')).readYaml(text, isParameters(name) ? 'parameters' : 'metrics'),
};

/** `params.yaml` of DVC, `hparams.yaml` of Lightning. */
function isParameters(name: string): boolean {
  return /^h?params\./u.test(basename(name));
}

function readParameters(text: string): Readings {
  const readings = noReadings();
  readings.parameters.push(...flattenParameters(JSON.parse(text)));
  return readings;
}

/** Whether it is a TensorBoard event file, by its name: `events.out.tfevents.<time>.<host>`. */
export function isEventFile(name: string): boolean {
  return basename(name).includes('tfevents');
}

/**
 * Reads a text file by the format of its name.
 * @throws Error with what is allowed, or what is wrong with it
 */
export async function readTextFile(path: string, name: string): Promise<FileMetrics> {
  checkFormat(name);
  const { size } = await stat(path);
  if (size > largestFile) throw new Error(`it has ${size} bytes; allowed: ${largestFile}`);
  return readText(await readFile(path, 'utf8'), name);
}

/** Reads a text as if it were the file of that name. @throws Error */
export async function readText(text: string, name: string): Promise<FileMetrics> {
  const reader = checkFormat(name);
  const plain = text.replace(/^\ufeff/u, '');
  if (plain.trim() === '') throw new Error('it is empty');
  const { collector, notes, parameters, tables } = await reader(plain, name);
  const series = collector.series();
  // DVCLive: a file a metric, whose column has the last part of the name only.
  const curve = /(?:^|\/)plots\/metrics\/(.+)\.tsv$/u.exec(name.replaceAll('\\', '/'));
  if (curve && series.length === 1) series[0]!.name = (curve[1] ?? '').replaceAll('/', '.');
  return { series, notes, parameters, tables };
}

function checkFormat(name: string): NonNullable<(typeof readers)[string]> {
  const reader = Object.hasOwn(readers, extname(name).toLowerCase()) ? readers[extname(name).toLowerCase()] : undefined;
  if (!reader) throw new Error(`allowed: ${Object.keys(readers).join(', ')}, and event files of TensorBoard (*tfevents*)`);
  return reader;
}
