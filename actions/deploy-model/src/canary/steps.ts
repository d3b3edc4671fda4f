import type { CanaryProgress } from '../types.ts';

/** A share of the requests, in percent, and how long it is looked at, in seconds. */
export interface CanaryStep {
  share: number;
  pause: number;
}

/** What is to be done next. */
export type CanaryMove =
  /** Give the new revision the step's share, and try it. */
  | { do: 'reach'; step: number }
  /** Wait until the pause is over. */
  | { do: 'wait'; step: number; seconds: number }
  /** The pause is too long for this runner: somebody goes on at `due` (ISO 8601). */
  | { do: 'detach'; step: number; due: string }
  /** The pause is over: judge what happened in it. */
  | { do: 'judge'; step: number };

/**
 * The next move of a canary, from what is written down: pure, so that any runner goes on where another stopped. After a judgement
 * that passed comes {@link afterJudgement}.
 * @param now milliseconds since 1970
 * @param patience the longest pause, in seconds, that this runner waits for
 */
export function nextMove(steps: readonly CanaryStep[], progress: CanaryProgress | undefined, now: number, patience: number): CanaryMove {
  const step = progress?.step ?? 0;
  const current = steps[step];
  if (!progress || !current) return { do: 'reach', step: 0 };
  // What was written by a clock that goes ahead of ours is looked at for no longer than the whole pause.
  const due = Math.min(Date.parse(progress.since), now) + current.pause * 1000;
  if (!(due > now)) return { do: 'judge', step };
  const seconds = (due - now) / 1000;
  return seconds > patience ? { do: 'detach', step, due: new Date(due).toISOString() } : { do: 'wait', step, seconds };
}

/** After a step that passed: the next one, or everything. */
export function afterJudgement(steps: readonly CanaryStep[], step: number): { do: 'reach'; step: number } | { do: 'promote' } {
  return step + 1 < steps.length ? { do: 'reach', step: step + 1 } : { do: 'promote' };
}
