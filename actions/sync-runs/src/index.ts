import { enter } from '@slashtrain/core/action/entry';
import { openGitHub } from '@slashtrain/core/github/client';
import { readContext } from '@slashtrain/core/github/context';
import { readInputs } from './inputs.ts';
import { main } from './main.ts';

// https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#pause-between-mutative-requests
const millisecondsBetweenWrites = 1_000;

await enter(async (host) => {
  const inputs = readInputs(host);
  const context = readContext(host.environment);
  const { log, signal } = host;
  const github = openGitHub({ token: inputs.token, context, log, signal, betweenWrites: millisecondsBetweenWrites });
  await main(inputs, { host, context, github });
});
