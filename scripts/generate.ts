import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { parse } from 'yaml';
import { errorList } from './errors.ts';
import { configSchema } from '../packages/core/src/config/schema.ts';
import { pageFiles } from '../test/bench/page.ts';

/*
 * Writes the tables of inputs and outputs into each action's README, between the markers, from its action.yml,
 * every error's text into docs/troubleshooting.md, the published schema of .github/slashtrain.yml from packages/core/src/config/schema.ts,
 * and the tables and plots of docs/performance.md from test/bench/results.json.
 *   node scripts/generate.ts [--check]     --check writes nothing, and fails where something would be written
 */
const root = resolve(import.meta.dirname, '..');

/** What of an action.yml the tables show. */
interface ActionFile {
  inputs?: Record<string, { description: string; required?: boolean; default?: unknown }>;
  outputs?: Record<string, { description: string }>;
}

const stale: string[] = [];
for (const file of globSync('actions/*/action.yml', { cwd: root }).sort()) {
  const readme = join(dirname(file), 'README.md');
  if (!existsSync(join(root, readme))) continue;
  const before = readFileSync(join(root, readme), 'utf8');
  const after = await withTables(before, parse(readFileSync(join(root, file), 'utf8')) as ActionFile, readme);
  keep(readme, before, after);
}
const errors = 'docs/troubleshooting.md';
const page = readFileSync(join(root, errors), 'utf8');
const filledPage = between(page, 'errors', errorList(root), errors);
keep(errors, page, await format(filledPage, { ...(await resolveConfig(join(root, errors))), parser: 'markdown' }));
const schema = 'packages/core/schemas/slashtrain.schema.json';
const options = { ...(await resolveConfig(join(root, schema))), parser: 'json' };
// Indented before it is formatted: prettier leaves an object open that begins on a line of its own.
keep(schema, readFileSync(join(root, schema), 'utf8'), await format(JSON.stringify(configSchema, null, 2), options));
for (const [file, text] of await pageFiles()) keep(file, existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : '', text);
if (stale.length > 0) console.log(`${process.argv.includes('--check') ? 'stale' : 'wrote'}: ${stale.join(', ')}`);
if (process.argv.includes('--check') && stale.length > 0) {
  console.log('run: pnpm generate');
  process.exitCode = 1;
}

function keep(file: string, before: string, after: string): void {
  if (after === before) return;
  stale.push(file);
  if (!process.argv.includes('--check')) writeFileSync(join(root, file), after);
}

async function withTables(text: string, { inputs = {}, outputs = {} }: ActionFile, readme: string): Promise<string> {
  const inputRows = Object.entries(inputs).map(([name, input]) => [code(name), oneLine(input.description), fallback(input)]);
  const outputRows = Object.entries(outputs).map(([name, output]) => [code(name), oneLine(output.description)]);
  const filled = between(
    between(text, 'inputs', table(['input', 'what', 'default'], inputRows), readme),
    'outputs',
    table(['output', 'what'], outputRows),
    readme,
  );
  return format(filled, { ...(await resolveConfig(join(root, readme))), parser: 'markdown' });
}

function between(text: string, name: string, content: string, readme: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = text.indexOf(start);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`${readme} has no ${start} … ${end}`);
  return `${text.slice(0, from + start.length)}\n\n${content}\n\n${text.slice(to)}`;
}

function table(head: string[], rows: string[][]): string {
  if (rows.length === 0) return 'None.';
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function fallback({ required, default: value }: { required?: boolean; default?: unknown }): string {
  if (required) return '**required**';
  if (typeof value === 'boolean' || typeof value === 'number') return code(String(value));
  return typeof value === 'string' && value !== '' ? code(value) : '';
}

function oneLine(text: string): string {
  return text
    .trim()
    .replace(/\s*\n\s*/gu, ' ')
    .replaceAll('|', String.raw`\|`);
}

function code(text: string): string {
  return `\`${oneLine(text)}\``;
}
