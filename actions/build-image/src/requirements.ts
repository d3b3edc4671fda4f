import { posix } from 'node:path';
import { ActionError } from '@slashtrain/core/action/errors';

/** What is to be installed, in one file without references to others. */
export interface Requirements {
  /** Lines of a requirements file. */
  lines: string[];
  /** Lines of a constraints file. */
  constraints: string[];
  /** Whether the lines name indexes of their own. */
  hasIndex: boolean;
}

/** What stands in a file of the commit, by its path from the context; undefined where it is not there. */
export type ReadText = (path: string) => Promise<string | undefined>;

const name = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\s*(?:\[[A-Za-z0-9._,\s-]*\])?\s*/u;
const indexOption = /^(?:-i|-f|--index-url|--extra-index-url|--find-links)[=\s]+(\S+)$/u;
const fileOption = /^(?:-r|-c|--requirement|--constraint)[=\s]*(\S.*)$/u;
const harmless = /^--(?:pre|prefer-binary|require-hashes|only-binary[=\s]\S+)$/u;

/**
 * Reads a requirements file with those that it refers to
 * (https://pip.pypa.io/en/stable/reference/requirements-file-format/). What would run code of somebody's on this machine
 * (sources, editable installs, repositories, options that allow them) is refused by name, and so are variables, which
 * would be filled in from the job's environment.
 * @throws ActionError `input`, `not-found`
 */
export async function readRequirements(path: string, read: ReadText): Promise<Requirements> {
  const result: Requirements = { lines: [], constraints: [], hasIndex: false };
  await readFile(path, read, 'lines', result, []);
  return result;
}

async function readFile(
  path: string,
  read: ReadText,
  into: 'lines' | 'constraints',
  result: Requirements,
  from: readonly string[],
): Promise<void> {
  if (path.startsWith('..') || path.startsWith('/')) throw refusedLine(from.at(-1) ?? path, path, 'it lies outside of the context');
  if (from.includes(path)) throw refusedLine(path, path, 'it refers to itself');
  const text = await read(path);
  if (text === undefined)
    throw new ActionError(
      'not-found',
      `the file "${path}" is not in the context${from.length > 0 ? `; ${from.at(-1) ?? ''} refers to it` : ''}`,
      {
        remedy: 'check its name, and that .dockerignore leaves it in',
      },
    );
  for (const line of logicalLines(text)) {
    const [, file] = fileOption.exec(line) ?? [];
    if (file !== undefined) {
      const isConstraint = /^(?:-c|--constraint)/u.test(line) || into === 'constraints';
      await readFile(posix.join(posix.dirname(path), file.trim()), read, isConstraint ? 'constraints' : 'lines', result, [...from, path]);
      continue;
    }
    if (harmless.test(line)) continue;
    checkLine(line, path);
    if (indexOption.test(line)) result.hasIndex = true;
    result[into].push(line);
  }
}

/** Lines without comments, with those joined that end in a backslash. */
function logicalLines(text: string): string[] {
  return text
    .replace(/^\ufeff/u, '')
    .replace(/\\\r?\n/gu, ' ')
    .split(/\r\n|\n|\r/u)
    .map((line) => line.replace(/(?:^|\s)#.*$/u, '').trim())
    .filter((line) => line !== '');
}

function checkLine(line: string, path: string): void {
  if (line.includes('${')) throw refusedLine(path, line, 'variables would be filled in from the environment of the job');
  const [, url] = indexOption.exec(line) ?? [];
  if (url !== undefined) {
    if (!url.startsWith('https://')) throw refusedLine(path, line, 'indexes are https addresses');
    return;
  }
  if (line.startsWith('-')) throw refusedLine(path, line, 'that option is not for an image of wheels alone');
  const rest = line.replace(name, '');
  if (rest === line || /^[./\\:+]/u.test(rest))
    throw refusedLine(path, line, 'that is a path or a repository, whose code would have to be run to install it');
  const [, address] = /^@\s*(\S+)/u.exec(rest) ?? [];
  if (address !== undefined && !/^https:\/\/[^\s#?]+\.whl(?:#\S*)?$/u.test(address))
    throw refusedLine(path, line, 'of addresses only those of wheels (https://….whl) can be installed without running code');
}

function refusedLine(path: string, line: string, why: string): ActionError {
  return new ActionError('input', `${path} has ${JSON.stringify(line.slice(0, 200))}: ${why}`, {
    remedy: 'name a released package there, or set "dependencies: none" and build with a Dockerfile',
  });
}

/**
 * What a pyproject.toml says its project depends on (https://packaging.python.org/en/latest/specifications/pyproject-toml/).
 * Nothing is built to find out: what it leaves to a build backend is refused.
 * @throws ActionError `input`
 */
export async function readProject(text: string, path: string): Promise<Requirements> {
  const { parse } = await import('smol-toml');
  let value: Record<string, unknown>;
  try {
    value = parse(text);
  } catch (error) {
    throw new ActionError('input', `${path} is no TOML: ${(error as Error).message.split('\n')[0] ?? ''}`, { cause: error });
  }
  const project = Object(value['project']) as { dependencies?: unknown; dynamic?: unknown };
  if (Array.isArray(project.dynamic) && project.dynamic.includes('dependencies'))
    throw new ActionError(
      'input',
      `${path} leaves its dependencies to a build backend (dynamic), whose code would have to be run to know them`,
      {
        remedy: 'write them under project.dependencies, or pin them in requirements.txt or uv.lock',
      },
    );
  const { dependencies = [] } = project;
  if (!Array.isArray(dependencies) || !dependencies.every((line) => typeof line === 'string'))
    throw new ActionError('input', `${path}: project.dependencies is no list of texts`);
  for (const line of dependencies) checkLine(line, path);
  return { lines: dependencies, constraints: [], hasIndex: false };
}
