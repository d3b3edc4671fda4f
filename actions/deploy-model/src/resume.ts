import { ActionError } from '@slashtrain/core/action/errors';
import { takeLease } from '@slashtrain/core/rollouts/lease';
import { isActive, leaseName, type StoredRollout } from '@slashtrain/core/rollouts/rollout';
import { change } from '@slashtrain/core/rollouts/store';
import { advance, holderFor, TakenBack } from './deploy.ts';
import { takeBack, tellEnd } from './finish.ts';
import { currentOf } from './history.ts';
import type { CommonInputs, FinishInputs } from './inputs.ts';
import type { Advance, DeployParts } from './parts.ts';
import { openRegistry } from './registry/open.ts';
import { kindsFor } from './targets/kinds/index.ts';
import { toolsFor } from './tools.ts';

/** What going on with a deploy works with. */
export type ResumeParts = Pick<DeployParts, 'host' | 'context' | 'github' | 'client' | 'rollouts'>;

/** Finishes what a runner that is gone left: what was there before comes back. */
export async function resume(inputs: FinishInputs & CommonInputs, parts: ResumeParts): Promise<void> {
  const { host, context, client, rollouts } = parts;
  const { log } = host;
  const stored = await rollouts.get(client.namespace, inputs.rollout);
  if (!stored) {
    throw new ActionError('not-found', `there is no rollout "${inputs.rollout}" in namespace ${client.namespace} on ${client.server}`, {
      remedy: 'pass an entry of the output "rollouts" of sync-runs',
    });
  }
  const { rollout } = stored;
  if (rollout.repository.id !== context.repositoryId) {
    throw new ActionError('mismatch', `the rollout ${inputs.rollout} belongs to the repository ${rollout.repository.fullName}`);
  }
  host.setOutput('deployment-id', String(rollout.deploymentId));
  host.setOutput('previous-revision', rollout.previous ?? '');
  if (!isActive(rollout)) {
    if (rollout.untold) {
      const { environment, name } = rollout;
      const all = await rollouts.find(client.namespace, { repositoryId: context.repositoryId, environment, name });
      await tellEnd(stored, currentOf(all)?.uid === stored.uid, parts);
    }
    host.setOutput('state', rollout.state === 'deployed' ? 'success' : 'failure');
    host.setOutput('revision', rollout.state === 'deployed' ? rollout.revision : (rollout.previous ?? ''));
    return log.info(`${inputs.rollout} is finished: ${rollout.state}`);
  }
  const registry = rollout.registry && openRegistry(host);
  // Who still works on it renews the lease: then it is not ours.
  const lease = await takeLease({
    client,
    namespace: client.namespace,
    name: leaseName(rollout),
    holder: holderFor(rollout.repository.fullName, rollout.name, `${rollout.revision}, finished by run ${context.runId}`),
    signal: host.signal,
    waitSeconds: 0,
  });
  const signal = AbortSignal.any([host.signal, lease.lost]);
  try {
    // A canary whose pause is over goes on; what was cut off goes back.
    if (rollout.state === 'canary') return await goOn(stored, inputs, { ...parts, signal });
    const { message, restored } = await takeBack(stored, 'its runner was lost', {
      ...parts,
      ...(registry ? { registry } : {}),
      inputs,
      signal,
      timeout: inputs.timeout,
    });
    host.setOutput('revision', restored ? (rollout.previous ?? '') : rollout.revision);
    log.info(message);
    if (!restored) throw new ActionError('run-failed', message);
  } finally {
    await lease.release();
  }
}

async function goOn(
  stored: StoredRollout,
  inputs: FinishInputs & CommonInputs,
  parts: ResumeParts & Pick<Advance, 'signal'>,
): Promise<void> {
  const { host, client, rollouts, context } = parts;
  const { rollout } = stored;
  const kept = new Map(rollout.inputs.map(({ name, value }) => [name, value]));
  const tools = toolsFor(inputs, host, client, kept, rollout.target === 'kserve');
  const kinds = await kindsFor([...rollout.applied, ...(rollout.extras ?? [])], inputs.readiness, client);
  const query = { repositoryId: context.repositoryId, environment: rollout.environment, name: rollout.name };
  const all = (await rollouts.find(client.namespace, query)).filter(({ uid }) => uid !== stored.uid);
  // From here on a runner that is lost leaves something to be taken back.
  const begun = await change(rollouts, stored, (one) => ({ ...one, state: 'started' }));
  host.saveState('rollout', begun.name);
  host.setOutput('revision', rollout.revision);
  try {
    await advance(begun, all, { ...parts, inputs, tools, kinds, notes: [] });
  } catch (error) {
    throw error instanceof TakenBack ? error.cause : error;
  }
}
