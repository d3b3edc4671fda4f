import { ActionError } from '@slashtrain/core/action/errors';
import { refusedLine, translateCell, translateLine } from './magics.ts';
import { overrides } from './parameters.ts';
import { after, isStatement, start, type Place } from './place.ts';
import { placeOf, type Cell, type Notebook } from './read.ts';

/** A notebook as a script. */
export interface Script {
  text: string;
  /** Cells of code in it. */
  cells: number;
  /** What its cells install, as lines of a requirements file, by place. */
  installs: { place: string; lines: string[] }[];
}

/** Cells that have no part in the script: `injected-parameters` holds the values of another run of papermill. */
const leftOut = ['skip', 'injected-parameters'];
/** `In [1]` may wait at its top level, and a script may not. */
const awaits = /^(?:[\w.,\s[\]]+=\s*)?await\s/u;
const assigns = /^[\w.,\s[\]]+=\s*[!%]/u;

/**
 * Makes a notebook a script: markdown becomes comments, magics become Python or are left out by rule, and the cell tagged
 * `parameters` takes values from outside.
 * @throws ActionError `input` where there is no code, `unsupported` with cell and line for what a script cannot have
 */
export function toScript({ path, cells }: Notebook): Script {
  const kept = cells.filter(({ tags, type }) => type !== 'raw' && !tags.some((tag) => leftOut.includes(tag)));
  const hasCode = (cell: Cell): boolean => cell.type === 'code' && cell.lines.some((line) => line.trim() !== '');
  const code = kept.filter(hasCode);
  if (code.length === 0)
    throw new ActionError(
      'input',
      `${path} has no code${cells.some(hasCode) ? ' but in cells tagged "skip"' : `: ${cells.length} cells without any`}`,
      {
        remedy: 'check input "notebook"',
      },
    );
  const parameters = code.find(({ tags }) => tags.includes('parameters'));
  const installs: Script['installs'] = [];
  const futures = new Set<string>();
  const parts = kept.flatMap((cell) => {
    if (cell.type === 'markdown') return [[`# %% [markdown] cell ${cell.number}`, ...cell.lines.map(comment)].join('\n')];
    if (!hasCode(cell)) return [];
    const part = [`# %% cell ${cell.number}`, ...codeOf(cell, path, installs, futures)].join('\n');
    return cell === parameters ? [part, `# %% values given for cell ${cell.number}\n${overrides}`] : [part];
  });
  const name = path.split('/').at(-1) ?? path;
  const head = [comment(`Made from ${name} by slashtrain build-image.`), ...futures, ...helpers(code)].join('\n');
  const text = `${[head, ...parts].join('\n\n')}\n`;
  checkImports(text, path);
  return { text, cells: code.length, installs };
}

function codeOf(cell: Cell, path: string, installs: Script['installs'], futures: Set<string>): string[] {
  const result: string[] = [];
  const { lines, number } = cell;
  let at = lines.findIndex((line) => line.trim() !== '');
  const first = lines[at] ?? '';
  if (first.startsWith('%%')) {
    at += 1;
    const { body, code } = translateCell(first, lines.slice(at), placeOf(path, number, at));
    result.push(comment(first), ...(code === undefined ? [] : [code]));
    if (body === 'comment') return [...result, ...lines.slice(at).map(comment)];
  }
  let place: Place = start;
  for (; at < lines.length; at++) {
    let line = lines[at] ?? '';
    const where = placeOf(path, number, at + 1);
    if (isStatement(place)) {
      const [, indent = '', own] = /^(\s*)([%!?].*|(?:pip3?|conda|mamba) install\b.*|\??[\w.]+\?{1,2}\s*)$/u.exec(line) ?? [];
      if (own !== undefined) {
        let whole = own.trimEnd();
        while (whole.endsWith('\\') && !/^%\s*time\b/u.test(whole) && at + 1 < lines.length)
          whole = `${whole.slice(0, -1)} ${(lines[++at] ?? '').trim()}`;
        if (whole.startsWith('%%')) throw refusedLine(whole, where, 'a cell magic stands in the first line of its cell', 'move it there');
        const help = /^[\w.?]+\?$/u.test(whole);
        const { code, installs: asked } = translateLine(help ? '?' : /^[%!?]/u.test(whole) ? whole : `%${whole}`, where);
        if (asked.length > 0) installs.push({ place: where, lines: asked });
        // A block needs a statement.
        line = code === undefined ? `${indent}${indent === '' ? '' : 'pass  '}${comment(whole)}` : `${indent}${code}`;
      } else refuseForeign(line, where);
      if (/^from\s+__future__\s+import\s/u.test(line)) {
        futures.add(line.trim());
        line = comment(line);
      }
    }
    result.push(line);
    place = after(line, place);
  }
  return result;
}

function refuseForeign(line: string, where: string): void {
  if (assigns.test(line))
    throw refusedLine(
      line,
      where,
      'what a command or a magic answers is there in notebooks alone',
      'call subprocess.run([…]) or write it in Python',
    );
  if (awaits.test(line))
    throw refusedLine(line, where, 'a script cannot wait at its top level', 'put it into an async function, and call asyncio.run');
  if (/^[^#'"]*\bget_ipython\(\)\s*\./u.test(line))
    throw refusedLine(line, where, 'IPython is there in notebooks alone', 'write it in Python, or tag the cell "skip"');
}

/** What notebooks have without an import. */
function helpers(cells: readonly Cell[]): string[] {
  const uses = (name: string): boolean =>
    cells.some(({ lines }) => lines.some((line) => new RegExp(`(?:^|[^.\\w])${name}\\(`, 'u').test(line)));
  return [
    ...(uses('display') ? ['def display(*values):\n    for value in values:\n        print(repr(value))\n'] : []),
    ...(uses('get_ipython') ? ['def get_ipython():\n    """None outside of a notebook, as IPython has it."""\n'] : []),
  ];
}

/** A script called `torch.py` that imports torch would import itself. */
function checkImports(text: string, path: string): void {
  const name = (path.split('/').at(-1) ?? '').replace(/\.ipynb$/u, '');
  const isImported = text.split('\n').some((line) => /^\s*(?:import|from)\s+([\w]+)/u.exec(line)?.[1] === name);
  if (isImported)
    throw new ActionError('input', `${path} imports "${name}", and its script would be called ${name}.py: it would import itself`, {
      remedy: 'give the notebook another name',
    });
}

function comment(text: string): string {
  return text === '' ? '#' : `# ${text}`;
}
