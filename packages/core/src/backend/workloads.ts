import { ActionError, messageOf } from '../action/errors.ts';
import type { Log } from '../action/log.ts';
import { holds, type Condition } from '../kinds/conditions.ts';
import type { KubernetesObject, Resource } from '../kinds/kind.ts';
import type { KubernetesClient, Selection } from '../kubernetes/client.ts';
import { watchSelection, type WatchOptions } from '../kubernetes/watch.ts';
import type { RunReference } from '../run/reference.ts';
import type { Evidence } from './backend.ts';

/** A Kueue Workload (https://github.com/kubernetes-sigs/kueue/blob/v0.16.2/apis/kueue/v1beta2/workload_types.go). */
export interface Workload extends KubernetesObject {
  status?: { conditions?: Condition[] };
}

/** Kueue's view of a run: the Workload that it made for it. */
export interface Workloads {
  /** What it says now; nothing where Kueue is not there, has no Workload for the run, or may not be asked. */
  look(reference: RunReference): Promise<Evidence[]>;
  /** What it says at first and at each change. */
  watch(reference: RunReference, options: WatchOptions): AsyncIterable<Evidence[]>;
}

export function kueueWorkloads(client: KubernetesClient, log: Pick<Log, 'debug'>): Workloads {
  let asked: Promise<Resource | undefined> | undefined;
  const resource = (): Promise<Resource | undefined> => (asked ??= served(client));
  return {
    async look(reference) {
      try {
        const found = await resource();
        if (!found) return [];
        const { items } = await client.list<Workload>(found, reference.namespace, selectionFor(reference));
        return items.flatMap(workloadEvidence);
      } catch (error) {
        if (!(error instanceof ActionError)) throw error;
        log.debug(`no workloads of Kueue: ${messageOf(error)}`);
        return [];
      }
    },
    async *watch(reference, options) {
      const found = await resource();
      if (!found) return;
      const current = new Map<string, Evidence[]>();
      for await (const { present, object } of watchSelection<Workload>(
        client,
        found,
        reference.namespace,
        selectionFor(reference),
        options,
      )) {
        if (present) current.set(object.metadata.uid ?? '', workloadEvidence(object));
        else current.delete(object.metadata.uid ?? '');
        yield [...current.values()].flat();
      }
    },
  };
}

/** The version that the server has: newer ones of Kueue leave out v1beta1. */
async function served(client: KubernetesClient): Promise<Resource | undefined> {
  for (const version of ['v1beta2', 'v1beta1']) {
    const resources = await client.discover('kueue.x-k8s.io', version);
    const found = resources?.find(({ plural }) => plural === 'workloads');
    if (found) return found;
  }
  return undefined;
}

// https://github.com/kubernetes-sigs/kueue/blob/v0.16.2/pkg/controller/constants/constants.go, JobUIDLabel
function selectionFor({ uid }: RunReference): Selection {
  return { labelSelector: `kueue.x-k8s.io/job-uid=${uid}` };
}

/**
 * Why Kueue holds a run back, in words of its newer versions, which name a reason where earlier ones said `Pending` and a
 * sentence. Of one that is admitted or has finished there is nothing to say.
 */
export function workloadEvidence({ metadata, status }: Workload): Evidence[] {
  const conditions = status?.conditions;
  if (holds(conditions, 'Finished') || holds(conditions, 'Admitted')) return [];
  const of = (type: string): Condition | undefined => conditions?.find((one) => one.type === type);
  const quota = of('QuotaReserved');
  const common = { source: 'workload', object: metadata.name ?? '' } as const;
  if (quota?.status === 'True') {
    const admitted = of('Admitted');
    return admitted ? [{ ...common, reason: 'UnsatisfiedChecks', message: admitted.message ?? '', ...at(admitted) }] : [];
  }
  const waits = quota?.message ?? '';
  const reason = reasonOf(quota, waits);
  const evicted = holds(conditions, 'Evicted');
  if (evicted && reason !== 'ExceedsMaxQuota' && reason !== 'NoMatchingFlavor') {
    // Until it is looked at again, the one repeats the other.
    const again = waits && waits !== evicted.message ? `; back in the queue: ${waits}` : '; back in the queue';
    return [{ ...common, reason: evicted.reason ?? 'Evicted', message: `${evicted.message ?? ''}${again}`, ...at(evicted) }];
  }
  return quota ? [{ ...common, reason, message: waits, ...at(quota) }] : [];
}

/** The sentences are those of https://github.com/kubernetes-sigs/kueue/blob/v0.16.2/pkg/scheduler/flavorassigner/flavorassigner.go. */
function reasonOf(quota: Condition | undefined, message: string): string {
  const said = quota?.reason ?? '';
  if (said !== 'Pending') return said;
  // Of several flavors one may yet have room.
  if (/insufficient unused quota/u.test(message)) return 'WaitingForQuota';
  if (/> maximum capacity/u.test(message)) return 'ExceedsMaxQuota';
  if (
    /doesn't match node affinity|untolerated taint|unavailable in ClusterQueue|does not provide resource|flavor \S+ not found/u.test(
      message,
    )
  )
    return 'NoMatchingFlavor';
  if (/ClusterQueue|LocalQueue|namespace doesn't match/u.test(message)) return 'Inadmissible';
  return 'WaitingForQuota';
}

function at({ lastTransitionTime }: Condition): { time?: string } {
  return lastTransitionTime === undefined ? {} : { time: lastTransitionTime };
}
