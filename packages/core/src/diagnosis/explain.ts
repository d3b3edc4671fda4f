import type { Evidence } from '../backend/backend.ts';
import { isEnded, type Reason, type Status } from '../run/state.ts';
import { readLog } from './log.ts';
import { remedies, retryableReasons } from './remedies.ts';
import { signalsOf, type Signal } from './signals.ts';
import { tidy } from './words.ts';

/** Why a run is in its state, in words for people. */
export interface Explanation {
  reason?: Reason;
  /** In the words of the cluster or of the program. Hostile text, at most {@link longestMessage} characters. */
  message?: string;
  /** What to do about it, in ours. */
  remedy?: string;
  /** The cause is in the infrastructure: the same commit may well succeed later. */
  retryable: boolean;
}

export const longestMessage = 600;

/**
 * Says why a run does not run, or why it ended.
 * @param evidence what its pods and events said, newest last
 * @param logTail the last lines of the pod that failed first, without line ends
 */
export function explain(status: Status, evidence: readonly Evidence[], logTail: readonly string[]): Explanation {
  const { state } = status;
  if (state === 'cancelled' && status.reason) {
    // It was stopped because it did not get on: why it did not is what has to be mended.
    const why = explainWaiting('queued', evidence, logTail);
    return why?.reason === status.reason ? why : explanation(status.reason, status.message);
  }
  if (state === 'succeeded' || state === 'cancelled')
    return { ...(status.message ? { message: shown(status.message) } : {}), retryable: false };
  if (state === 'deleted') return explanation('deleted', status.message);
  return (isEnded(state) ? explainEnd(status, evidence, logTail) : explainWaiting(state, evidence, logTail)) ?? fromStatus(status);
}

function explainEnd(status: Status, all: readonly Evidence[], logTail: readonly string[]): Explanation | undefined {
  const evidence = all.filter((one) => !isOvercome(one, all));
  const failure = weightiest(evidence, 'failure', 'oldest');
  const waiting = weightiest(evidence, 'waiting', 'newest');
  const reason = failure?.signal.reason;
  const isDeadline = status.reason === 'deadline' || reason === 'deadline';
  const isStopped = reason === undefined || reason === 'deadline' || reason === 'retries';
  const passed = (status.reason === 'deadline' ? status.message : failure?.evidence.message) ?? 'the deadline passed';
  // A deadline that passed while the run waited: what it waited for is what has to be mended.
  if (isDeadline && isStopped && waiting) {
    const cause = fromSignal(waiting.signal, waiting.evidence.message);
    return { ...cause, reason: 'deadline', message: shown(`${passed}; it had not started: ${tidy(waiting.evidence.message)}`) };
  }
  if (isDeadline && isStopped) return explanation('deadline', passed);

  const log = readLog(logTail);
  if (failure && reason !== 'crash' && reason !== 'retries') return fromSignal(failure.signal, wordsOf(failure.evidence));
  if (log && log.reason !== 'crash') return { ...explanation(log.reason, log.message), ...onlyGiven(log) };
  if (failure && reason === 'crash') return explanation('crash', `${wordsOf(failure.evidence)}${log ? `: ${log.message}` : ''}`);
  if (log) return explanation('crash', log.message);
  if (waiting) return fromSignal(waiting.signal, waiting.evidence.message);
  return failure && fromSignal(failure.signal, failure.evidence.message);
}

const infrastructure: ReadonlySet<Reason> = new Set(['preempted', 'node-lost', 'evicted']);

/** What took a pod away is no cause of the end where a pod began after it and then failed by itself: the run had overcome it. */
function isOvercome(one: Evidence, all: readonly Evidence[]): boolean {
  const { time } = one;
  if (time === undefined || !signalsOf(one).some(({ signal }) => infrastructure.has(signal.reason))) return false;
  return all.some(({ object, exitCode, startedAt }) => exitCode && startedAt && object !== one.object && startedAt > time);
}

/** Of a run that goes on, only what keeps a pod from running counts. */
function explainWaiting(state: Status['state'], all: readonly Evidence[], logTail: readonly string[]): Explanation | undefined {
  const evidence = all.filter(({ gone }) => !gone);
  const looping = evidence.filter(({ reason }) => reason === 'CrashLoopBackOff').map(({ object }) => object);
  if (looping.length > 0) {
    const theirs = evidence.filter(({ object, source }) => looping.includes(object) && source !== 'event');
    // The loop itself says least: how the container ended before says more.
    const ends = theirs.filter(({ reason }) => reason !== 'CrashLoopBackOff');
    return explainEnd({ state: 'failed' }, ends.length > 0 ? ends : theirs, logTail);
  }
  const current = evidence.filter((one, index) =>
    one.source !== 'event' ? true : state !== 'running' && !isOver(one, evidence.slice(index + 1), evidence),
  );
  const waiting = weightiest(current, 'waiting', 'newest');
  return waiting && fromSignal(waiting.signal, waiting.evidence.message);
}

/** An event is history once a later one says that its object got further. */
function isOver(event: Evidence, later: readonly Evidence[], all: readonly Evidence[]): boolean {
  const progress = ['Scheduled', 'Pulling', 'Pulled', 'Created', 'Started', 'SuccessfulCreate', 'SuccessfulAttachVolume'];
  if (later.some(({ object, reason }) => object === event.object && progress.includes(reason))) return true;
  // What has containers has been scheduled.
  return event.reason === 'FailedScheduling' && all.some(({ object, source }) => object === event.object && source === 'container');
}

interface Found {
  signal: Signal;
  evidence: Evidence;
}

function weightiest(evidence: readonly Evidence[], phase: Signal['phase'], prefer: 'oldest' | 'newest'): Found | undefined {
  const found = evidence
    .filter(({ exitCode }) => exitCode !== 0)
    .flatMap((one) => signalsOf(one).map(({ signal, weight }) => ({ signal, weight, evidence: one })))
    .filter(({ signal }) => signal.phase === phase);
  const least = Math.min(...found.map(({ weight }) => weight));
  const equal = found.filter(({ weight }) => weight === least);
  return prefer === 'oldest' ? equal[0] : equal.at(-1);
}

/** How a container ended, where the cluster gives a code and no sentence. */
function wordsOf({ message, exitCode, container, object, reason }: Evidence): string {
  const who = container === undefined ? `pod ${object}` : `container ${container} of pod ${object}`;
  if (reason === 'OOMKilled') return `${who} used more memory than its limit and was killed (OOMKilled)`;
  if (exitCode === undefined || reason === 'StartError') return message || `${who}: ${reason}`;
  const signal = exitCodes.get(exitCode);
  return `${who} exited with code ${exitCode}${signal ? ` (${signal})` : ''}${message ? `: ${message}` : ''}`;
}

/** 128 + the signal's number. 137 alone is not out of memory: the kubelet says OOMKilled where it is. */
const exitCodes: ReadonlyMap<number, string> = new Map([
  [134, 'SIGABRT'],
  [135, 'SIGBUS'],
  [137, 'SIGKILL'],
  [139, 'SIGSEGV'],
  [143, 'SIGTERM'],
]);

function fromSignal(signal: Signal, message: string): Explanation {
  return { ...explanation(signal.reason, message), ...onlyGiven(signal) };
}

function fromStatus({ reason, message }: Status): Explanation {
  if (reason) return explanation(reason, message);
  return { ...(message ? { message: shown(message) } : {}), retryable: false };
}

function explanation(reason: Reason, message: string | undefined): Explanation {
  return {
    reason,
    ...(message ? { message: shown(message) } : {}),
    remedy: remedies[reason],
    retryable: retryableReasons.has(reason),
  };
}

function onlyGiven({ remedy, retryable }: { remedy?: string; retryable?: boolean }): Pick<Explanation, 'remedy'> & { retryable?: boolean } {
  return { ...(remedy === undefined ? {} : { remedy }), ...(retryable === undefined ? {} : { retryable }) };
}

function shown(message: string): string {
  const text = tidy(message);
  return text.length > longestMessage ? `${text.slice(0, longestMessage - 1)}…` : text;
}
