import { ActionError, describe } from '@slashtrain/core/action/errors';
import type { RunBackend } from '@slashtrain/core/backend/backend';
import type { Host } from '@slashtrain/core/action/host';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { openFor } from '@slashtrain/core/kubernetes/access';
import { apiVersionOf } from '@slashtrain/core/kubernetes/api';
import type { Kind, KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { SubmitInputs } from './inputs.ts';

/** The cluster, or why there is none: a dry run goes on without. */
export type Cluster = { client: KubernetesClient } | { client?: never; why: string };

/** Opens the cluster that the inputs name. A dry run asks whether it answers at all. */
export async function openCluster(inputs: SubmitInputs, host: Host): Promise<Cluster> {
  if (!inputs.dryRun) return { client: await openFor(host, inputs) };
  try {
    const client = await openFor(host, inputs);
    await client.discover('batch', 'v1');
    return { client };
  } catch (error) {
    const isUnnamed = error instanceof ActionError && error.code === 'input' && inputs.kubeconfig === undefined;
    const isAway = error instanceof ActionError && error.code === 'unreachable';
    if (isUnnamed || isAway) return { why: describe(error) };
    throw error;
  }
}

/**
 * Has the API server check an object with strict field validation, as it would be made, and make nothing.
 * @throws ActionError with the server's words; where it does not have the kind, with what brings it
 */
export async function checkOnServer(client: KubernetesClient, backend: RunBackend, kind: Kind, object: KubernetesObject): Promise<void> {
  const { resource, operator } = kind;
  try {
    await backend.check(kind, object);
  } catch (error) {
    if (!(error instanceof ActionError) || error.code !== 'not-found') throw error;
    const served = await client.discover(resource.group, resource.version);
    if (served?.some(({ plural }) => plural === resource.plural)) throw error;
    throw new ActionError('not-found', `${client.server} does not have the kind ${resource.kind} (${apiVersionOf(resource)})`, {
      remedy: `install ${operator ?? 'what brings it'}, or submit a kind that this cluster has`,
      cause: error,
    });
  }
}
