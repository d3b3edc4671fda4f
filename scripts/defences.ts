import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { attacks } from './defences/attacks.ts';
import { Bundles, copyOf } from './defences/copy.ts';
import { without, type Defence } from './defences/defence.ts';
import { faults } from './defences/faults.ts';
import { rules } from './defences/rules.ts';

/*
 * Takes each defence out of a copy of the checkout, one at a time, and runs the test that must fail then. Before, with all of them
 * in place, each of these tests must pass.
 *   node scripts/defences.ts [--only NAME[,NAME...]]
 */
const root = resolve(import.meta.dirname, '..');
const { only } = parseArgs({ options: { only: { type: 'string' } } }).values;
const wanted = only?.split(',');
const defences = [...faults, ...attacks, ...rules].filter(({ name }) => wanted?.includes(name) ?? true);
const unknown = wanted?.filter((name) => !defences.some((defence) => defence.name === name)) ?? [];
if (unknown.length > 0) throw new Error(`no defence ${unknown.join(', ')}`);

/** What of a jest run is looked at. */
interface Results {
  numRuntimeErrorTestSuites: number;
  testResults: { assertionResults: { fullName: string; status: string; failureMessages: string[] }[] }[];
}

const actions = [...new Set(defences.flatMap(({ test }) => test.bundles ?? []))];
const copy = copyOf(root, actions);
let failed = 0;
try {
  if (actions.length > 0) build(actions);
  const bundles = new Bundles(copy, actions);
  console.log(`| against | defence | taken out | test | result |\n| --- | --- | --- | --- | --- |`);
  const whole = new Map<string, Results>();
  for (const defence of defences) {
    const { test } = defence;
    const same = defences.filter((other) => other.test.file === test.file).map((other) => other.test.name);
    const results = whole.get(test.file) ?? runTests(test.file, same);
    whole.set(test.file, results);
    const verdict = judge(defence, results) === 'passed' ? tryWithout(defence, bundles) : 'FAILS WITH IT';
    if (verdict !== 'caught') failed += 1;
    const against = [...(defence.faults ?? []), ...(defence.attacks ?? []).map((number) => `attack ${number}`)].join(', ');
    console.log(`| ${[against, defence.name, defence.what, `${test.file}: ${test.name}`, verdict].map(cell).join(' | ')} |`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(`${defences.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 && defences.length > 0 ? 0 : 1;

function tryWithout(defence: Defence, bundles: Bundles): string {
  const { file, test } = defence;
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  try {
    writeFileSync(path, without(defence, text));
    if (test.bundles) build(test.bundles);
    const results = runTests(test.file, [test.name]);
    // What cannot even be loaded shows nothing.
    if (results.numRuntimeErrorTestSuites > 0) return 'BROKEN EDIT';
    return judge(defence, results) === 'failed' ? 'caught' : 'NOT CAUGHT';
  } catch (error) {
    console.error(error);
    return 'BROKEN EDIT';
  } finally {
    writeFileSync(path, text);
    bundles.restore(test.bundles ?? []);
  }
}

/** How the tests that are meant ended, together. */
function judge({ test }: Defence, { testResults }: Results): 'passed' | 'failed' | 'none' {
  const meant = testResults.flatMap(({ assertionResults }) => assertionResults.filter(({ fullName }) => fullName.startsWith(test.name)));
  const ended = meant.filter(({ status }) => status === 'passed' || status === 'failed');
  if (ended.length === 0) return 'none';
  return ended.some(({ status }) => status === 'failed') ? 'failed' : 'passed';
}

function runTests(file: string, names: readonly string[]): Results {
  const output = join(copy, '.cache/results.json');
  rmSync(output, { force: true });
  const pattern = `^(${names.map((name) => name.replace(/[\\^$.*+?()[\]{}|]/gu, String.raw`\$&`)).join('|')})`;
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, '--json', '--outputFile', output];
  // What waits for ever without its defence need not be waited for as long as a test may take.
  const short = names.length === 1 ? ['--testTimeout=20000'] : [];
  const { stderr } = node([...flags, '--forceExit', '--runInBand', '--testNamePattern', pattern, ...short, join(copy, file)]);
  try {
    return JSON.parse(readFileSync(output, 'utf8')) as Results;
  } catch (cause) {
    throw new Error(`jest left no results of ${file}:\n${stderr}`, { cause });
  }
}

function build(names: readonly string[]): void {
  const { status, stdout, stderr } = node([join(copy, 'scripts/build.ts'), ...names]);
  if (status !== 0) throw new Error(`the bundles of ${names.join(', ')} could not be built:\n${stdout}${stderr}`);
}

function node(args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', timeout: 1_200_000, maxBuffer: 64 * 1024 * 1024 });
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}
