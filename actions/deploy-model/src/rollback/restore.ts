import { ActionError } from '@slashtrain/core/action/errors';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { Rollout } from '@slashtrain/core/rollouts/rollout';
import { differences } from '../rollout/diff.ts';
import { waitUntilReady, type WaitParts } from '../rollout/wait.ts';
import { titleOf } from '../targets/before.ts';
import type { KindsFor } from '../targets/kinds/index.ts';
import { ownFields, partOf, union } from './owned.ts';

/** What restoring works with. */
export type RestoreParts = WaitParts & {
  client: KubernetesClient;
  kinds: KindsFor;
  warn(line: string): void;
};

/**
 * Brings back what stood there before a rollout, exactly: the fields that we had applied are applied again as they were, what
 * we added goes, what was not there is deleted; then it is waited for. May be done again after it was cut off.
 * @returns what stands there then
 */
export async function restore(rollout: Rollout, parts: RestoreParts): Promise<KubernetesObject[]> {
  const { client, kinds, say } = parts;
  checkPlaces(rollout);
  const restored: KubernetesObject[] = [];
  for (const old of rollout.saved.objects) {
    const { resource } = kinds(old);
    const { namespace = '', name = '' } = old.metadata;
    const now = await client.get(resource, namespace, name);
    // Of what another manager gave up to us, the old value comes back. What somebody deleted is made anew as it was.
    const owned = now && rollout.tookOver ? union(ownFields(old), ownFields(now)) : ownFields(old);
    const applied = await client.apply(resource, now ? partOf(old, owned) : withoutServerFields(old), { force: true });
    restored.push(applied);
    say(`${titleOf(old)}: restored`);
    for (const { path, before = 'nothing', after = 'nothing' } of differences(old, applied).slice(0, 10)) {
      if (!isControllers(path)) parts.warn(`${titleOf(old)} is not as it was before: ${path} was ${before} and is ${after}`);
    }
  }
  const ready = await waitUntilReady(restored, { ...parts, patient: true });
  // What is new goes last: until then what was there before is not up again.
  for (const { apiVersion, kind, namespace, name } of rollout.saved.absent) {
    const object: KubernetesObject = { apiVersion, kind, metadata: { namespace, name } };
    if (await client.delete(kinds(object).resource, namespace, name)) say(`${titleOf(object)}: deleted, it was not there before`);
  }
  return ready;
}

/** A rollout is a ConfigMap that others may be able to write: it leads nowhere but to its own namespace and its own objects. */
function checkPlaces({ saved, applied, extras = [], name }: Rollout): void {
  const key = (kind: string, object: { namespace?: string; name?: string }): string => `${kind}/${object.namespace}/${object.name}`;
  const ours = new Set([...applied, ...extras].map(({ kind, metadata }) => key(kind, metadata)));
  const all = [...saved.objects.map(({ kind, metadata }) => key(kind, metadata)), ...saved.absent.map((one) => key(one.kind, one))];
  const stranger = all.find((one) => !ours.has(one));
  if (stranger !== undefined)
    throw new ActionError(
      'conflict',
      `the record of the rollout of ${name} keeps ${stranger}, which it did not deploy; nothing was restored`,
    );
}

// Controllers write these by themselves.
function isControllers(path: string): boolean {
  return path.startsWith('metadata.annotations.deployment.kubernetes.io/') || path.startsWith('metadata.managedFields');
}

function withoutServerFields({ metadata, ...rest }: KubernetesObject): KubernetesObject {
  const { uid: _u, resourceVersion: _r, creationTimestamp: _c, ...kept } = metadata;
  const { managedFields: _m, generation: _g, ...clean } = kept as Record<string, unknown>;
  return { ...rest, metadata: clean };
}
