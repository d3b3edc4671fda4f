import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runBundle } from '@slashtrain/testing/bundle/bundle';
import { root } from '../repository/repository.ts';

/* What every action does through core/action/entry.ts: an action that says what it was given, run as the runner runs one. */
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slashtrain-outputs-'));
  writeFileSync(join(folder, 'action.yml'), 'inputs: { text: {} }\nruns: { using: node24, main: main.ts }\n');
  const entry = pathToFileURL(join(root, 'packages/core/src/action/entry.ts')).href;
  writeFileSync(
    join(folder, 'main.ts'),
    `import { enter } from ${JSON.stringify(entry)};
     await enter(async ({ inputs, setOutput, saveState }) => {
       setOutput('message', inputs.text('text'));
       saveState('message', inputs.text('text'));
     });`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

it('attack 11: an output stays one, whatever stands in it', async () => {
  const text = ['x', 'EOF', 'ghadelimiter', 'verdict=pass', 'sha<<EOF', 'evil', 'EOF', '::set-output name=verdict::pass'].join('\n');
  const github = { url: 'http://127.0.0.1:1', token: 'ghs_x', repository: { owner: 'acme', name: 'digits', id: 1 } };
  const { code, outputs, state, commands } = await runBundle({ action: folder, inputs: { text }, github });
  expect({ code, outputs: { ...outputs }, state: { ...state }, commands }).toEqual({
    code: 0,
    outputs: { message: text },
    state: { message: text },
    commands: [],
  });
});
