import { enter } from '@slashtrain/core/action/entry';
import { openGitHub } from '@slashtrain/core/github/client';
import { readContext } from '@slashtrain/core/github/context';
import { readInputs } from './inputs.ts';
import { main } from './main.ts';

await enter(async (host) => {
  const inputs = readInputs(host);
  const context = readContext(host.environment);
  const github = openGitHub({ token: inputs.token, context, log: host.log, signal: host.signal });
  await main(inputs, { host, context, github });
});
