import { afterEach, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startersOf, writePackages } from './packages.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function installed(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-packages-'));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, 'target', path)), { recursive: true });
    writeFileSync(join(folder, 'target', path), text, { mode: path.startsWith('bin/') ? 0o755 : 0o644 });
  }
  return folder;
}

// What pip 23.2.1 and uv 0.13.9 leave of the same wheel.
const entries = { 'x/__init__.py': 'y = 1\n', 'x-1.dist-info/entry_points.txt': '[console_scripts]\nrun-x = x.cli:main.start\n' };
const byPip = {
  ...entries,
  'x-1.dist-info/INSTALLER': 'pip\n',
  'x-1.dist-info/REQUESTED': '',
  'x-1.dist-info/RECORD':
    '../../bin/run-x,sha256=a,200\nx-1.dist-info/INSTALLER,sha256=b,4\nx-1.dist-info/RECORD,,\nx/__init__.py,sha256=c,6\n',
  'x/__pycache__/__init__.cpython-311.pyc': 'compiled',
  'bin/run-x': '#!/home/runner/venv/bin/python3.11\nimport re\n',
};
const byUv = {
  ...entries,
  '.lock': '',
  'x-1.dist-info/INSTALLER': 'uv',
  'x-1.dist-info/RECORD': 'bin/run-x,sha256=d,300\nx/__init__.py,sha256=c,6\nx-1.dist-info/INSTALLER,sha256=e,2\nx-1.dist-info/RECORD,,\n',
  'bin/run-x': '#!/usr/bin/python3\nimport sys\n',
};

it('packages are the same layer, whoever installed them and on which Python', async () => {
  const [one, two] = [installed(byPip), installed(byUv)];
  const layers = [
    await writePackages(join(one, 'target'), join(one, 'layer')),
    await writePackages(join(two, 'target'), join(two, 'layer')),
  ];
  expect(layers[0]?.digest).toBe(layers[1]?.digest);
  expect(layers[0]?.files).toBe(4);
  const other = installed({ ...byPip, 'x/__init__.py': 'y = 2\n' });
  expect((await writePackages(join(other, 'target'), join(other, 'layer'))).digest).not.toBe(layers[0]?.digest);
});

it('scripts are made of what a package says, and of nothing that is no name', () => {
  const text = '[console_scripts]\na = m.n:f.g [extra]\n../b = m:f\nc = m:f; import os\n\n[other]\nd = m:f\n[gui_scripts]\ne=m:f\n';
  expect([...startersOf(text)]).toEqual([
    ['a', '#!/usr/bin/env python3\nimport sys\nfrom m.n import f\n\nsys.exit(f.g())\n'],
    ['e', '#!/usr/bin/env python3\nimport sys\nfrom m import f\n\nsys.exit(f())\n'],
  ]);
});
