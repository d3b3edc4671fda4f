import { afterAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readInstall } from './installs.ts';
import { readNotebook } from './read.ts';
import { toScript, type Script } from './script.ts';

const folder = mkdtempSync(join(tmpdir(), 'slashtrain-notebook-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Made by fixtures/notebooks.py, and run: their outputs are what a script must say again. */
const fixture = (name: string): string => readFileSync(new URL(`fixtures/${name}.ipynb`, import.meta.url), 'utf8');
const convert = (text: string, path = 'work/train.ipynb'): Script => toScript(readNotebook(text, path));

interface FixtureCell {
  metadata: { tags?: string[] };
  outputs?: { output_type: string; name?: string; text?: string[] }[];
}
/** What the notebook's run printed; without what magics printed of themselves. */
function printed(source: string): string {
  const { cells } = JSON.parse(source) as { cells: FixtureCell[] };
  const outputs = cells.filter(({ metadata }) => !metadata.tags?.includes('skip')).flatMap((cell) => cell.outputs ?? []);
  const text = outputs.flatMap((output) => (output.name === 'stdout' ? (output.text ?? []) : [])).join('');
  return text.replace(/^CPU times.*\s+Wall time.*\n|^(?:Note: you may|env: |Writing ).*\n/gmu, '');
}

interface Ran {
  code: number | null;
  out: string;
  err: string;
}
const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) process.stdout.write('skipped: running the scripts of notebooks; there is no python3\n');
function run(script: string, args: string[] = [], env: Record<string, string> = {}): Ran {
  writeFileSync(join(folder, 'train.py'), script);
  const { status, stdout, stderr } = spawnSync('python3', ['train.py', ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env },
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

/** A notebook of Python with cells of code, as nbformat 4 has them. */
const notebook = (...sources: (string | { source: string; tags?: string[]; type?: string })[]): string =>
  JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } },
    cells: sources.map((cell) => {
      const { source, tags, type } = typeof cell === 'string' ? { source: cell, tags: [], type: 'code' } : cell;
      return { cell_type: type ?? 'code', metadata: { tags }, source, outputs: [], execution_count: null };
    }),
  });

describe('a plain notebook', () => {
  it('becomes a script without outputs, its markdown as comments, its cells marked', () => {
    const { text, cells, installs } = convert(fixture('plain'));
    expect({ cells, installs }).toEqual({ cells: 4, installs: [] });
    expect(text).toMatch(
      /^# Made from train\.ipynb by slashtrain build-image\.\n\n# %% \[markdown\] cell 1\n# # A line through points\n#\n# with/u,
    );
    expect(text).toContain('\n\n# %% cell 5\nepochs, rate = 3, 0.1\n');
    expect(text).not.toMatch(/1 \/ 0|for nbconvert|loss 1/u);
  });

  it('of format 4.0 with one text a cell is read as well', () => {
    expect(convert(notebook('a = 1\r\nb = 2\n', { source: 'é', type: 'markdown' })).text).toContain(
      '# %% cell 1\na = 1\nb = 2\n\n# %% [markdown] cell 2\n# é\n',
    );
  });
});

describe('magics', () => {
  it('become Python, packages or comments', () => {
    const { text, installs } = convert(fixture('magics'));
    expect(installs).toEqual([
      { place: 'work/train.ipynb, cell 1, line 3', lines: ['packaging>=20', 'six'] },
      { place: 'work/train.ipynb, cell 2, line 1', lines: ['six', 'idna>=2; python_version > "3"'] },
    ]);
    expect(text.split('\n').slice(1, 2)).toEqual(['from __future__ import annotations']);
    expect(text).toContain('if total:\n    pass  # %pwd\nprint(total)');
    expect(text).toContain('\n!not a command\n%not magic\n');
  });

  it.each([
    ['%env A=b', '__import__("os").environ["A"] = "b"'],
    ['%env A "x y"', '__import__("os").environ["A"] = "\\"x y\\""'],
    ['%env', '# %env'],
    ['%cd', '__import__("os").chdir(__import__("os").path.expanduser("~"))'],
    ['%cd "a b"', '__import__("os").chdir(__import__("os").path.expanduser("a b"))'],
    ['%time x = f(1,\n 2)', 'x = f(1,\n 2)'],
    ['%%time x = 1\ny = 2', '# %%time x = 1\nx = 1\ny = 2'],
    ['%%capture out\ny = 2', '# %%capture out\ny = 2'],
    ['%matplotlib inline', '# %matplotlib inline'],
    ['x.mean??', '# x.mean??'],
    ['?x', '# ?x'],
    ['for i in x:\n  !pip list', 'for i in x:\n  pass  # !pip list'],
    ['x = "a\\\n%d" % 3', 'x = "a\\\n%d" % 3'],
    ['x = r"\\\\"; y = (\n!= z)', 'x = r"\\\\"; y = (\n!= z)'],
    ["x = f'{a['b']}' # '''\n%pwd", "x = f'{a['b']}' # '''\n# %pwd"],
  ])('%j is %j', (source, expected) => {
    expect(convert(notebook(source)).text).toBe(`# Made from train.ipynb by slashtrain build-image.\n\n# %% cell 1\n${expected}\n`);
  });
});

describe('what is installed', () => {
  it.each([
    ['pip install a b==1.* c>=2', ['a', 'b==1.*', 'c>=2']],
    ["pip3 install -qU --no-cache-dir 'a[x, y]<2' b # why", ['-qU', 'a[x, y]<2', 'b']],
    ['python -m pip install -r more.txt --extra-index-url https://e.org/s', ['-r more.txt', '--extra-index-url https://e.org/s']],
    ['{sys.executable} -m pip install a', ['a']],
    ['uv pip install --system a --progress-bar off', ['a']],
    ['pip install -e .', ['-e', '.']],
    ['pip freeze', []],
    ['pipx install a', undefined],
    ['pip-compile', undefined],
  ])('%j: %j', (command, lines) => expect(readInstall(command, 'here')).toEqual(lines));

  it.each([
    ['pip install a && rm b'],
    ['pip install a<2'],
    ['pip install $A'],
    ['pip install {a}'],
    ['pip install "a'],
    ['pip uninstall a'],
    ['pip install a | tee b'],
  ])('is refused where it is more: %j', (command) =>
    expect(() => readInstall(command, 'train.ipynb, cell 1, line 1')).toThrow(/cell 1, line 1 has .* more than a list/u),
  );
});

describe('refused, with its place', () => {
  it.each<[string, string, RegExp]>([
    ['no JSON', '{"cells": [\n<<<<<<< HEAD', /train\.ipynb is no notebook, since it is no JSON/u],
    ['a pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:a', /pointer of Git LFS/u],
    ['another JSON', '[]', /has no "nbformat"/u],
    ['no cells', '{"nbformat": 4}', /no list of cells/u],
    ['format 3', '{"nbformat": 3, "worksheets": []}', /format 3; build-image reads format 4/u],
    ['format 5', '{"nbformat": 5, "cells": []}', /format 5/u],
    ['no cell', notebook(), /has no code: 0 cells/u],
    ['no code', notebook({ source: '# Hi', type: 'markdown' }, ' \n'), /has no code: 2 cells without any/u],
    ['skipped code', notebook({ source: 'a', tags: ['skip'] }), /no code but in cells tagged "skip"/u],
    ['R', notebook('x').replace('"language":"python"', '"language":"R"'), /written in "R" \(kernel "Python 3"\)/u],
    ['no language', '{"nbformat": 4, "cells": []}'.replace('}', ', "metadata": {"kernelspec": {"name": "ir"}}}'), /unknown language/u],
    ['a strange cell', notebook({ source: 'x', type: 'heading' }), /cell 1 is of type "heading"/u],
    ['no source', notebook('x').replace('"source":"x"', '"source":[1]'), /cell 1 has no source/u],
    ['a shell', notebook('x', 'y\n!nvidia-smi | head'), /work\/train\.ipynb, cell 2, line 2 has "!nvidia-smi \| head": it is for a shell/u],
    ['a shell cell', notebook('%%bash\nls'), /cell 1, line 1 has "%%bash": %%bash has no meaning in a script/u],
    ['a late cell magic', notebook('x\n%%time'), /line 2 has "%%time": a cell magic stands in the first line/u],
    ['a magic', notebook({ source: 'a', type: 'markdown' }, '\n%sql select 1'), /cell 2, line 2 has "%sql select 1": %sql has no meaning/u],
    ['conda', notebook('%conda install x'), /conda would have to run/u],
    ['an answer', notebook('files = !ls'), /there in notebooks alone/u],
    ['a magic answer', notebook('a, b = %timeit -o f()'), /there in notebooks alone/u],
    ['await', notebook('x = await f()'), /cannot wait at its top level/u],
    ['IPython', notebook('get_ipython().system("ls")'), /IPython is there in notebooks alone/u],
    ['env variables', notebook('%env A=$B'), /its value has variables/u],
    ['a former folder', notebook('%cd -'), /no plain path/u],
    ['itself', notebook('import train.utils'), /it would import itself/u],
  ])('%s', (_name, text, message) => expect(() => convert(text)).toThrow(message));
});

if (hasPython)
  describe('with python3, a script', () => {
    it('says what the plain notebook said', () => {
      const { code, out, err } = run(convert(fixture('plain')).text);
      expect({ code, out, err }).toEqual({ code: 0, out: printed(fixture('plain')), err: '' });
      expect(out).toMatch(/epoch 2 loss/u);
    });

    it('says what the notebook with magics said', () => {
      const { code, out, err } = run(convert(fixture('magics')).text);
      expect({ code, out, err }).toEqual({ code: 0, out: printed(fixture('magics')).replace(/False\n$/u, "'shown'\nFalse\n"), err: '' });
    });

    it("takes papermill's parameters, and says what papermill's run said", () => {
      const { text } = convert(fixture('papermill'));
      const options = ['-p', 'epochs', '4', '--parameters', 'rate', '0.05', '-r', 'name', 'run 7'];
      const given = run(text, [...options, '-y', '{"layers": [64, 32], "shuffle": true}']);
      expect(given).toEqual({ code: 0, out: printed(fixture('papermill')), err: '' });
      const environment = { PARAMETER_epochs: '9', PARAMETER_rate: '0.05', PARAMETER_name: 'run 7', PARAMETER_layers: '[64, 32]' };
      // What is an argument comes before the environment.
      const mixed = run(text, ['-p', 'epochs', '4'], { ...environment, PARAMETER_shuffle: 'True', PARAMETER_epoch: '1' });
      expect(mixed).toMatchObject({ code: 0, out: given.out });
      expect(mixed.err).toContain('PARAMETER_epoch is left out: the notebook has no parameter epoch; it has: data, epochs');
      expect(run(text).out).toMatch(/^2 0\.1 'line' \[1\] False\nepoch 0 .*\nepoch 1 .*\n$/u);
    });

    it.each([
      [['-p', 'epoch', '4'], {}, "no parameter 'epoch'; it has: data, epochs, layers, name, rate, shuffle"],
      [['--epochs', '4'], {}, "'--epochs' is not understood; allowed: -p NAME VALUE"],
      [['-p', 'epochs'], {}, "'-p' is not understood"],
      [['-y', 'epochs: 4'], {}, 'which is no JSON'],
      [[], { PARAMETER_layers: '64' + ',' }, "PARAMETER_layers is '64,', which is no JSON"],
    ])('refuses %j %j', (args, env, message) => {
      const { code, err } = run(convert(fixture('papermill')).text, args, env);
      expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining(message) });
    });
  });
