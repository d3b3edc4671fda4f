import { ActionError } from '../action/errors.ts';
import type { Log } from '../action/log.ts';
import type { LogLine } from '../backend/backend.ts';
import type { KubernetesClient } from './client.ts';
import { hasPodEnded, type Instance } from './pod.ts';
import type { PodView } from './pod-view.ts';
import { LogResume, readStamp } from './resume.ts';
import type { Slots } from './slots.ts';
import { backoff, type Timing } from './timing.ts';
import { canGetBetter, type LastGood } from './watch.ts';

/** What the readers of all containers share. */
export interface ReadingContext {
  client: KubernetesClient;
  log: Pick<Log, 'debug' | 'warning'>;
  timing: Timing;
  slots: Slots;
  emit(lines: LogLine[]): Promise<void>;
  /** Stops at once. */
  signal: AbortSignal;
  /** No pod will do anything more: what has ended is read to its end, nothing is waited for. */
  final: AbortSignal;
  /** Aborted once containers that run are read as well; until then only what has ended is. */
  live: AbortSignal;
  /** A log that was silent for so long is opened anew, in case the connection is dead (seconds). */
  silenceSeconds: number;
  /** So long a reader keeps its connection while others wait for one (seconds). */
  turnSeconds: number;
  /** So long after a container's end its log may stay open (seconds). */
  lingerSeconds: number;
  credentialSeconds: number;
}

/** How one reading of a log ended. */
interface Reading {
  /** How many lines were new. */
  fresh: number;
  /** Whether the server ended it, and not the network or we. */
  isWhole: boolean;
  /** A last line without line feed. */
  rest: string | undefined;
}

// A reading that repeats less than was read before (the file was rotated) is believed after so many.
const mostQuietReadings = 3;

/** Reads the logs of all lives of one container, each line once, until nothing can come any more. */
export async function readContainer(view: PodView, container: string, context: ReadingContext): Promise<void> {
  const { signal, final, timing, log } = context;
  const done = new Set<string>();
  let current: { id: string; resume: LogResume; rest?: string | undefined; quiet: number } | undefined;
  let failures = 0;
  // Its pod has been seen: there is a server.
  const read: LastGood = { answer: timing.now(), allowed: undefined };

  const finish = async (instance: Pick<Instance, 'id' | 'restart'>): Promise<void> => {
    // Ended without a line feed: the last line is whole all the same.
    const stamped = current?.rest === undefined ? undefined : readStamp(current.rest);
    if (stamped?.text) await context.emit([line(view, container, instance.restart, stamped)]);
    done.add(instance.id);
    current = undefined;
  };

  while (!signal.aborted) {
    const instances = view.instances(container);
    const isLive = context.live.aborted;
    const next = instances.find(({ id, over }) => !done.has(id) && (over || isLive));
    if (current && current.id !== next?.id) {
      log.debug(`the log of ${container} in ${view.pod.metadata.name ?? ''} was removed before it was read to its end`);
      await finish({ id: current.id, restart: Math.max(0, (next?.restart ?? 1) - 1) });
      continue;
    }
    if (!next) {
      if (view.isGone || final.aborted || hasPodEnded(view.pod)) return;
      await view.changed(AbortSignal.any(isLive ? [signal, final] : [signal, final, context.live]));
      continue;
    }
    if (!next.over && final.aborted) return finish(next);
    current ??= { id: next.id, resume: new LogResume(), quiet: 0 };

    let reading: Reading | undefined;
    let isMissing = false;
    try {
      reading = await readOnce(view, container, next, current.resume, context);
      read.answer = read.allowed = timing.now();
    } catch (error) {
      if (signal.aborted) return;
      isMissing = error instanceof ActionError && error.code === 'not-found';
      if (!isMissing && !canGetBetter(error, read, timing.now(), context.credentialSeconds)) throw error;
      if (isMissing && (view.isGone || final.aborted)) return finish(next);
    }
    if (reading) {
      current.rest = reading.rest;
      current.quiet = reading.fresh === 0 && reading.isWhole ? current.quiet + 1 : 0;
      // The end is believed when a reading that began after it brings nothing new.
      if (next.over && current.quiet > 0 && (current.resume.hasCaughtUp || current.quiet >= mostQuietReadings)) {
        await finish(next);
        continue;
      }
    }
    failures = reading && reading.fresh > 0 ? 0 : failures + 1;
    if (failures > 0 && !(next.over && reading?.isWhole)) await timing.pause(backoff(failures, timing.random), signal);
    // The end of a log is not the end of its container, and the watch lags; and a pod that has ended can be removed.
    if (isMissing || !hasPodEnded(view.pod)) await refresh(view, context, read);
  }
}

async function refresh(view: PodView, { timing, credentialSeconds }: ReadingContext, last: LastGood): Promise<void> {
  try {
    await view.refresh();
  } catch (error) {
    if (!canGetBetter(error, last, timing.now(), credentialSeconds)) throw error;
  }
}

/** Reads from where `resume` stands to the end of the answer. */
async function readOnce(
  view: PodView,
  container: string,
  instance: Instance,
  resume: LogResume,
  context: ReadingContext,
): Promise<Reading> {
  const { namespace = '', name = '' } = view.pod.metadata;
  const release = await context.slots.take();
  const guard = new ReadingGuard(view, container, instance, context);
  const reading: Reading = { fresh: 0, isWhole: false, rest: undefined };
  try {
    const sinceTime = resume.begin();
    const batches = context.client.log(
      namespace,
      name,
      { container, follow: !instance.over, previous: instance.previous, ...(sinceTime === undefined ? {} : { sinceTime }) },
      guard.signal,
    );
    for await (const batch of batches) {
      guard.heard();
      const lines: LogLine[] = [];
      for (const raw of batch) {
        if (!raw.endsWith('\n')) {
          reading.rest = raw;
          continue;
        }
        const stamped = readStamp(raw);
        if (!stamped) continue;
        if (reading.fresh === 0 && lines.length === 0 && !resume.isRepeated(stamped.time) && !(await isStill(view, container, instance))) {
          return reading;
        }
        if (resume.take(stamped.time)) lines.push(line(view, container, instance.restart, stamped));
      }
      reading.fresh += lines.length;
      await context.emit(lines);
    }
    reading.isWhole = true;
  } catch (error) {
    if (context.signal.aborted || !(guard.signal.aborted || (error instanceof ActionError && error.code === 'unreachable'))) throw error;
    // Cut by the network or by us: what was read counts, and the next reading goes on from there.
  } finally {
    guard.release();
    release();
  }
  return reading;
}

/**
 * Whether what was opened is the life that was meant. The kubelet takes the present one; had the container been
 * restarted in between, its lines would count as the earlier life's, whose last lines would then be lost.
 */
async function isStill(view: PodView, container: string, { id, previous }: Instance): Promise<boolean> {
  if (hasPodEnded(view.pod)) return true;
  await view.refresh();
  return view.isGone || view.instances(container).some((one) => one.id === id && one.previous === previous);
}

function line(view: PodView, container: string, restart: number, { time, text }: { time: string; text: string }): LogLine {
  return { pod: view.pod.metadata.name ?? '', container, restart, time, text };
}

/** Cuts a reading that is dead, that outlives its container, or that others wait for. */
class ReadingGuard {
  readonly signal: AbortSignal;
  readonly #cut = new AbortController();
  readonly #silenceMilliseconds: number;
  #lastHeard: number;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #stops: (() => void)[] = [];

  constructor(view: PodView, container: string, instance: Instance, context: ReadingContext) {
    this.signal = AbortSignal.any([context.signal, this.#cut.signal]);
    this.#silenceMilliseconds = context.silenceSeconds * 1000;
    this.#lastHeard = performance.now();
    if (instance.over) return;
    const cut = (): void => this.#cut.abort();
    const cutSoon = (): unknown => this.#timers.push(setTimeout(cut, context.lingerSeconds * 1000));
    this.#timers.push(setInterval(() => context.slots.hasWaiters && cut(), context.turnSeconds * 1000));
    this.#timers.push(
      setInterval(() => performance.now() - this.#lastHeard > this.#silenceMilliseconds && cut(), this.#silenceMilliseconds / 4),
    );
    let isLeaving = false;
    const check = (): void => {
      const now = view.instances(container).find(({ id }) => id === instance.id);
      if (isLeaving || !(view.isGone || !now || now.over || now.previous)) return;
      isLeaving = true;
      cutSoon();
    };
    this.#stops.push(view.onChange(check));
    check();
    context.final.addEventListener('abort', cut, { once: true });
    this.#stops.push(() => context.final.removeEventListener('abort', cut));
    if (context.final.aborted) cut();
  }

  heard(): void {
    this.#lastHeard = performance.now();
  }

  release(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const stop of this.#stops) stop();
  }
}
