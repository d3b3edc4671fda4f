import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Container } from '@slashtrain/core/kinds/kind';
import { launch } from './launcher.ts';
import type { Launcher } from './read.ts';
import { tableOf } from './settings.ts';

const names = ['lr', 'note', 'other-name'];
const hostile = `a b'"\\$(id) \${HOME} \`x\` * %s $(params.lr) -n ;|&`;
const trials = [
  ['0.1', 'first', ''],
  ['0.02', hostile, 'x=1'],
  ['3', 'last', '-'],
];

/** Runs a container's command as the kubelet would, in this machine's own programs. */
function run(container: Container, index: number): { said: string[]; status: number | null; signal: NodeJS.Signals | null } {
  const expand = (text: string): string => text.replaceAll(/\$(\$|\(([^()]*)\))/gu, (whole, what: string) => (what === '$' ? '$' : whole));
  const [program = '', ...words] = [...(container.command ?? []), ...(container.args ?? [])].map(expand);
  const own = Object.fromEntries((container.env ?? []).map(({ name, value = '' }) => [name, expand(value)]));
  const env = { PATH: process.env['PATH'], SLASHTRAIN_TRIALS: tableOf({ names, trials }), JOB_COMPLETION_INDEX: String(index), ...own };
  const { stdout, stderr, status, signal } = spawnSync(program, words, { env, encoding: 'utf8' });
  return { said: `${stdout}${stderr}`.split('\n').filter(Boolean), status, signal };
}

const show = {
  node: 'console.log(JSON.stringify([...process.argv.slice(2), process.env.NOTE])); process.exitCode = 7',
  python: 'import json,os,sys; print(json.dumps([*sys.argv[1:], os.environ["NOTE"]], separators=(",", ":"))); sys.exit(7)',
  sh: 'for w in "$@" "$NOTE"; do printf "<%s>" "$w"; done; exit 7',
};
const args = ['--lr', '$(params.lr)', 'a$(params.note)b$(params.note)', '$(params.other-name)', '$(params.unknown)'];
const words = (lr: string, note: string, other: string): string[] => [
  '--lr',
  lr,
  `a${note}b${note}`,
  other,
  '$(params.unknown)',
  `n=${note}`,
];

// Nothing but Node and a shell is needed to work on this repository.
const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) process.stdout.write('skipped: the launcher python, since there is no python3\n');

describe.each<[Exclude<Launcher, 'none'>, keyof typeof show]>([
  ['node', 'node'],
  ...(hasPython ? [['python', 'python'] satisfies ['python', 'python']] : []),
  ['sh', 'sh'],
  ['sh', 'node'],
])('the launcher %s before %s', (launcher, program) => {
  const folder = mkdtempSync(join(tmpdir(), 'launcher-'));
  const file = join(folder, 'program.js');
  writeFileSync(file, show[program]);
  const command = { node: [process.execPath, file], python: ['python3', '-c', show.python], sh: ['sh', '-c', show.sh, 'sh'] }[program];

  it.each([0, 1, 2])('gives trial %d its own settings, and its end is that of the program', (index) => {
    const container: Container = {
      name: 'train',
      command: [...command],
      args: [...args],
      env: [{ name: 'NOTE', value: 'n=$(params.note)' }],
    };
    launch(container, launcher, new Set(names));
    const { said, status } = run(container, index);
    const [lr = '', note = '', other = ''] = trials[index] ?? [];
    const expected =
      program === 'sh'
        ? words(lr, note, other)
            .map((word) => `<${word}>`)
            .join('')
        : JSON.stringify(words(lr, note, other));
    // A value that looks like a place is a value: only of those before it in the table is it filled again.
    expect(said.at(-1)).toBe(expected);
    expect(said[0]).toMatch(new RegExp(`^slashtrain trial ${index}`, 'u'));
    expect(status).toBe(7);
    if (index === 2) rmSync(folder, { recursive: true });
  });
});

describe('a container', () => {
  const of = (command: string[] | undefined, launcher: Exclude<Launcher, 'none'> = 'auto'): Container => {
    const container: Container = { name: 'train', ...(command ? { command } : {}), args: ['$(params.lr)'] };
    launch(container, launcher, new Set(names));
    return container;
  };
  it.each([
    [['/usr/bin/python3.12', 'train.py'], '/usr/bin/python3.12'],
    [['python', 'train.py'], 'python'],
    [['node', 'train.js'], 'node'],
    [['torchrun', 'train.py'], 'sh'],
    [['sh', '-c', 'python train.py'], 'sh'],
  ])('that runs %j begins with %s', (command, first) => {
    expect(of(command).command?.[0]).toBe(first);
  });

  it('holds nothing that the kubelet or a parameter would change', () => {
    for (const launcher of ['node', 'python', 'sh'] as const) {
      const added = of(['x', 'y'], launcher).command?.find((word) => word.length > 50) ?? '';
      expect(added).not.toMatch(/\$\$|\$\(params\./u);
    }
  });

  it.each<[string[] | undefined, Exclude<Launcher, 'none'>, string]>([
    [undefined, 'auto', 'the container "train" has no "command", and what its image runs is not known here'],
    [['node', '--max-old-space-size=$(params.lr)', 'train.js'], 'auto', 'before the program that node runs'],
  ])('%j is refused', (command, launcher, message) => {
    expect(() => of(command, launcher)).toThrow(message);
  });
});
