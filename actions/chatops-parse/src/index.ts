import { enter } from '@slashtrain/core/action/entry';
import { readContext } from '@slashtrain/core/github/context';
import { readInputs } from './inputs.ts';
import { main } from './main.ts';

await enter(async (host) => {
  const inputs = readInputs(host);
  const context = readContext(host.environment);
  const { log, signal } = host;
  await main(inputs, {
    host,
    context,
    open: async (token) => (await import('@slashtrain/core/github/client')).openGitHub({ token, context, log, signal }),
  });
});
