import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/*
 * Everything that can be said of the code without running it. All checks run, and each says what it found.
 *   node scripts/lint.ts [CHECK...]     e.g. eslint knip
 */
const root = resolve(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules/.bin', name);
const sources = ['actions', 'packages', 'scripts', 'test', 'examples'];
const workflows = globSync(['.github/workflows/*.yml', 'examples/*/.github/workflows/*.yml'], { cwd: root }).sort();

/** What a check found, and whether that is good. */
interface Outcome {
  ok: boolean;
  output: string;
}

const checks: Record<string, () => Promise<Outcome | { skipped: string }>> = {
  tsc: () => run(bin('tsc'), ['--noEmit', '--pretty', 'false']),
  eslint: () => run(bin('eslint'), ['.', '--max-warnings', '0', '--no-color']),
  prettier: () => run(bin('prettier'), ['--check', '--log-level', 'warn', '.']),
  knip: () => run(bin('knip'), ['--no-progress', '--no-config-hints']),
  boundaries: checkBoundaries,
  generated: () => run(process.execPath, ['scripts/generate.ts', '--check']),
  actionlint: checkWorkflows,
};

const unknown = process.argv.slice(2).filter((name) => !Object.hasOwn(checks, name));
if (unknown.length > 0) throw new Error(`no check ${unknown.join(', ')}; there are: ${Object.keys(checks).join(', ')}`);
const wanted = Object.entries(checks).filter(([name]) => process.argv.length === 2 || process.argv.includes(name));

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const [name, check] of wanted) {
  const start = performance.now();
  const outcome = await check();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if ('skipped' in outcome) {
    counts.skipped++;
    console.log(`skipped  ${name}: ${outcome.skipped}`);
  } else {
    counts[outcome.ok ? 'passed' : 'failed']++;
    console.log(`${outcome.ok ? 'ok' : 'FAILED'}  ${name} (${seconds} s)`);
    if (!outcome.ok) console.log(outcome.output);
  }
}
console.log(`${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`);
process.exitCode = counts.failed === 0 ? 0 : 1;

/** dependency-cruiser once reported a green over 0 modules: it must have seen every file that there is. */
async function checkBoundaries(): Promise<Outcome> {
  const present = sources.filter((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }).length > 0);
  const { output, ok } = await run(bin('depcruise'), ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...present]);
  let report: CruiseReport;
  try {
    report = JSON.parse(output) as CruiseReport;
  } catch {
    return { ok: false, output };
  }
  const seen = new Set(report.modules.map(({ source }) => source));
  const files = globSync(
    present.map((folder) => `${folder}/**/*.ts`),
    { cwd: root },
  ).filter((file) => !/(^|\/)(node_modules|dist)\//u.test(file));
  const unseen = files.filter((file) => !seen.has(file));
  const lines = report.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
  if (files.length === 0 || unseen.length > 0) lines.push(`dependency-cruiser did not see: ${unseen.join(', ') || 'any file'}`);
  return { ok: ok && lines.length === 0, output: lines.join('\n') };
}

/** The part of depcruise's JSON that is read here. */
interface CruiseReport {
  modules: { source: string }[];
  summary: { violations: { rule: { name: string }; from: string; to: string }[] };
}

async function checkWorkflows(): Promise<Outcome | { skipped: string }> {
  if (workflows.length === 0) return { skipped: 'there are no workflow files' };
  const found = (process.env['PATH'] ?? '').split(delimiter).some((folder) => globSync('actionlint', { cwd: folder }).length > 0);
  if (!found) return { skipped: 'actionlint is not on PATH (https://github.com/rhysd/actionlint)' };
  return run('actionlint', ['-no-color', ...workflows]);
}

function run(command: string, args: string[]): Promise<Outcome> {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', (error) => done({ ok: false, output: error.message }));
    child.on('close', (code) => done({ ok: code === 0, output: Buffer.concat(chunks).toString().trimEnd() }));
  });
}
