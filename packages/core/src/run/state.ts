/**
 * A run's states: queued → running ⇄ suspended → succeeded, failed, cancelled, deleted.
 * `unknown` when nothing can be said; the absence of evidence is never success.
 */
export const runStates = ['queued', 'running', 'suspended', 'succeeded', 'failed', 'cancelled', 'deleted', 'unknown'] as const;
export type RunState = (typeof runStates)[number];

/** Why a run is in its state, where that is known. Each has a remedy in diagnosis/. */
export const reasons = [
  'no-gpu',
  'unschedulable',
  'quota',
  'image-pull',
  'config',
  'out-of-memory',
  'cuda-memory',
  'nccl',
  'gpu-fault',
  'crash',
  'evicted',
  'preempted',
  'node-lost',
  'deadline',
  'retries',
  'volume',
  'deleted',
] as const;
export type Reason = (typeof reasons)[number];

/** The states that a run does not leave by itself. */
export function isEnded(state: RunState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled' || state === 'deleted';
}

/** What a look at a run says. */
export interface Status {
  state: RunState;
  reason?: Reason;
  /** In the cluster's own words: hostile text. */
  message?: string;
  /** Share done, from 0 to 1. */
  progress?: number;
  /** When the run's first pod was started by its controller, ISO 8601. */
  startedAt?: string;
  /** ISO 8601. */
  endedAt?: string;
}
