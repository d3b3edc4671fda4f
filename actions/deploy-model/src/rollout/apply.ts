import { ActionError } from '@slashtrain/core/action/errors';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { lineageAnnotations, type Saved } from '@slashtrain/core/rollouts/rollout';
import { Before, titleOf } from '../targets/before.ts';
import type { KindsFor } from '../targets/kinds/index.ts';

/** What applying works with. */
export interface ApplyParts {
  client: KubernetesClient;
  kinds: KindsFor;
  /** Takes fields that other managers own. */
  takeOver: boolean;
}

/** What the cluster has of these objects now. */
export async function readBefore(objects: readonly KubernetesObject[], { client, kinds }: Omit<ApplyParts, 'takeOver'>): Promise<Before> {
  const found = await Promise.all(
    objects.map((object) => client.get(kinds(object).resource, object.metadata.namespace ?? '', object.metadata.name ?? '')),
  );
  return new Before(found.filter((object) => object !== undefined));
}

/** What goes into the rollout's record before anything is changed. */
export function savedOf(objects: readonly KubernetesObject[], before: Before): Saved {
  const found = objects.map((object) => ({ object, old: before.of(object) }));
  return {
    objects: found.flatMap(({ old }) => {
      if (!old) return [];
      const { status: _, ...kept } = old;
      return [kept];
    }),
    absent: found.flatMap(({ object: { apiVersion, kind, metadata }, old }) =>
      old ? [] : [{ apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name ?? '' }],
    ),
  };
}

/**
 * What belongs to another environment is not ours to replace, even where it has our name.
 * @throws ActionError `conflict`
 */
export function checkEnvironment(before: Before, environment: string): void {
  for (const object of before.all) {
    const theirs = object.metadata.annotations?.[lineageAnnotations.environment];
    if (theirs === undefined || theirs === environment) continue;
    throw new ActionError(
      'conflict',
      `${titleOf(object)} in namespace ${object.metadata.namespace ?? ''} is deployed to "${theirs}", and this is "${environment}"`,
      {
        // prettier-ignore
        remedy: 'give each environment a namespace or a name of its own',
      },
    );
  }
}

/**
 * Applies the objects one after the other by server-side apply with our field manager.
 * @returns them as the server has them then, or would
 * @throws ActionError `conflict` that names each field and whose it is
 */
export async function applyAll(
  objects: readonly KubernetesObject[],
  { client, kinds, takeOver }: ApplyParts,
  options: { dryRun?: boolean } = {},
): Promise<KubernetesObject[]> {
  const made: KubernetesObject[] = [];
  for (const object of objects) {
    try {
      made.push(await client.apply(kinds(object).resource, object, { ...options, force: takeOver }));
    } catch (error) {
      throw explained(error, object);
    }
  }
  return made;
}

function explained(error: unknown, object: KubernetesObject): unknown {
  if (!(error instanceof ActionError) || error.code !== 'conflict') return error;
  return new ActionError('conflict', `${titleOf(object)} has fields of another manager: ${error.message}`, {
    remedy: 'leave these fields out, have that manager give them up, or set "take-over: true"',
    cause: error,
  });
}
