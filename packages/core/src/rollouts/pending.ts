import type { KubernetesClient } from '../kubernetes/client.ts';
import { holderOf } from './lease.ts';
import { isActive, leaseName, type StoredRollout } from './rollout.ts';

/**
 * The rollouts that deploy-model has to go on with: those that nobody works on any more, since the lease of their environment has
 * run out, canaries whose pause is over, and ended ones that GitHub could not be told of. Oldest first.
 * @param all newest first
 */
export async function pendingRollouts(client: KubernetesClient, all: readonly StoredRollout[], now: number): Promise<StoredRollout[]> {
  const active = all.filter(({ rollout }) => isActive(rollout) || rollout.untold);
  const held = new Map<string, boolean>();
  for (const name of new Set(active.map(({ rollout }) => leaseName(rollout)))) {
    held.set(name, (await holderOf(client, client.namespace, name, now)) !== undefined);
  }
  return active.toReversed().filter(({ rollout }) => {
    const due = rollout.state !== 'canary' || Date.parse(rollout.canary?.due ?? '') <= now;
    return due && !held.get(leaseName(rollout));
  });
}
