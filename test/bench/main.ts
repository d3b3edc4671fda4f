import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parts, type Options, type PartName } from './part.ts';
import { build, root } from './programs.ts';
import { commitOf, machine, readResults, type Results } from './results.ts';
import type { Answer } from './run-part.ts';
import { headOf, missed, tableOf } from './table.ts';

/*
 * Every figure that the issues name, ours beside a peer's, in one table. Measures, and asserts nothing.
 *   node test/bench/main.ts [--only PART]... [--quick] [--rounds N] [--json FILE] [--write]
 *     [--kubeconfig FILE --context NAME] [--registry HOST] [--mlflow VENV] [--tensorboard VENV] [--megabytes N] [--before FOLDER]
 *   node test/bench/main.ts --from FILE --write      measures nothing, and makes docs/performance.md of what --json wrote
 * A part that needs what is not there is left out, with a line that says what to install or to name. A cluster and a registry are
 * named, never ambient; HOST speaks http, and the cluster pulls from it. --write makes docs/performance.md of what was measured;
 * with --only the other parts' figures stay, and the page says when each was measured.
 * --before adds the bundles of another checkout, built, to the part `start`. docs/performance.md tells what each figure means.
 */
const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    only: { ...text, multiple: true },
    quick: { type: 'boolean', default: false },
    rounds: text,
    json: text,
    from: text,
    write: { type: 'boolean', default: false },
    kubeconfig: text,
    context: text,
    registry: text,
    mlflow: text,
    tensorboard: text,
    megabytes: text,
    before: text,
  },
});
const names = Object.keys(parts) as PartName[];
const unknown = (values.only ?? []).filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) throw new Error(`no part ${unknown.join(', ')}; there are: ${names.join(', ')}`);
const wanted = names.filter((name) => !values.only || values.only.includes(name));
if ((values.kubeconfig === undefined) !== (values.context === undefined)) throw new Error('--kubeconfig and --context go together');

const { kubeconfig, context, registry } = values;
const mlflow = values.mlflow ?? process.env['SLASHTRAIN_MLFLOW'];
const tensorboard = values.tensorboard ?? process.env['SLASHTRAIN_TENSORBOARD'];
const options: Omit<Options, 'rounds'> & { rounds?: number } = {
  quick: values.quick,
  ...(values.rounds !== undefined && { rounds: whole('rounds', values.rounds) }),
  ...(kubeconfig !== undefined && context !== undefined && { cluster: { kubeconfig: resolve(kubeconfig), context } }),
  ...(registry !== undefined && { registry }),
  ...(mlflow !== undefined && { mlflow: resolve(mlflow) }),
  ...(tensorboard !== undefined && { tensorboard: resolve(tensorboard) }),
  ...(values.before !== undefined && { before: resolve(values.before) }),
  ...(values.megabytes !== undefined && { megabytes: whole('megabytes', values.megabytes) }),
};

const results: Results = values.from === undefined ? await measureAll() : readResults(values.from);
console.log(`${headOf(results)}\n\n${tableOf(results.rows)}`);
for (const { part, why } of results.skipped) console.log(`skipped: ${part}: ${why}`);
for (const { what } of missed(results.rows)) console.log(`missed: ${what}`);
if (values.write) await (await import('./page.ts')).writePage(results, wanted.length < names.length);

async function measureAll(): Promise<Results> {
  const results: Results = {
    version: 1,
    commit: commitOf(root),
    at: new Date().toISOString(),
    seconds: 0,
    quick: values.quick,
    machine: machine(),
    rows: [],
    skipped: [],
  };
  const begin = performance.now();
  build();
  for (const part of wanted) {
    const start = performance.now();
    process.stderr.write(`${part}: ${parts[part]} … `);
    try {
      const answer = await measured(part);
      if ('missing' in answer) results.skipped.push({ part, why: answer.missing });
      else results.rows.push(...answer.rows);
      process.stderr.write('missing' in answer ? `skipped: ${answer.missing}\n` : `${((performance.now() - start) / 1000).toFixed(0)} s\n`);
    } catch (error) {
      process.exitCode = 1;
      results.skipped.push({ part, why: `it broke: ${error instanceof Error ? error.message : String(error)}` });
      process.stderr.write(`broke: ${String(error)}\n`);
    }
    results.seconds = Math.round((performance.now() - begin) / 1000);
    // After each part: what was measured is not lost with what was not.
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results)}\n`);
  }
  return results;
}

function measured(part: PartName): Promise<Answer> {
  return new Promise((done, fail) => {
    const child = fork(join(import.meta.dirname, 'run-part.ts'), [part, JSON.stringify(options)], {
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    child.once('message', (answer) => done(answer as Answer));
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(`the part ${part} ended with ${String(code)} and no figures`)));
  });
}

function whole(name: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} is ${value}; allowed: a whole number from 1`);
  return number;
}
