import { appendFileSync, existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { workflowLog } from '@slashtrain/core/action/log';
import { compare, comparisonText, warningsOf } from './compare.ts';
import { readResults, type Results } from './results.ts';

/*
 * Compares a run of the bench with earlier ones, and warns of what got worse; it fails nothing.
 *   node test/bench/warn.ts --now FILE --history FOLDER      FOLDER holds what `--json` wrote, at any depth
 */
const { values } = parseArgs({ options: { now: { type: 'string' }, history: { type: 'string' } } });
const { now, history } = values;
if (now === undefined || history === undefined) throw new Error('--now FILE and --history FOLDER are needed');
const log = workflowLog(process.stdout);
const current = readResults(now);
const before = (existsSync(history) ? globSync('**/*.json', { cwd: history }) : [])
  .flatMap((file): Results[] => {
    try {
      return [readResults(join(history, file))];
    } catch (error) {
      log.notice(`left out: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  })
  .sort((a, b) => b.at.localeCompare(a.at));
const compared = compare(current, before);
const text = comparisonText(compared, before.length);
console.log(text);
for (const warning of warningsOf(compared)) log.warning(warning);
const { GITHUB_STEP_SUMMARY: summary } = process.env;
if (summary) appendFileSync(summary, `## Bench\n\n${text}`);
