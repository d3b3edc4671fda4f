import { createReadStream } from 'node:fs';
import { readdir, readFile, readlink, rm, stat, lstat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Layer, LayerFile } from './layer.ts';

/** Where packages lie in an image: no base has anything there. */
export const packagesFolder = '/opt/python-packages';

/**
 * Makes installed packages a layer that depends on the packages alone: not on this machine's Python, on who installed
 * them, or when.
 */
export async function writePackages(folder: string, file: string): Promise<Layer> {
  const files: LayerFile[] = [];
  const paths = await pathsIn(folder);
  const starters = new Map<string, string>();
  for (const path of paths)
    if (path.endsWith('.dist-info/entry_points.txt'))
      for (const [name, script] of startersOf(await readFile(join(folder, path), 'utf8'))) starters.set(name, script);
  for (const path of paths) {
    if (/(?:^|\/)__pycache__\/|\.pyc$|^\.lock$|\.dist-info\/(?:INSTALLER|REQUESTED|direct_url\.json|uv_cache\.json)$/u.test(path)) {
      await rm(join(folder, path));
      continue;
    }
    if (path.endsWith('.dist-info/RECORD')) await tidyRecord(join(folder, path));
    if (path.startsWith('bin/')) await tidyScript(join(folder, path), starters.get(path.slice('bin/'.length)));
    const facts = await lstat(join(folder, path));
    const isLink = facts.isSymbolicLink();
    files.push({
      path,
      kind: isLink ? 'link' : 'file',
      isExecutable: !isLink && (facts.mode & 0o100) !== 0,
      size: isLink ? 0 : facts.size,
      link: isLink ? await readlink(join(folder, path)) : '',
    });
  }
  const { writeLayer } = await import('./layer.ts');
  return writeLayer(files, ({ path }) => createReadStream(join(folder, path)) as AsyncIterable<Buffer>, packagesFolder, file);
}

async function pathsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/** The list of a package's files, without those that are gone or that we change, in one order. */
async function tidyRecord(file: string): Promise<void> {
  const lines = (await readFile(file, 'utf8')).split(/\r?\n/u);
  const kept = lines.filter(
    (line) => line !== '' && !/^"?(?:\.\.\/|bin\/)|\.pyc,|(?:INSTALLER|REQUESTED|direct_url\.json|uv_cache\.json),/u.test(line),
  );
  await writeFile(file, `${kept.sort().join('\n')}\n`);
}

/**
 * The scripts that a package wants to be started by, by name. pip and uv write them each in their own way.
 * https://packaging.python.org/en/latest/specifications/entry-points/
 */
export function startersOf(entryPoints: string): Map<string, string> {
  const scripts = new Map<string, string>();
  let section = '';
  for (const line of entryPoints.split(/\r?\n/u)) {
    section = /^\s*\[(.+)\]\s*$/u.exec(line)?.[1] ?? section;
    const [, name, module, attribute] = /^\s*([\w.-]+)\s*=\s*([\w.]+)\s*:\s*([\w.]+)\s*(?:\[.*\])?\s*$/u.exec(line) ?? [];
    if (!['console_scripts', 'gui_scripts'].includes(section) || name === undefined || module === undefined || attribute === undefined)
      continue;
    const imported = attribute.split('.')[0] ?? '';
    scripts.set(name, `#!/usr/bin/env python3\nimport sys\nfrom ${module} import ${imported}\n\nsys.exit(${attribute}())\n`);
  }
  return scripts;
}

/** Scripts name the Python of the machine that they were installed on. */
async function tidyScript(file: string, starter: string | undefined): Promise<void> {
  if (starter !== undefined) return writeFile(file, starter);
  if ((await stat(file)).size > 1_000_000) return;
  const text = await readFile(file, 'latin1');
  const [first = ''] = text.split('\n', 1);
  if (/^#!.*python/u.test(first)) await writeFile(file, `#!/usr/bin/env python3${text.slice(first.length)}`, 'latin1');
}
