import { ActionError } from '@slashtrain/core/action/errors';

/** One cell of a notebook. */
export interface Cell {
  /** From 1, over the cells of every type: as they stand in the notebook, not `In [n]`, which changes with each run. */
  number: number;
  type: 'code' | 'markdown' | 'raw';
  tags: string[];
  lines: string[];
}

/** A Python notebook, without its outputs. */
export interface Notebook {
  /** From the context's root. */
  path: string;
  cells: Cell[];
}

/** Where something stands, as errors say it. */
export function placeOf(path: string, cell: number, line?: number): string {
  return `${path}, cell ${cell}${line === undefined ? '' : `, line ${line}`}`;
}

/**
 * Reads a notebook of the format's version 4 (https://nbformat.readthedocs.io/en/latest/format_description.html).
 * @throws ActionError `input` for what is no notebook, `unsupported` for another version or language
 */
export function readNotebook(text: string, path: string): Notebook {
  if (text.startsWith('version https://git-lfs.github.com/spec/'))
    throw new ActionError('input', `${path} is a pointer of Git LFS, no notebook`, {
      remedy: "include LFS objects in archives (the repository's settings), or keep the notebook in git, without its outputs",
    });
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/u, ''));
  } catch (error) {
    throw new ActionError('input', `${path} is no notebook, since it is no JSON: ${(error as Error).message.slice(0, 200)}`, {
      remedy: 'open it in Jupyter; a merge may have left its marks (<<<<<<<) in it',
      cause: error,
    });
  }
  const top = objectOf(value);
  const { nbformat, cells } = top;
  if (typeof nbformat === 'number' && nbformat !== 4)
    throw new ActionError('unsupported', `${path} is a notebook of format ${nbformat}; build-image reads format 4`, {
      remedy: `run "jupyter nbconvert --to notebook --nbformat 4 --inplace ${path.split('/').at(-1) ?? ''}", or save it in Jupyter, and commit it`,
    });
  if (nbformat !== 4 || !Array.isArray(cells))
    throw new ActionError('input', `${path} is no notebook: it has ${nbformat === 4 ? 'no list of cells' : 'no "nbformat"'}`);
  checkLanguage(objectOf(top['metadata']), path);
  return { path, cells: cells.map((cell: unknown, index) => readCell(objectOf(cell), index + 1, path)) };
}

function checkLanguage(metadata: Record<string, unknown>, path: string): void {
  const kernel = objectOf(metadata['kernelspec']);
  const language = objectOf(metadata['language_info'])['name'] ?? kernel['language'];
  const isPython = typeof language === 'string' ? /^i?python$/iu.test(language) : /^(?:i?python|$)/iu.test(textOf(kernel['name']));
  if (isPython) return;
  throw new ActionError(
    'unsupported',
    `${path} is written in ${JSON.stringify(language ?? 'an unknown language')} (kernel ${JSON.stringify(textOf(kernel['display_name']) || textOf(kernel['name']))}); build-image reads notebooks of Python`,
    { remedy: 'write the script yourself, or build with a Dockerfile' },
  );
}

function readCell(cell: Record<string, unknown>, number: number, path: string): Cell {
  const { cell_type: type, source } = cell;
  if (type !== 'code' && type !== 'markdown' && type !== 'raw')
    throw new ActionError(
      'input',
      `${placeOf(path, number)} is of type ${JSON.stringify(type) ?? 'none'}; there are code, markdown and raw`,
    );
  const isList = Array.isArray(source) && source.every((line) => typeof line === 'string');
  if (typeof source !== 'string' && !isList) throw new ActionError('input', `${placeOf(path, number)} has no source`);
  const { tags } = objectOf(cell['metadata']);
  return {
    number,
    type,
    tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [],
    lines: (typeof source === 'string' ? source : source.join('')).trimEnd().split(/\r\n|\r|\n/u),
  };
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
