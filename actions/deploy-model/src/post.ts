import { enter } from '@slashtrain/core/action/entry';
import { ActionError } from '@slashtrain/core/action/errors';
import { openGitHub } from '@slashtrain/core/github/client';
import { readContext } from '@slashtrain/core/github/context';
import { openFor } from '@slashtrain/core/kubernetes/access';
import { takeLease } from '@slashtrain/core/rollouts/lease';
import { isActive, leaseName } from '@slashtrain/core/rollouts/rollout';
import { rolloutStore } from '@slashtrain/core/rollouts/store';
import { holderFor } from './deploy.ts';
import { takeBack } from './finish.ts';
import { readInputs } from './inputs.ts';
import { openRegistry } from './registry/open.ts';

// A cancelled job ends after 5 minutes, whatever its post steps do.
const mostSeconds = 240;

/** Takes back what the step was interrupted in: a signal leaves it 5 seconds, this step has minutes. */
await enter(async (host) => {
  const name = host.environment['STATE_rollout'];
  if (!name) return;
  const inputs = readInputs(host);
  const context = readContext(host.environment);
  const client = await openFor(host, inputs);
  const rollouts = rolloutStore(client);
  const stored = await rollouts.get(client.namespace, name);
  // A canary that is detached goes on; what has ended needs nothing.
  if (!stored || !isActive(stored.rollout) || stored.rollout.state === 'canary') return;
  const { rollout } = stored;
  const github = openGitHub({ token: inputs.token, context, log: host.log, signal: host.signal });
  const lease = await takeLease({
    client,
    namespace: client.namespace,
    name: leaseName(rollout),
    holder: holderFor(rollout.repository.fullName, rollout.name, rollout.revision),
    signal: host.signal,
    waitSeconds: 0,
  });
  try {
    const signal = AbortSignal.any([host.signal, lease.lost]);
    const timeout = Math.min(inputs.timeout, mostSeconds);
    const registry = openRegistry(host);
    const parts = { inputs, host, context, github, client, rollouts, signal, timeout, ...(registry ? { registry } : {}) };
    const { restored, message } = await takeBack(stored, rollout.message ?? 'the step was interrupted', parts);
    host.log.info(message);
    if (!restored) throw new ActionError('run-failed', message, { remedy: 'the next deploy, or sync-runs, tries again' });
  } finally {
    await lease.release();
  }
});
