import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const folder = resolve(import.meta.dirname, '../../../../examples/digits');

/** The files of examples/digits by path: data, training, pipeline, and the workflow that users copy. */
export function digitsFiles(): Record<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map((entry) => join(entry.parentPath, entry.name)).filter((file) => !file.includes('node_modules'));
  return Object.fromEntries(files.map((file) => [relative(folder, file), readFileSync(file)]));
}

/** The file that the demo's pull requests change. */
export function settings(values: { hidden: number; 'learning-rate': number; batch: number }): string {
  return `${JSON.stringify(values, undefined, 2)}\n`;
}
