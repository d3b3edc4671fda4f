import { setFlagsFromString } from 'node:v8';
import { enter } from '@slashtrain/core/action/entry';
import { readContext } from '@slashtrain/core/github/context';
import { actionCredentials, ownCredentials, Registries } from '@slashtrain/core/registry/registries';
import { readInputs } from './inputs.ts';
import { main } from './main.ts';
import { tellEarly } from './show.ts';

// Layers of gigabytes pass through as short-lived buffers. V8 lets the space of young objects grow with them, to some 40 MB that
// nothing needs: kept at its first size, the peak was at most 118 MB in ten runs of 2 GB, and 157 MB in runs of 1 GB where it grew.
// Before anything else: said once the layers come, it was up to 143 MB.
setFlagsFromString('--semi-space-growth-factor=1');

await enter(async (host) => {
  const inputs = await tellEarly(host, () => readInputs(host.inputs, host.workspace));
  const context = readContext(host.environment);
  const { log, signal, environment } = host;
  log.mask(inputs.token);
  const [first] = inputs.requests;
  const login = {
    environment,
    token: inputs.token,
    actor: context.actor,
    ...(inputs.login && first ? { given: { registry: first.target.registry, ...inputs.login } } : {}),
  };
  const all = actionCredentials(login);
  const registries = new Registries({
    credentials: all,
    mask: (secret) => log.mask(secret),
    debug: (text) => log.debug(text),
    signal,
    environment,
  });
  // Who we are by what this step was given, as docker's own configuration does not know it.
  const own = ownCredentials(login);
  await main(inputs, { host, context, registries, credentials: { own, all } });
});
