import { ActionError, messageOf } from '../action/errors.ts';
import type { Log } from '../action/log.ts';
import type { KubernetesObject } from '../kinds/kind.ts';
import { events as eventResource, type KubernetesClient } from '../kubernetes/client.ts';
import { statusesOf, type ContainerStatus, type Pod } from '../kubernetes/pod.ts';
import type { RunReference } from '../run/reference.ts';
import type { ContainerResult, PodResult } from '../run/result.ts';
import type { Evidence } from './backend.ts';

/** A core/v1 Event (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/). */
interface Event extends KubernetesObject {
  involvedObject?: { kind?: string; name?: string; uid?: string };
  reason?: string;
  message?: string;
  lastTimestamp?: string | null;
  eventTime?: string | null;
  series?: { lastObservedTime?: string };
}

/** What a pod was and did. */
export function podResult(pod: Pod): PodResult {
  const { metadata, spec, status } = pod;
  const statuses = statusesOf(pod);
  // A pod's startTime is when the kubelet took it over; it may still have waited for its image then.
  const times = statuses.flatMap(({ state, lastState }) => [state?.running, state?.terminated, lastState?.terminated]);
  const starts = times.flatMap((one) => one?.startedAt ?? []).toSorted();
  const hasEnded = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  const ends = statuses.flatMap(({ state }) => state?.terminated?.finishedAt ?? []).toSorted();
  const [startedAt] = starts;
  const endedAt = hasEnded ? ends.at(-1) : undefined;
  return {
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    phase: status?.phase ?? 'Unknown',
    ...(spec?.nodeName === undefined ? {} : { node: spec.nodeName }),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
    gpus: gpusOf(pod),
    containers: statuses.map(containerResult),
  };
}

function containerResult({ name, restartCount, state, lastState }: ContainerStatus): ContainerResult {
  const terminated = state?.terminated ?? (state?.running ? undefined : lastState?.terminated);
  const reason = state?.waiting?.reason ?? terminated?.reason;
  return {
    name,
    ...(terminated === undefined ? {} : { exitCode: terminated.exitCode }),
    ...(reason === undefined ? {} : { reason }),
    restarts: restartCount,
  };
}

/** GPUs of any vendor: `nvidia.com/gpu`, `amd.com/gpu`, `nvidia.com/mig-1g.5gb`, `gpu.intel.com/i915`. */
function gpusOf({ spec }: Pod): number {
  const count = ({
    resources,
  }: {
    resources?: { requests?: Record<string, string | number>; limits?: Record<string, string | number> };
  }): number =>
    Object.entries({ ...resources?.requests, ...resources?.limits })
      .filter(([name]) => /^gpu\.|\/gpu($|\.)|\/mig-/u.test(name))
      .reduce((sum, [, amount]) => sum + (Number(amount) || 0), 0);
  const together = (spec?.containers ?? []).reduce((sum, container) => sum + count(container), 0);
  return Math.max(together, 0, ...(spec?.initContainers ?? []).map(count));
}

/** Why a pod does not run, or ended badly, as its status says it. */
export function evidenceOf(pod: Pod): Evidence[] {
  const object = pod.metadata.name ?? '';
  const found: Evidence[] = [];
  const { status } = pod;
  if (status?.reason) {
    const ended = (status.conditions ?? []).flatMap(({ lastTransitionTime }) => lastTransitionTime ?? []).toSorted();
    found.push({ source: 'pod', object, reason: status.reason, message: status.message ?? '', ...at(ended.at(-1)) });
  }
  for (const { type, status: value, reason, message, lastTransitionTime } of status?.conditions ?? []) {
    // The conditions that say more than the containers do (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions).
    const counts = (type === 'PodScheduled' && value === 'False') || (type === 'DisruptionTarget' && value === 'True');
    if (counts && reason) found.push({ source: 'pod', object, reason, message: message ?? '', ...at(lastTransitionTime) });
  }
  for (const { name, state, lastState } of statusesOf(pod)) {
    const common = { source: 'container', object, container: name } as const;
    for (const ended of [lastState?.terminated, state?.terminated]) {
      if (!ended || ended.exitCode === 0) continue;
      const { reason = 'Error', message = '', exitCode, finishedAt } = ended;
      found.push({ ...common, reason, message, exitCode, ...at(finishedAt) });
    }
    const { reason, message } = state?.waiting ?? {};
    // Every container begins so; it is no reason.
    if (reason && reason !== 'ContainerCreating' && reason !== 'PodInitializing')
      found.push({
        ...common,
        reason,
        message: message ?? '',
        ...(lastState?.terminated ? { exitCode: lastState.terminated.exitCode } : {}),
      });
  }
  return found;
}

/**
 * The warnings about a run and its pods. Events go after an hour, and the right to read them may be missing: then there
 * are fewer signals, and no error.
 */
export async function failedEvents(
  client: KubernetesClient,
  reference: RunReference,
  pods: readonly Pod[],
  log: Pick<Log, 'debug'>,
): Promise<Evidence[]> {
  let items: Event[];
  try {
    // One request for all of the namespace's warnings, instead of one for each pod.
    ({ items } = await client.list<Event>(eventResource, reference.namespace, { fieldSelector: 'type!=Normal' }));
  } catch (error) {
    if (!(error instanceof ActionError)) throw error;
    log.debug(`no events: ${messageOf(error)}`);
    return [];
  }
  const ours = new Set([reference.uid, ...pods.map(({ metadata }) => metadata.uid)]);
  return items
    .filter(({ involvedObject }) => involvedObject?.uid !== undefined && ours.has(involvedObject.uid))
    .map(({ involvedObject, reason, message, lastTimestamp, eventTime, series, metadata }) => ({
      source: 'event',
      object: involvedObject?.name ?? '',
      reason: reason ?? '',
      message: message ?? '',
      ...at(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp),
    }));
}

function at(time: string | undefined): { time?: string } {
  return time === undefined ? {} : { time };
}
