import type { Observation, PodsObservation, RunBackend } from '@slashtrain/core/backend/backend';
import type { RunReference } from '@slashtrain/core/run/reference';
import { isEnded, type Status } from '@slashtrain/core/run/state';

/** How long, and what to tell while waiting. */
export interface WaitOptions {
  /** Seconds in all; absent: as long as it takes. */
  timeoutSeconds?: number | undefined;
  /** Seconds until it must have left the queue. */
  queueTimeoutSeconds?: number | undefined;
  /** Aborts when the runner wants us to end. */
  signal: AbortSignal;
  /** Each change of the run's state, and of what its pods, events and nodes say. */
  onChange(status: Status, pods: PodsObservation): void;
  /** The run's end, in the moment in which it is known. */
  onEnd?(status: Status): void;
}

/** Why the waiting ended, and what was seen last. Pods that are gone by then are among them. */
export interface WaitEnd {
  why: 'ended' | 'timeout' | 'queue-timeout' | 'signal';
  status: Status;
  pods: PodsObservation;
}

/** Waits for the end of a run, for a time-out or for the runner's signal, whichever is first. */
export async function waitForEnd(reference: RunReference, backend: RunBackend, options: WaitOptions): Promise<WaitEnd> {
  const stop = new AbortController();
  let why: WaitEnd['why'] = 'ended';
  const end = (because: typeof why): void => {
    if (stop.signal.aborted) return;
    why = because;
    stop.abort();
  };
  const onSignal = (): void => end('signal');
  options.signal.addEventListener('abort', onSignal);
  if (options.signal.aborted) onSignal();
  const timeout = timer(options.timeoutSeconds, () => end('timeout'));
  const queueTimeout = timer(options.queueTimeoutSeconds, () => end('queue-timeout'));

  let status: Status = { state: 'unknown' };
  let pods: PodsObservation = { pods: [], evidence: [] };
  const watchPods = async (): Promise<void> => {
    for await (const seen of backend.watchPods(reference, stop.signal)) {
      pods = seen;
      if (!stop.signal.aborted && !isEnded(status.state)) options.onChange(status, pods);
    }
  };
  const watching = watchPods();
  try {
    for await (const observation of observeUntil(backend, reference, stop.signal)) {
      status = observation.status;
      if (status.state !== 'queued' && status.state !== 'unknown') clearTimeout(queueTimeout);
      if (isEnded(status.state)) {
        options.onEnd?.(status);
        break;
      }
      options.onChange(status, pods);
    }
    if (!isEnded(status.state) && why === 'ended') why = 'signal';
    if (isEnded(status.state)) why = 'ended';
  } finally {
    clearTimeout(timeout);
    clearTimeout(queueTimeout);
    options.signal.removeEventListener('abort', onSignal);
    stop.abort();
    await watching;
  }
  return { why, status, pods };
}

async function* observeUntil(backend: RunBackend, reference: RunReference, signal: AbortSignal): AsyncIterable<Observation> {
  if (!signal.aborted) yield* backend.observe(reference, signal);
}

function timer(seconds: number | undefined, then: () => void): NodeJS.Timeout | undefined {
  // setTimeout takes at most 2^31-1 ms, 24.8 days: a longer wait than any runner lives.
  return seconds === undefined ? undefined : setTimeout(then, Math.min(seconds * 1000, 2 ** 31 - 1));
}
