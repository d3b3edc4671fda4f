import { enter } from '@slashtrain/core/action/entry';
import { readContext } from '@slashtrain/core/github/context';
import { actionCredentials, Registries } from '@slashtrain/core/registry/registries';
import { readInputs } from './inputs.ts';
import { main } from './main.ts';

await enter(async (host) => {
  const inputs = readInputs(host.inputs, host.workspace);
  const context = readContext(host.environment);
  const { log, signal, environment } = host;
  log.mask(inputs.token);
  const registries = new Registries({
    credentials: actionCredentials({
      environment,
      token: inputs.token,
      actor: context.actor,
      ...(inputs.login ? { given: { registry: inputs.target.registry, ...inputs.login } } : {}),
    }),
    mask: (secret) => log.mask(secret),
    debug: (text) => log.debug(text),
    signal,
    environment,
  });
  await main(inputs, { host, context, registries });
});
