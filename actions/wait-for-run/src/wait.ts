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
  /** Each change of state, and what the pods say while the run does not start. */
  onChange(status: Status, pods: PodsObservation | undefined): void;
  now(): number;
}

/** Why the waiting ended. */
export type WaitEnd = { why: 'ended'; status: Status } | { why: 'timeout' | 'queue-timeout' | 'signal'; status: Status };

// How often a run that is queued is asked why: at first soon, since a wrong image shows within seconds.
const firstLookMilliseconds = 5_000;
const longestLookMilliseconds = 300_000;

/** Waits for the end of a run, for a time-out or for the runner's signal, whichever is first. */
export async function waitForEnd(reference: RunReference, backend: RunBackend, options: WaitOptions): Promise<WaitEnd> {
  const stop = new AbortController();
  let why: 'ended' | 'timeout' | 'queue-timeout' | 'signal' = 'ended';
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
  const looks = new QueueLooks(reference, backend, stop.signal, (pods) => options.onChange(status, pods));

  let status: Status = { state: 'unknown' };
  try {
    for await (const observation of observeUntil(backend, reference, stop.signal)) {
      status = observation.status;
      if (status.state !== 'queued' && status.state !== 'unknown') clearTimeout(queueTimeout);
      options.onChange(status, undefined);
      if (isEnded(status.state)) return { why: 'ended', status };
      looks.set(status.state === 'queued' || status.state === 'running');
    }
    return why === 'ended' ? { why: 'signal', status } : { why, status };
  } finally {
    looks.set(false);
    clearTimeout(timeout);
    clearTimeout(queueTimeout);
    options.signal.removeEventListener('abort', onSignal);
    stop.abort();
  }
}

async function* observeUntil(backend: RunBackend, reference: RunReference, signal: AbortSignal): AsyncIterable<Observation> {
  if (!signal.aborted) yield* backend.observe(reference, signal);
}

function timer(seconds: number | undefined, then: () => void): NodeJS.Timeout | undefined {
  // setTimeout takes at most 2^31-1 ms, 24.8 days: a longer wait than any runner lives.
  return seconds === undefined ? undefined : setTimeout(then, Math.min(seconds * 1000, 2 ** 31 - 1));
}

/** Looks at the pods of a run that does not start, with growing pauses, and tells what they say. */
class QueueLooks {
  readonly #look: () => Promise<void>;
  #pause = firstLookMilliseconds;
  #timer: NodeJS.Timeout | undefined;
  #on = false;

  constructor(reference: RunReference, backend: RunBackend, signal: AbortSignal, tell: (pods: PodsObservation) => void) {
    this.#look = async () => {
      try {
        const pods = await backend.pods(reference);
        if (this.#on && !signal.aborted) tell(pods);
        const areRunning = pods.pods.length > 0 && pods.pods.every(({ phase }) => phase !== 'Pending');
        if (areRunning) return;
      } catch {
        // It only explains; whether the run can be seen at all is the watch's to say.
      }
      this.#pause = Math.min(this.#pause * 2, longestLookMilliseconds);
      this.#schedule();
    };
  }

  set(on: boolean): void {
    if (on === this.#on) return;
    this.#on = on;
    clearTimeout(this.#timer);
    if (on) this.#schedule();
  }

  #schedule(): void {
    if (this.#on) this.#timer = setTimeout(() => void this.#look(), this.#pause);
  }
}
