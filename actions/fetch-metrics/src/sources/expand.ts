import { glob, realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { messageOf } from '@slashtrain/core/action/errors';

/** A file that is there, and the run that it belongs to. */
export interface FoundFile {
  /** As people know it: relative to the workspace where the pattern was. */
  name: string;
  path: string;
  /** What `{run}` stood for; empty where the pattern has none. */
  run: string;
}

const mostFiles = 10_000;

/**
 * The files that paths and patterns mean (`*`, `**`, `?`, `[…]`; `{run}` is a `*` whose text names the run).
 * A file that has a pattern's letters for its name is that file. What leads out of the workspace by a link is refused: in a
 * pull request's checkout somebody else made the links.
 * @param problems gets what matches nothing
 */
export async function expandFiles(patterns: readonly string[], folder: string, problems: string[]): Promise<FoundFile[]> {
  const found = new Map<string, FoundFile>();
  const root = await realpath(folder);
  for (const pattern of patterns) {
    for (const file of await matching(pattern, folder, problems)) {
      if (!isAbsolute(pattern) && !(await isInside(file.path, root)))
        problems.push(`${file.name} leads out of the workspace, and was not read`);
      else if (found.size >= mostFiles) return stop(problems, found);
      else found.set(file.path, file);
    }
  }
  return [...found.values()];
}

async function matching(pattern: string, folder: string, problems: string[]): Promise<FoundFile[]> {
  const literal = resolve(folder, pattern);
  const exists = await stat(literal).then(
    (stats) => stats.isFile(),
    () => false,
  );
  if (exists || !/[*?[\]{}]/u.test(pattern)) return [{ name: pattern, path: literal, run: '' }];
  const runOf = runReader(pattern);
  const names: string[] = [];
  try {
    for await (const name of glob(pattern.replaceAll('{run}', '*'), { cwd: folder })) {
      names.push(name);
      if (names.length > mostFiles) break;
    }
  } catch (error) {
    problems.push(`${pattern} is no pattern: ${messageOf(error)}`);
    return [];
  }
  const files: FoundFile[] = [];
  for (const name of names.sort()) {
    const path = resolve(folder, name);
    if ((await stat(path).catch(() => undefined))?.isFile()) files.push({ name, path, run: runOf(name) });
  }
  if (files.length === 0) problems.push(`${pattern} matches no file`);
  return files;
}

/** What `{run}` stands for in a path; a pattern without it has one run. */
function runReader(pattern: string): (name: string) => string {
  if (!pattern.includes('{run}')) return () => '';
  const parts = pattern.split('{run}').map((part) =>
    part
      .replace(/[.+^$()|\\]/gu, '\\$&')
      .replace(/\*\*\/?/gu, '\u0000')
      .replaceAll('*', '[^/]*')
      .replaceAll('?', '[^/]')
      .replaceAll('\u0000', '(?:.*/)?'),
  );
  const expression = new RegExp(`^(?:\\./)?${parts[0]?.replace(/^\\\.\//u, '') ?? ''}([^/]*)${parts.slice(1).join('[^/]*')}$`, 'u');
  return (name) => expression.exec(name.split(sep).join('/'))?.[1] ?? '';
}

async function isInside(path: string, root: string): Promise<boolean> {
  // What is not there says so when it is read.
  const real = await realpath(path).catch(() => path);
  const way = relative(root, real);
  return (!way.startsWith('..') && !isAbsolute(way)) || real === path;
}

function stop(problems: string[], found: ReadonlyMap<string, FoundFile>): FoundFile[] {
  problems.push(`there are more than ${mostFiles} files; the first were read`);
  return [...found.values()];
}
