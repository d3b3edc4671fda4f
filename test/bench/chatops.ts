import { resolve } from 'node:path';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseCommand } from '../../actions/chatops-parse/src/bind.ts';
import { commandsOf } from '../../actions/chatops-parse/src/choose.ts';
import { findCommandLines } from '../../actions/chatops-parse/src/find.ts';
import { readConfig } from '@slashtrain/core/config/read';
import { hostileBodies, longest } from '@slashtrain/testing/github/hostile-bodies';
import { median, peakMemory, timeToEnd, type Program } from './measure.ts';
import { minimalBundle } from './minimal.ts';

/*
 * chatops-parse on what most comments are, and on the worst that they can be. Asserts nothing.
 *   node test/bench/chatops.ts [--runs N]
 *
 * talk: a whole step for a comment without a command, divided by a minimal bundle of @actions/core, in turn.
 * hostile: finding and parsing the command at the end of 65,536 characters, and of half of them, in this process.
 */
const root = resolve(import.meta.dirname, '../..');
const { values } = parseArgs({ options: { runs: { type: 'string', default: '21' } } });
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs is ${values.runs}; allowed: a whole number from 1`);
const build = spawnSync(process.execPath, [resolve(root, 'scripts/build.ts'), 'chatops-parse'], { cwd: root, stdio: 'inherit' });
if (build.status !== 0) throw new Error('the bundle could not be built');

const folder = resolve(root, '.cache/bench');
mkdirSync(folder, { recursive: true });
const eventFile = resolve(folder, 'talk.json');
const user = { id: 1, login: 'ada', type: 'User' };
writeFileSync(
  eventFile,
  JSON.stringify({
    action: 'created',
    issue: { number: 1, pull_request: { url: 'http://127.0.0.1/pulls/1' } },
    comment: { id: 1, body: 'Looks good to me.\n\nOne question: why 20 epochs?', user },
    sender: user,
    repository: { id: 1, full_name: 'acme/digits' },
  }),
);
const env = {
  GITHUB_REPOSITORY: 'acme/digits',
  GITHUB_REPOSITORY_ID: '1',
  GITHUB_API_URL: 'http://127.0.0.1:1',
  GITHUB_SERVER_URL: 'http://127.0.0.1:1',
  GITHUB_RUN_ID: '1',
  GITHUB_RUN_ATTEMPT: '1',
  GITHUB_ACTOR: 'ada',
  GITHUB_EVENT_NAME: 'issue_comment',
  GITHUB_EVENT_PATH: eventFile,
  INPUT_TOKEN: 'token',
};
const programs: Record<string, Program> = {
  node: { command: [process.execPath, '-e', '0'] },
  minimal: { command: [process.execPath, minimalBundle('core')] },
  'chatops-parse': { command: [process.execPath, resolve(root, 'actions/chatops-parse/dist/index.js')], env },
};
const times = new Map<string, number[]>(Object.keys(programs).map((name) => [name, []]));
for (let round = -1; round < runs; round++)
  for (const [name, program] of Object.entries(programs)) {
    const time = await timeToEnd(program);
    // The first round fills the file cache.
    if (round >= 0) times.get(name)!.push(time);
  }
const talk = await Promise.all(
  Object.entries(programs).map(async ([name, program]) => ({
    program: name,
    'ms, median': round(median(times.get(name)!)),
    'ms, least': round(Math.min(...times.get(name)!)),
    '÷ minimal, median': round(median(times.get(name)!) / median(times.get('minimal')!), 2),
    '÷ minimal, least': round(Math.min(...times.get(name)!) / Math.min(...times.get('minimal')!), 2),
    'RSS MB': round(await peakMemory(program)),
  })),
);
console.log(`a comment without a command, ${runs} runs in turn, Node ${process.version}`);
console.table(talk);

const config = readConfig('commands: { train: { permission: write, arguments: { note: { type: string } } } }', 'slashtrain.yml');
const commands = commandsOf(config);
const rows = [];
for (const [name, make] of [
  ...hostileBodies,
  ['one long argument', (length: number) => `/train note="${'\\\\a '.repeat(length / 4)}`] as const,
]) {
  const [half, whole] = [await milliseconds(make(longest / 2)), await milliseconds(make(longest))];
  rows.push({ body: name, 'ms at 65,536': round(whole, 1), '÷ half of it': round(whole / half, 2) });
}
console.table(rows.sort((a, b) => b['ms at 65,536'] - a['ms at 65,536']));

/** The least of seven times, which is what a busy machine disturbs least, that a body is searched and its commands are parsed, after one that warms the code up. */
async function milliseconds(body: string): Promise<number> {
  const samples: number[] = [];
  for (let time = -1; time < 7; time++) {
    const start = performance.now();
    for (const line of await findCommandLines(`${body}\n\n/train note=a`)) {
      const command = commands.get(line.word);
      try {
        if (command) parseCommand(line.text, command);
      } catch {
        // A refusal is an answer, and takes its time as well.
      }
    }
    if (time >= 0) samples.push(performance.now() - start);
  }
  return Math.min(...samples);
}

function round(value: number, digits = 0): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
