import { ActionError, messageOf } from '../action/errors.ts';
import type { Log } from '../action/log.ts';
import type { KubernetesObject } from '../kinds/kind.ts';
import { events as eventResource, nodes as nodeResource, type KubernetesClient } from '../kubernetes/client.ts';
import { statusesOf, type ContainerStatus, type Pod, type PodCondition } from '../kubernetes/pod.ts';
import { labels } from '../run/record.ts';
import type { RunReference } from '../run/reference.ts';
import type { ContainerResult, PodResult } from '../run/result.ts';
import type { Evidence } from './backend.ts';

/** A core/v1 Event (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/). */
export interface Event extends KubernetesObject {
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
  const scheduledAt = status?.conditions?.find(
    ({ type, status: value }) => type === 'PodScheduled' && value === 'True',
  )?.lastTransitionTime;
  const rank = rankOf(pod);
  const endedAt = hasEnded ? ends.at(-1) : undefined;
  return {
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    phase: status?.phase ?? 'Unknown',
    ...(spec?.nodeName === undefined ? {} : { node: spec.nodeName }),
    ...(rank === undefined ? {} : { rank }),
    ...(scheduledAt === undefined ? {} : { scheduledAt }),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(status?.phase !== 'Succeeded' && wasStopped(pod, endedAt) ? { stopped: true } : {}),
    gpus: gpusOf(pod),
    containers: statuses.map(containerResult),
  };
}

/** Whether it was told to go before it ended. `deletionTimestamp` is when its grace is over. */
function wasStopped({ metadata }: Pod, endedAt: string | undefined): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 30 } = metadata as Pod['metadata'] & { deletionGracePeriodSeconds?: number };
  if (deletionTimestamp === undefined) return false;
  return endedAt === undefined || Date.parse(endedAt) >= Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
}

// What the controllers of the kinds write on their pods: Jobs (and JobSets, TrainJobs, whose pods are Jobs'),
// training-operator and mpi-operator, Volcano. On the pods of a Workflow's sweep it is ours.
const rankLabels = [
  labels.trial,
  'batch.kubernetes.io/job-completion-index',
  'training.kubeflow.org/replica-index',
  'volcano.sh/task-index',
];

function rankOf({ metadata: { labels: own = {}, annotations = {} } }: Pod): number | undefined {
  const text = rankLabels.map((key) => own[key] ?? annotations[key]).find((value) => value !== undefined);
  return text !== undefined && /^\d{1,6}$/u.test(text) ? Number(text) : undefined;
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
      const { reason = 'Error', message = '', exitCode, startedAt, finishedAt } = ended;
      found.push({ ...common, reason, message, exitCode, ...(startedAt ? { startedAt } : {}), ...at(finishedAt) });
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
 * Leaves out of a namespace's events what says nothing of why a run waits. Good news stays in: that a pod was made, got
 * its node or pulls its image is how an earlier warning is known to be over.
 */
export const tellingEvents = ['Created', 'Started', 'Completed', 'Killing'].map((reason) => `reason!=${reason}`).join(',');

/**
 * Whether an event is about the run, one of its pods, or what its controllers made for it, whose names begin with the
 * run's: the Jobs of a JobSet, a Kueue Workload (`job-<name>-<hash>`), claims.
 */
export function isAbout({ involvedObject }: Event, { name, uid }: RunReference, pods: ReadonlySet<string>): boolean {
  const { name: object = '', uid: theirs = '' } = involvedObject ?? {};
  if (theirs === uid || pods.has(theirs)) return true;
  const start = object.indexOf(`${name}-`);
  const isNamed = start === 0 || (start > 0 && object[start - 1] === '-');
  // The next attempt's run has our name and a number.
  return isNamed && !/^\d+(-|$)/u.test(object.slice(start + name.length + 1));
}

/** What an event says. */
export function eventEvidence({ involvedObject, reason, message, lastTimestamp, eventTime, series, metadata }: Event): Evidence {
  return {
    source: 'event',
    object: involvedObject?.name ?? '',
    reason: reason ?? '',
    message: message ?? '',
    ...at(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp),
  };
}

/**
 * The telling events about a run and its pods. Events go after an hour, and the right to read them may be missing: then
 * there are fewer signals, and no error.
 */
export async function tellingEventsOf(
  client: KubernetesClient,
  reference: RunReference,
  pods: readonly Pod[],
  log: Pick<Log, 'debug'>,
): Promise<Evidence[]> {
  const ours = new Set(pods.map(({ metadata }) => metadata.uid ?? ''));
  const items = await orNothing('events', log, async () => {
    // One request for all of the namespace's, instead of one for each pod.
    const list = await client.list<Event>(eventResource, reference.namespace, { fieldSelector: tellingEvents });
    return list.items;
  });
  return items.filter((event) => isAbout(event, reference, ours)).map(eventEvidence);
}

/** The fields of a node that matter here (https://kubernetes.io/docs/reference/node/node-status/). */
interface Node extends KubernetesObject {
  status?: { conditions?: PodCondition[] };
}

// A run's pods may be on hundreds of nodes; the first that failed say enough.
const mostNodes = 4;

/**
 * What nodes say of themselves and what is said of them: that they are lost, and faults of their GPUs (XID), which
 * node-problem-detector and vendors' agents write as conditions or events
 * (https://docs.nvidia.com/deploy/xid-errors). Nodes belong to no namespace: without a ClusterRole there is nothing.
 */
export async function nodeEvidence(client: KubernetesClient, names: readonly string[], log: Pick<Log, 'debug'>): Promise<Evidence[]> {
  const found: Evidence[] = [];
  for (const name of names.slice(0, mostNodes)) {
    const said = await orNothing('nodes', log, async () => {
      const node = await client.get<Node>(nodeResource, '', name);
      return node
        ? conditionsOf(name, node)
        : [{ source: 'node' as const, object: name, reason: 'NodeGone', message: `the node ${name} is not there any more` }];
    });
    // The events of what has no namespace are in this one.
    const events = await orNothing('events of nodes', log, async () => {
      const { items } = await client.list<Event>(eventResource, 'default', {
        fieldSelector: `involvedObject.kind=Node,involvedObject.name=${name},type!=Normal`,
      });
      return items.map((event): Evidence => ({ ...eventEvidence(event), source: 'node' }));
    });
    found.push(...said, ...events);
  }
  return found;
}

function conditionsOf(object: string, { status }: Node): Evidence[] {
  return (status?.conditions ?? []).flatMap(({ type, status: value, reason = type, message = '', lastTransitionTime }) => {
    const said: Evidence = { source: 'node', object, reason, message: message || type, ...at(lastTransitionTime) };
    if (type === 'Ready') return value === 'True' ? [] : [{ ...said, reason: 'NodeNotReady' }];
    return value === 'True' && /xid|gpu/iu.test(`${type} ${message}`) ? [said] : [];
  });
}

/** What can be explained without is left out; that is said for those who debug. */
async function orNothing<T>(what: string, log: Pick<Log, 'debug'>, ask: () => Promise<T[]>): Promise<T[]> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ActionError)) throw error;
    log.debug(`no ${what}: ${messageOf(error)}`);
    return [];
  }
}

function at(time: string | undefined): { time?: string } {
  return time === undefined ? {} : { time };
}
