import { ActionError } from '@slashtrain/core/action/errors';
import { readInstall } from './installs.ts';

/** What becomes of a line that only notebooks know. */
export interface Translated {
  /** Python, without indent; undefined: the line is left out. */
  code: string | undefined;
  /** Lines of a requirements file. */
  installs: string[];
}

const nothing: Translated = { code: undefined, installs: [] };
const python = (code: string): Translated => ({ code, installs: [] });

/** Magics that show something, or change how a notebook shows or loads things: a script is the same without them. */
const shown = [
  ...[
    'matplotlib',
    'config',
    'load_ext',
    'reload_ext',
    'autoreload',
    'aimport',
    'tensorboard',
    'precision',
    'xmode',
    'colors',
    'automagic',
  ],
  ...['autosave', 'pdb', 'pprint', 'pwd', 'ls', 'll', 'who', 'who_ls', 'whos', 'history', 'hist', 'lsmagic', 'magic', 'quickref', 'pinfo'],
  ...['pinfo2', 'pdoc', 'psource', 'timeit', 'page', 'watermark', 'dirs', 'conda_list'],
];
const shownCells = ['html', 'HTML', 'javascript', 'js', 'svg', 'SVG', 'markdown', 'latex', 'timeit'];

/**
 * A line magic or a command of a notebook as Python
 * (https://ipython.readthedocs.io/en/stable/interactive/magics.html).
 * @param line from its `%`, `!` or `?`
 * @param place for errors, such as `train.ipynb, cell 3, line 1`
 * @throws ActionError `unsupported`, with the line, for what a script cannot have
 */
export function translateLine(line: string, place: string): Translated {
  if (line.startsWith('?')) return nothing;
  const command = line.replace(/^(?:!{1,2}|%)\s*/u, '');
  const installs = readInstall(command, place);
  if (installs) return { code: undefined, installs };
  if (/^(?:conda|mamba|micromamba)\b/u.test(command))
    throw refusedLine(line, place, 'conda would have to run in the image', 'install it with %pip, or choose a base that has it');
  if (line.startsWith('!'))
    throw refusedLine(
      line,
      place,
      'it is for a shell, which the image may not have, and its words may mean other things there',
      'call subprocess.run([…]) in the cell, or tag the cell "skip"',
    );
  const [, name = '', rest = ''] = /^([\w.]+)\s*(.*)$/su.exec(command) ?? [];
  if (shown.includes(name)) return nothing;
  if (name === 'time') return python(rest === '' ? 'pass' : rest);
  if (name === 'env' || name === 'set_env') return environment(rest, line, place);
  if (name === 'cd') return folder(rest, line, place);
  throw unknown(`%${name}`, line, place);
}

/** What a cell magic makes of its cell. */
export interface TranslatedCell {
  /** How the lines below go on: as code, as a comment, or in `code` alone. */
  body: 'code' | 'comment';
  code: string | undefined;
}

/**
 * A cell magic.
 * @param line the cell's first, from its `%%`
 * @param body the lines below
 */
export function translateCell(line: string, body: readonly string[], place: string): TranslatedCell {
  const [, name = '', rest = ''] = /^%%\s*([\w.!]+)\s*(.*)$/su.exec(line) ?? [];
  if (name === 'time') return { body: 'code', code: rest === '' ? undefined : rest };
  if (name === 'capture' || name === 'prun') return { body: 'code', code: undefined };
  if (shownCells.includes(name)) return { body: 'comment', code: undefined };
  if (name === 'writefile' || name === 'file') {
    const [, append, path] =
      /^(-a\s+|--append\s+)?(?:"([^"]+)"|(\S+))$/u.exec(rest)?.filter((part, at) => at < 2 || part !== undefined) ?? [];
    if (path === undefined || /[{$]/u.test(path))
      throw refusedLine(line, place, 'it needs one path, without variables', 'write the file in Python');
    const text = body.map((one) => `${one}\n`).join('');
    // JSON's texts are Python's.
    const mode = append === undefined ? 'w' : 'a';
    const file = `__import__("os").path.expanduser(${JSON.stringify(path)})`;
    return {
      body: 'comment',
      code: `with open(${file}, "${mode}", encoding="utf-8") as _file:\n    _file.write(${JSON.stringify(text)})\ndel _file`,
    };
  }
  throw unknown(`%%${name}`, line, place);
}

function environment(rest: string, line: string, place: string): Translated {
  const [, name, value] = /^([^\s=]+)(?:\s*=\s*|\s+)(.+)$/u.exec(rest) ?? [];
  if (name === undefined || value === undefined) return nothing;
  if (/[{$]/u.test(rest)) throw refusedLine(line, place, 'its value has variables', 'set os.environ in Python');
  return python(`__import__("os").environ[${JSON.stringify(name)}] = ${JSON.stringify(value.trim())}`);
}

function folder(rest: string, line: string, place: string): Translated {
  const path = rest
    .replace(/^-q\s*/u, '')
    .replace(/^(["'])(.*)\1$/u, '$2')
    .trim();
  if (path.startsWith('-') || /[{$]/u.test(path)) throw refusedLine(line, place, 'that is no plain path', 'call os.chdir(…) in the cell');
  return python(`__import__("os").chdir(__import__("os").path.expanduser(${JSON.stringify(path === '' ? '~' : path)}))`);
}

function unknown(name: string, line: string, place: string): ActionError {
  return refusedLine(line, place, `${name} has no meaning in a script`, 'write it in Python, or tag the cell "skip"');
}

export function refusedLine(line: string, place: string, why: string, remedy: string): ActionError {
  return new ActionError('unsupported', `${place} has ${JSON.stringify(line.slice(0, 200))}: ${why}`, { remedy });
}
