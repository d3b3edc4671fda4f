import { timestamp, type Condition, type Job, type Pod } from './objects.ts';

/** The pods of a Job, sorted. */
export interface PodCount {
  /** Neither ended nor being deleted. */
  active: Pod[];
  ready: number;
  /** Being deleted and not yet ended. */
  terminating: number;
  /** UIDs of ended pods that are in no count yet. */
  succeeded: string[];
  failed: string[];
}

/** @param seen UIDs that are in the Job's counts already */
export function countPods(pods: Pod[], seen: ReadonlySet<string>): PodCount {
  const going = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;
  const ended = (pod: Pod): boolean => pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
  const fresh = pods.filter((pod) => !seen.has(pod.metadata.uid));
  return {
    active: pods.filter((pod) => !ended(pod) && !going(pod)),
    ready: pods.filter((pod) => !going(pod) && pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'))
      .length,
    terminating: pods.filter((pod) => !ended(pod) && going(pod)).length,
    succeeded: fresh.filter((pod) => pod.status.phase === 'Succeeded').map((pod) => pod.metadata.uid),
    // A pod that is being deleted counts as failed at once, so that none is forgotten that never gets that far.
    failed: fresh.filter((pod) => pod.status.phase === 'Failed' || (going(pod) && !ended(pod))).map((pod) => pod.metadata.uid),
  };
}

/** That a Job is to end, and how. */
export interface Judgement {
  type: 'SuccessCriteriaMet' | 'FailureTarget';
  reason: string;
  message: string;
}

/** Whether the Job is to end now; undefined where it goes on. @param failedIndexes how many failed for good */
export function judge(job: Job, pods: Pod[], count: PodCount, failedIndexes: number, now: number): Judgement | undefined {
  const { spec, status } = job;
  const failed = (status.failed ?? 0) + count.failed.length;
  const succeeded = (status.succeeded ?? 0) + count.succeeded.length;
  const restarts = spec.template.spec['restartPolicy'] === 'OnFailure' ? restartsOf(pods) : 0;
  if (failed > spec.backoffLimit || (restarts > 0 && restarts >= spec.backoffLimit)) {
    return { type: 'FailureTarget', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
  }
  if (failedIndexes > (spec.maxFailedIndexes ?? Infinity)) {
    const message = 'Job has exceeded the specified maximal number of failed indexes';
    return { type: 'FailureTarget', reason: 'MaxFailedIndexesExceeded', message };
  }
  if (failedIndexes > 0 && succeeded + failedIndexes >= (spec.completions ?? Infinity)) {
    return { type: 'FailureTarget', reason: 'FailedIndexes', message: 'Job has failed indexes' };
  }
  const { activeDeadlineSeconds: deadline } = spec;
  if (deadline !== undefined && status.startTime !== undefined && !spec.suspend && now >= Date.parse(status.startTime) + deadline * 1000) {
    return { type: 'FailureTarget', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
  }
  const complete = spec.completions === undefined ? succeeded > 0 && count.active.length === 0 : succeeded >= spec.completions;
  if (complete) {
    return { type: 'SuccessCriteriaMet', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
  }
  return undefined;
}

function restartsOf(pods: Pod[]): number {
  const live = pods.filter((pod) => pod.status.phase === 'Running' || pod.status.phase === 'Pending');
  const statuses = live.flatMap((pod) => [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])]);
  return statuses.reduce((sum, status) => sum + status.restartCount, 0);
}

const isTrue = (job: Job, type: string): Condition | undefined =>
  job.status.conditions?.find((condition) => condition.type === type && condition.status === 'True');

/** The judgement that stands in the Job's status. */
export function judgementOf(job: Job): Judgement | undefined {
  const found = isTrue(job, 'SuccessCriteriaMet') ?? isTrue(job, 'FailureTarget');
  return found as Judgement | undefined;
}

export const suspended = (job: Job): boolean => isTrue(job, 'Suspended') !== undefined;

/** When it ended (milliseconds since 1970), or undefined where it has not. */
export function endedAt(job: Job): number | undefined {
  const end = isTrue(job, 'Complete') ?? isTrue(job, 'Failed');
  return end && Date.parse(end.lastTransitionTime ?? '');
}

/** Sets a condition; its transition time moves when its status does. */
export function setCondition(status: Job['status'], condition: Pick<Condition, 'type' | 'status' | 'reason' | 'message'>): void {
  const now = timestamp();
  const fresh = { ...condition, lastProbeTime: now, lastTransitionTime: now };
  const conditions = (status.conditions ??= []);
  const at = conditions.findIndex(({ type }) => type === condition.type);
  if (at < 0) conditions.push(fresh);
  else conditions[at] = fresh;
}
