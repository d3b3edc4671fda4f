import { timestamp, type Stored } from './objects.ts';
import type { ResourceType } from './resources.ts';
import type { Store } from './store.ts';

export type Propagation = 'Orphan' | 'Background' | 'Foreground';

/**
 * Deletes as the API server does: at once, or marked until its node and its finalizers let it go.
 * @returns what is left of it, and whether it is gone
 */
export function remove(
  store: Store,
  type: ResourceType,
  object: Stored,
  options: { graceSeconds?: number | undefined; propagation?: Propagation | undefined } = {},
): { object: Stored; gone: boolean } {
  const { namespace, name, finalizers = [] } = object.metadata;
  const seconds = type.kind === 'Pod' ? podGrace(object, options.graceSeconds) : 0;
  const finalizer = finalizerOf(options.propagation);
  if (seconds === 0 && finalizer === undefined && finalizers.length === 0 && type.kind !== 'Namespace') {
    return { object: store.remove(type, namespace, name), gone: true };
  }
  const left = store.update<Stored>(type, namespace, name, (copy) => {
    const { metadata } = copy;
    if (metadata.deletionTimestamp === undefined) {
      metadata.deletionTimestamp = timestamp(Date.now() + seconds * 1000);
      metadata.deletionGracePeriodSeconds = seconds;
      if (type.generation) metadata.generation = (metadata.generation ?? 0) + 1;
      if (finalizer !== undefined) metadata.finalizers = [...finalizers, finalizer];
      if (type.kind === 'Namespace') copy['status'] = { phase: 'Terminating' };
    } else if (seconds < (metadata.deletionGracePeriodSeconds ?? 0)) metadata.deletionGracePeriodSeconds = seconds;
  });
  return { object: left, gone: false };
}

function finalizerOf(propagation: Propagation | undefined): string | undefined {
  return propagation === 'Orphan' ? 'orphan' : propagation === 'Foreground' ? 'foregroundDeletion' : undefined;
}

/** A pod that is on no node, or has ended, goes at once. */
function podGrace(pod: Stored, asked: number | undefined): number {
  const spec = pod['spec'] as { nodeName?: string; terminationGracePeriodSeconds?: number };
  const { phase } = pod['status'] as { phase: string };
  if (spec.nodeName === undefined || phase === 'Succeeded' || phase === 'Failed') return 0;
  return asked ?? spec.terminationGracePeriodSeconds ?? 30;
}
