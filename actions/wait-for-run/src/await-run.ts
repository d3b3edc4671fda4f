import { formatDuration } from '@slashtrain/core/action/duration';
import { describe } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { isWorkflow } from '@slashtrain/core/backend/argo-inputs';
import type { PodsObservation, RunBackend } from '@slashtrain/core/backend/backend';
import { joined } from '@slashtrain/core/backend/gather';
import { explain } from '@slashtrain/core/diagnosis/explain';
import { concludeRun } from '@slashtrain/core/records/conclude';
import { markCancelled } from '@slashtrain/core/records/end';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { timedOut } from '@slashtrain/core/run/check';
import { firstFailed, resultOf } from '@slashtrain/core/run/outcome';
import { parseReference } from '@slashtrain/core/run/reference';
import type { RunResult } from '@slashtrain/core/run/result';
import type { Status } from '@slashtrain/core/run/state';
import { hasTooManyFailed } from '@slashtrain/core/sweep/outcome';
import type { Follower } from './follow.ts';
import type { WaitInputs } from './inputs.ts';
import type { ProgressReporter } from './reporter.ts';
import { waitForEnd, type WaitEnd } from './wait.ts';

/** What the waiting works with. */
export interface AwaitParts {
  host: Host;
  records: RecordStore;
  backend: RunBackend;
  follower: Follower;
  reporter: ProgressReporter;
}

/** How the waiting ended. `stored` has the run's end where `why` is `ended`, or where we stopped it ourselves. */
export interface Awaited {
  why: WaitEnd['why'];
  stored: StoredRecord;
  result: RunResult;
}

const nothing: PodsObservation = { pods: [], evidence: [] };

/** Waits for a run that has not ended, reads its log on the way, and writes its end into the record. */
export async function awaitRun(start: StoredRecord, inputs: WaitInputs, parts: AwaitParts): Promise<Awaited> {
  const { host, records, backend, follower, reporter } = parts;
  const reference = parseReference(start.record.run ?? '');
  let seen = nothing;
  let status: Status = { state: 'unknown' };
  let stored = start;
  let isStopping = false;
  const logs = new AbortController();
  // Where the lines are not shown as they come, a log is read when its container has ended: with hundreds of pods that
  // is a few connections instead of hundreds.
  const lines = backend.logs(reference, logs.signal, inputs.logs === 'all' ? 'live' : 'ended');
  const following = follower.follow(lines).catch((error: unknown) => {
    if (!logs.signal.aborted)
      host.log.warning(`the logs could not be read to their end, so that metrics may be missing: ${describe(error)}`);
  });
  const end = await waitForEnd(reference, backend, {
    timeoutSeconds: inputs.timeout,
    queueTimeoutSeconds: inputs.queueTimeout,
    signal: host.signal,
    onChange: (now, pods) => {
      seen = pods;
      const failed = firstFailed(pods.pods);
      const said = explain(now, pods.evidence, failed ? follower.gathered.tail(failed.name) : []);
      status = { ...now, ...(said.reason ? { reason: said.reason } : {}), ...(said.message ? { message: said.message } : {}) };
      reporter.change(status, pods.pods, resultNow);
      stopLost(now, pods);
    },
    onEnd: (now) => reporter.end(now),
  }).catch(async (error: unknown) => {
    // What cannot be watched is not listened to either: an open log would hold the step until the run's end.
    logs.abort();
    await Promise.all([following, reporter.stop()]);
    throw error;
  });
  await reporter.stop();
  seen = end.pods;

  const stops = end.why === 'signal' ? inputs.onCancel === 'cancel' : end.why !== 'ended' && inputs.onTimeout === 'cancel';
  // What is gone already says nothing: then what was seen last counts. At a signal there is no time to look.
  if (end.why !== 'signal') seen = joined(seen, await backend.pods(reference).catch(() => nothing));
  if (end.why === 'ended') status = end.status;
  if (stops) {
    stored = await markCancelled(records, stored, {
      at: new Date(host.now()).toISOString(),
      by: 'wait-for-run',
      why: whyStopped(end.why, inputs),
    });
    await backend.cancel(reference);
    // Why it did not get on is what has to be mended, whoever stopped it then.
    const { reason, message } = end.why === 'signal' ? { reason: undefined, message: undefined } : status;
    status = { state: 'cancelled', ...(reason ? { reason } : {}), ...(message ? { message } : {}) };
  }
  if (end.why !== 'ended') logs.abort();
  await following;
  if (end.why !== 'ended' && !stops) return { why: end.why, stored, result: resultNow() };

  const ended = await concludeRun(stored, status, { pods: seen, gathered: follower.gathered }, { records, backend, now: host.now });
  return { why: end.why, ...ended };

  // A Job counts its failed trials by itself (maxFailedIndexes); a Workflow has no such rule.
  function stopLost(now: Status, pods: PodsObservation): void {
    const { sweep } = stored.record;
    if (isStopping || now.state !== 'running' || !isWorkflow(reference) || !hasTooManyFailed(sweep, pods.pods)) return;
    isStopping = true;
    host.log.notice(`more than ${sweep.maxFailed} of ${sweep.trials.length} trials failed, so that what is left of the sweep is stopped`);
    backend.cancel(reference).catch((error: unknown) => {
      isStopping = false;
      host.log.warning(`the sweep could not be stopped, and is tried again with the next change: ${describe(error)}`);
    });
  }

  function resultNow(): RunResult {
    const tail = (pod?: string): string[] => follower.gathered.tail(pod);
    return resultOf({ record: stored.record, status, pods: seen, outputs: [], tail, now: host.now() });
  }
}

function whyStopped(why: WaitEnd['why'], inputs: WaitInputs): string {
  if (why === 'signal') return 'the workflow was cancelled';
  const seconds = (why === 'timeout' ? inputs.timeout : inputs.queueTimeout) ?? 0;
  return `${timedOut} after ${formatDuration(seconds)}${why === 'timeout' ? '' : ' in the queue'}`;
}
