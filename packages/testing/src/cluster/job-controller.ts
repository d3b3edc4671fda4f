import { admitPod } from './admission.ts';
import { Controller, ownerKeys } from './controller.ts';
import { ApiError } from './errors.ts';
import { EventRecorder } from './events.ts';
import type { Deleter } from './garbage.ts';
import { countPods, endedAt, judge, judgementOf, setCondition, suspended, type Judgement } from './job-status.ts';
import { failedIndexes, freeIndexes, indexOf, podOf, readIndexes, wanted, writeIndexes } from './job-pods.ts';
import { timestamp, type Job, type Pod } from './objects.ts';
import { types } from './resources.ts';
import type { Store } from './store.ts';

const keysOfJobs = ownerKeys(types.jobs, 'Job', types.pods);

/**
 * The Job controller: pods as parallelism and completions ask for, failures counted against backoffLimit, deadline,
 * suspension, TTL. The steps of the status, its conditions, reasons and words are those that kube-controller-manager
 * 1.35 writes (test/contract compares them).
 */
export class JobController {
  readonly #store: Store;
  readonly #remove: Deleter;
  readonly #backoff: number;
  readonly #events: EventRecorder;
  readonly #controller: Controller;
  /** UIDs of pods that are in their Job's counts already, by the Job's UID. */
  readonly #counted = new Map<string, Set<string>>();
  /** Failures since the last success, by the Job's UID, and the time before which no new pod is made. */
  readonly #failures = new Map<string, { inRow: number; until: number }>();

  /** How often in a row the API server let no pod in, by the Job's UID. */
  readonly #refusals = new Map<string, number>();

  /** @param backoff milliseconds to wait with a new pod after a failure, doubled for each further one; upstream 10 s */
  constructor(store: Store, backoff: number, remove: Deleter, onDefect: (error: unknown) => void) {
    this.#store = store;
    this.#remove = remove;
    this.#backoff = backoff;
    this.#events = new EventRecorder(store, 'job-controller');
    this.#controller = new Controller(
      store,
      (change) => {
        if (change.type === types.jobs && change.deleted) this.#forget(change.object.metadata.uid);
        return keysOfJobs(change);
      },
      (key) => this.#reconcile(key),
      onDefect,
    );
  }

  stop(): void {
    this.#controller.stop();
  }

  #reconcile(key: string): void {
    const [namespace, name] = key.split('/') as [string, string];
    const job = this.#store.get(types.jobs, namespace, name) as Job | undefined;
    if (!job || job.metadata.deletionTimestamp !== undefined) return;
    if (endedAt(job) !== undefined) return this.#expire(key, job);

    const seen = this.#counted.get(job.metadata.uid) ?? new Set();
    this.#counted.set(job.metadata.uid, seen);
    if (this.#flush(job, seen)) return;

    const pods = (this.#store.list(types.pods, namespace) as Pod[]).filter(({ metadata }) =>
      metadata.ownerReferences?.some((owner) => owner.uid === job.metadata.uid),
    );
    const now = Date.now();
    const count = countPods(pods, seen);
    const found = judgementOf(job);
    const failed = failedIndexes(job, pods);
    const judgement = found ?? judge(job, pods, count, failed.length, now);
    this.#countFailures(job, count.succeeded.length, count.failed.length, now);

    const isIndexed = job.spec.completionMode === 'Indexed';
    const newlyDone = pods.filter(({ metadata }) => count.succeeded.includes(metadata.uid));
    let { active } = count;
    let { terminating } = count;
    const stop = (list: Pod[]): void => {
      for (const pod of list) this.#deletePod(job, pod);
      active = active.filter((pod) => !list.includes(pod));
      terminating += list.length;
      const uids = list.map((pod) => pod.metadata.uid);
      // What the Job's own end stops has failed; what a suspension stops is as if it had never been.
      if (judgement) count.failed.push(...uids);
      else for (const uid of uids) seen.add(uid);
    };
    let made = 0;
    if (judgement || job.spec.suspend) stop(active);
    else {
      const missing = wanted(job, count.succeeded.length, active.length, failed.length) - active.length;
      const { until = 0 } = this.#failures.get(job.metadata.uid) ?? {};
      if (missing > 0 && until > now) this.#controller.at(key, until);
      else if (missing > 0) {
        const indexes = isIndexed ? freeIndexes(job, active, newlyDone, failed, missing) : Array<undefined>(missing).fill(undefined);
        made = indexes.filter((index) => this.#createPod(job, index)).length;
        if (made < indexes.length) this.#tryLater(key, job, now);
        else this.#refusals.delete(job.metadata.uid);
      }
      if (missing < 0) stop(active.slice(missing));
    }

    const nothingLeft = active.length + terminating + count.succeeded.length + count.failed.length + (job.status.terminating ?? 0) === 0;
    this.#write(job, (status) => {
      if (judgement && !found) setCondition(status, { ...judgement, status: 'True' });
      this.#suspension(job, status);
      status.uncountedTerminatedPods = {
        ...(count.succeeded.length > 0 && !isIndexed ? { succeeded: count.succeeded } : {}),
        ...(count.failed.length > 0 ? { failed: count.failed } : {}),
      };
      if (isIndexed) {
        // An index that is done is not counted twice, so that this needs no second step.
        for (const { metadata } of newlyDone) seen.add(metadata.uid);
        const done = new Set([...readIndexes(status.completedIndexes), ...newlyDone.map(indexOf)]);
        status.completedIndexes = writeIndexes(done);
        if (done.size > 0) status.succeeded = done.size;
        if (job.spec.backoffLimitPerIndex !== undefined) status.failedIndexes = writeIndexes(failed);
      }
      setActive(status, active.length + made);
      status.ready = count.ready;
      status.terminating = terminating;
      if (judgement && nothingLeft) this.#end(job, status, judgement);
    });
    const { activeDeadlineSeconds: deadline } = job.spec;
    const start = Date.parse(job.status.startTime ?? timestamp(now));
    if (deadline !== undefined && !job.spec.suspend) this.#controller.at(key, start + deadline * 1000);
  }

  /**
   * What has ended is first named in the status, and counted in the next step: so the real controller never counts a
   * pod twice, and so it is seen by who watches.
   * @returns whether there was something to count
   */
  #flush(job: Job, seen: Set<string>): boolean {
    const { succeeded = [], failed = [] } = job.status.uncountedTerminatedPods ?? {};
    if (succeeded.length + failed.length === 0) return false;
    for (const uid of [...succeeded, ...failed]) seen.add(uid);
    this.#write(job, (status) => {
      status.uncountedTerminatedPods = {};
      if (succeeded.length > 0) status.succeeded = (status.succeeded ?? 0) + succeeded.length;
      if (failed.length > 0) status.failed = (status.failed ?? 0) + failed.length;
      const judgement = judgementOf(job);
      if (judgement && !status.active && !status.terminating) this.#end(job, status, judgement);
    });
    return true;
  }

  #countFailures(job: Job, succeeded: number, failed: number, now: number): void {
    // One index's failure delays no other's pod.
    if (job.spec.backoffLimitPerIndex !== undefined) return;
    if (succeeded > 0) this.#failures.delete(job.metadata.uid);
    else if (failed > 0) {
      const inRow = (this.#failures.get(job.metadata.uid)?.inRow ?? 0) + failed;
      this.#failures.set(job.metadata.uid, { inRow, until: now + this.#backoff * 2 ** (inRow - 1) });
    }
  }

  /** The API server let a pod not in. */
  #tryLater(key: string, { metadata }: Job, now: number): void {
    const times = (this.#refusals.get(metadata.uid) ?? 0) + 1;
    this.#refusals.set(metadata.uid, times);
    this.#controller.at(key, now + this.#backoff * 2 ** Math.min(times - 1, 6));
  }

  #suspension(job: Job, status: Job['status']): void {
    if (judgementOf({ ...job, status })) return;
    if (job.spec.suspend) {
      if (suspended(job)) return;
      setCondition(status, { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' });
      this.#events.tell(job, { type: 'Normal', reason: 'Suspended', message: 'Job suspended' });
    } else {
      status.startTime ??= timestamp();
      if (!suspended(job)) return;
      // A resumed Job starts anew: its deadline counts from here.
      status.startTime = timestamp();
      setCondition(status, { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' });
      this.#events.tell(job, { type: 'Normal', reason: 'Resumed', message: 'Job resumed' });
    }
  }

  #end(job: Job, status: Job['status'], { type, reason, message }: Judgement): void {
    const success = type === 'SuccessCriteriaMet';
    setCondition(status, { type: success ? 'Complete' : 'Failed', status: 'True', reason, message });
    if (success) status.completionTime = timestamp();
    this.#events.tell(
      job,
      success ? { type: 'Normal', reason: 'Completed', message: 'Job completed' } : { type: 'Warning', reason, message },
    );
  }

  #expire(key: string, job: Job): void {
    const { ttlSecondsAfterFinished: ttl } = job.spec;
    if (ttl === undefined) return;
    const at = endedAt(job)! + ttl * 1000;
    if (Date.now() >= at) this.#remove(types.jobs, job, 'Foreground');
    else this.#controller.at(key, at);
  }

  /** @returns whether the API server let it in */
  #createPod(job: Job, index?: number): boolean {
    const pod = podOf(job, index);
    try {
      admitPod(this.#store, pod);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#events.tell(job, { type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${error.message}` });
      return false;
    }
    this.#store.create(types.pods, pod);
    this.#events.tell(job, { type: 'Normal', reason: 'SuccessfulCreate', message: `Created pod: ${pod.metadata.name}` });
    return true;
  }

  #deletePod(job: Job, pod: Pod): void {
    this.#remove(types.pods, pod);
    this.#events.tell(job, { type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${pod.metadata.name}` });
  }

  #write(job: Job, change: (status: Job['status']) => void): void {
    this.#store.update<Job>(types.jobs, job.metadata.namespace, job.metadata.name, ({ status }) => change(status));
  }

  #forget(uid: string): void {
    this.#counted.delete(uid);
    this.#failures.delete(uid);
    this.#refusals.delete(uid);
  }
}

function setActive(status: Job['status'], active: number): void {
  if (active > 0) status.active = active;
  else delete status.active;
}
