import { appendFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { allCases, type FaultCase } from './cases.ts';
import { describeCase, runCase, type CaseResult } from './run-case.ts';
import { subjects } from './subjects/index.ts';
import { openWorld } from './world.ts';

/*
 * The whole matrix, or a part of it:
 *   node test/faults/main.ts [--seed N] [--case N,N…] [--subject NAME] [--server NAME] [--trouble NAME] [--at-once N] [--to FILE] [--bundles FOLDER]
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    case: { type: 'string' },
    subject: { type: 'string' },
    server: { type: 'string' },
    trouble: { type: 'string' },
    'at-once': { type: 'string', default: '8' },
    to: { type: 'string' },
    bundles: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const numbers = values.case?.split(',').map(Number);
const chosen = allCases(subjects).filter(
  (one) =>
    (numbers === undefined || numbers.includes(one.number)) &&
    (values.subject === undefined || one.subject === values.subject) &&
    (values.server === undefined || one.server === values.server) &&
    (values.trouble === undefined || values.trouble.split(',').includes(one.trouble)),
);
if (values.list) {
  for (const { number, subject, server, trouble, moment } of chosen)
    console.log(`${number} ${subject} · ${server} · ${trouble} · ${moment}`);
  process.exit();
}
if (values.to) writeFileSync(values.to, '');
const world = await openWorld(values.bundles);
const results: CaseResult[] = [];
const queue = [...chosen];
async function worker(): Promise<void> {
  for (let one: FaultCase | undefined = queue.shift(); one; one = queue.shift()) {
    const subject = subjects.find(({ name }) => name === one?.subject);
    if (!subject) throw new Error(`no subject ${one.subject}`);
    const result = await runCase(one, seed, subject, world).catch((error: unknown) => broken(one, error));
    results.push(result);
    const text = describeCase(result, seed);
    if (result.problems.length > 0 || chosen.length < 20) console.log(text);
    if (values.to) appendFileSync(values.to, `${text}\n`);
  }
}
/** A case that could not even be judged. */
function broken(one: FaultCase, error: unknown): CaseResult {
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    case: one,
    came: 'failed',
    problems: [`it could not be judged: ${why}`],
    trace: [],
    outputs: { disturbed: '', again: '' },
    seconds: 0,
  };
}
await Promise.all(Array.from({ length: Number(values['at-once']) }, worker));
await world.close();

const count = (came: CaseResult['came']): number => results.filter((result) => result.came === came).length;
const bad = results.filter(({ problems }) => problems.length > 0);
console.log(
  `${results.length} cases with seed ${seed}: ${count('through')} went through, ${count('failed')} failed and said so, ` +
    `${count('killed')} were killed, ${count('never')} did not come to their moment; ${bad.length} did not hold`,
);
if (bad.length > 0) console.log(`  ${bad.map((result) => result.case.number).join(',')}`);
process.exitCode = bad.length === 0 ? 0 : 1;
