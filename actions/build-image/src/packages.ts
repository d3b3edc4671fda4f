import { createReadStream } from 'node:fs';
import { readdir, readFile, readlink, rm, stat, lstat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeLayer, type Layer, type LayerFile } from './layer.ts';

/** Where packages lie in an image: no base has anything there. */
export const packagesFolder = '/opt/python-packages';

/**
 * Makes installed packages a layer that depends on the packages alone: not on this machine's Python, on who installed
 * them, or when.
 */
export async function writePackages(folder: string, file: string): Promise<Layer> {
  const files: LayerFile[] = [];
  for (const path of await pathsIn(folder)) {
    if (/(?:^|\/)__pycache__\/|\.pyc$|^\.lock$|\.dist-info\/(?:INSTALLER|REQUESTED|direct_url\.json|uv_cache\.json)$/u.test(path)) {
      await rm(join(folder, path));
      continue;
    }
    if (path.endsWith('.dist-info/RECORD')) await tidyRecord(join(folder, path));
    if (path.startsWith('bin/')) await tidyScript(join(folder, path));
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

/** Scripts name the Python of the machine that they were installed on. */
async function tidyScript(file: string): Promise<void> {
  if ((await stat(file)).size > 1_000_000) return;
  const bytes = await readFile(file);
  if (bytes.subarray(0, 2).toString('latin1') !== '#!') return;
  const text = bytes.toString('utf8');
  const end = text.indexOf('\n');
  if (end < 0 || !/python|^#!\/bin\/sh$/u.test(text.slice(0, end))) return;
  // A long path is written as a shell script that calls it: https://github.com/pypa/distlib/blob/master/distlib/scripts.py
  const rest = text.slice(end + 1).replace(/^'''exec' .*\n' '''\n/u, '');
  if (text.startsWith('#!/bin/sh') && rest === text.slice(end + 1)) return;
  await writeFile(file, `#!/usr/bin/env python3\n${rest}`);
}
