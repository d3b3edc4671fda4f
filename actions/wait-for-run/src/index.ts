import { setFlagsFromString } from 'node:v8';
import { enter } from '@slashtrain/core/action/entry';
import { readContext } from '@slashtrain/core/github/context';
import { openGitHub } from '@slashtrain/core/github/client';
import { readInputs } from './inputs.ts';
import { main } from './main.ts';

// Logs of gigabytes pass through as short-lived lines, and V8 lets the space of young objects grow with them: kept at its first
// size, following 100 MB of a real Job's log peaked at 160 MB instead of 225.
setFlagsFromString('--semi-space-growth-factor=1');

await enter(async (host) => {
  const inputs = readInputs(host);
  const context = readContext(host.environment);
  const github = openGitHub({ token: inputs.token, context, log: host.log, signal: host.signal });
  await main(inputs, { host, context, github });
});
