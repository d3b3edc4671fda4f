import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '@slashtrain/core/config/read';
import { hostileBodies, longest } from '@slashtrain/testing/github/hostile-bodies';
import { parseCommand } from '../../../actions/chatops-parse/src/bind.ts';
import { commandsOf } from '../../../actions/chatops-parse/src/choose.ts';
import { findCommandLines } from '../../../actions/chatops-parse/src/find.ts';
import { minimalBundle } from '../minimal.ts';
import type { Part, Row } from '../part.ts';
import { bundle, peakMemory, root, runnerOf, timeToEnd, type Program } from '../programs.ts';
import { inTurn, median, timeOf } from '../samples.ts';

/*
 * talk: a whole step for a comment without a command, beside a minimal bundle of @actions/core. Its GitHub does not answer.
 * hostile: finding and parsing the command at the end of 65,536 characters, and of half of them: linear is about 2.
 */
const bodies: readonly (readonly [string, (length: number) => string])[] = [
  ...hostileBodies,
  ['one long argument', (length) => `/train note="${'\\\\a '.repeat(length / 4)}`],
];

function talking(): Program {
  const folder = join(root, '.cache/bench');
  mkdirSync(folder, { recursive: true });
  const user = { id: 1, login: 'ada', type: 'User' };
  const file = join(folder, 'talk.json');
  writeFileSync(
    file,
    JSON.stringify({
      action: 'created',
      issue: { number: 1, pull_request: { url: 'http://127.0.0.1/pulls/1' } },
      comment: { id: 1, body: 'Looks good to me.\n\nOne question: why 20 epochs?', user },
      sender: user,
      repository: { id: 1, full_name: 'acme/digits' },
    }),
  );
  const event = { GITHUB_EVENT_NAME: 'issue_comment', GITHUB_EVENT_PATH: file, INPUT_TOKEN: 'token' };
  return bundle('chatops-parse', { ...runnerOf('http://127.0.0.1:1'), ...event });
}

export const part: Part = {
  rounds: { full: 21, quick: 7 },
  async run({ rounds }) {
    const [ours, minimal] = [talking(), { command: [process.execPath, minimalBundle('core')] }];
    const times = await inTurn(rounds, { ours: () => timeToEnd(ours), minimal: () => timeToEnd(minimal) });
    const talk: Row = {
      ...{ id: 'comment/talk', what: 'chatops-parse on a comment without a command, whole', issues: [7], unit: 'ms', better: 'lower' },
      ours: times.ours,
      peer: { name: 'minimal bundle', version: 'of @actions/core', samples: times.minimal },
      memory: { ours: await peakMemory(ours), peer: await peakMemory(minimal) },
      limits: [{ of: 'ratio', most: 1.1 }],
    };

    const config = readConfig('commands: { train: { permission: write, arguments: { note: { type: string } } } }', 'slashtrain.yml');
    const commands = commandsOf(config);
    const parse = async (body: string): Promise<void> => {
      for (const line of await findCommandLines(`${body}\n\n/train note=a`)) {
        const command = commands.get(line.word);
        try {
          if (command) parseCommand(line.text, command);
        } catch {
          // A refusal is an answer, and takes its time as well.
        }
      }
    };
    const measured: { name: string; whole: number[]; half: number[] }[] = [];
    for (const [name, make] of bodies) {
      const [whole, half] = [make(longest), make(longest / 2)];
      measured.push({ name, ...(await inTurn(7, { whole: () => timeOf(() => parse(whole)), half: () => timeOf(() => parse(half)) })) });
    }
    // The worst body is named; all others are faster.
    const worst = measured.toSorted((a, b) => median(b.whole) - median(a.whole))[0]!;
    const hostile: Row = {
      ...{ id: 'comment/hostile', issues: [7], unit: 'ms', better: 'lower', ours: worst.whole },
      what: `65,536 hostile characters are parsed, the worst of ${bodies.length} bodies (${worst.name})`,
      peer: { name: 'half of them', version: 'linear is 2', samples: worst.half },
      limits: [{ of: 'ours', most: 50 }],
    };
    return [talk, hostile];
  },
};
