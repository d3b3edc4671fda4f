import type { PodResult } from '../run/result.ts';
import type { Status } from '../run/state.ts';
import { hasTrials, type BudgetUnit, type RunSweep, type TrialState } from './sweep.ts';

/** The pod that a trial is told by: the one that ended well, else the last one that was made. */
export function podsByTrial(pods: readonly PodResult[]): Map<number, PodResult> {
  const found = new Map<number, PodResult>();
  for (const pod of pods) {
    if (pod.rank === undefined || found.get(pod.rank)?.phase === 'Succeeded') continue;
    found.set(pod.rank, pod);
  }
  return found;
}

/** How the trial of a pod ended. */
export function trialState(pod: PodResult | undefined): TrialState {
  if (pod?.phase === 'Succeeded') return 'succeeded';
  if (pod?.phase === 'Failed' && !pod.stopped) return 'failed';
  return pod?.startedAt === undefined ? 'not-run' : 'stopped';
}

/** How many trials of a sweep ended how. */
function countTrials(pods: readonly PodResult[]): { succeeded: number; failed: number } {
  const states = [...podsByTrial(pods).values()].map(trialState);
  const count = (state: TrialState): number => states.filter((one) => one === state).length;
  return { succeeded: count('succeeded'), failed: count('failed') };
}

/**
 * How a sweep ended, where its object says something else: a Job with one failed index has failed, and a Workflow whose
 * steps may fail has succeeded when all did. Its own rule counts: `max-failed`, and that its budget ends it well once a
 * trial has ended well.
 */
export function sweepStatus(sweep: RunSweep, status: Status, pods: readonly PodResult[]): Status {
  if (!hasTrials(sweep)) return status;
  const { succeeded, failed } = countTrials(pods);
  const of = `of ${sweep.trials.length} trials`;
  const tooMany = failed > sweep.maxFailed;
  if (status.state === 'succeeded') {
    if (tooMany)
      return { ...status, state: 'failed', reason: 'retries', message: `${failed} ${of} failed; at most ${sweep.maxFailed} may` };
    return failed === 0 ? status : { ...status, message: `${failed} ${of} failed; at most ${sweep.maxFailed} may` };
  }
  if (status.state !== 'failed' || tooMany || succeeded === 0) return status;
  const { reason: _, ...rest } = status;
  if (status.reason === 'deadline' && sweep.budget?.seconds !== undefined) {
    const message = `stopped by its budget of ${budgetWords(sweep.budget)}, after ${succeeded + failed} ${of} had ended`;
    return { ...rest, state: 'succeeded', message };
  }
  // A Job says so at its end. A trial whose pod was evicted has failed as well.
  const without = sweep.trials.length - succeeded;
  if (status.reason === 'retries' && without <= sweep.maxFailed) {
    return { ...rest, state: 'succeeded', message: `${without} ${of} failed; at most ${sweep.maxFailed} may` };
  }
  return status;
}

/** `8 GPU-hours`, `a cost of 25`, `4 trial-hours`. */
export function budgetWords({ unit, amount }: { unit: BudgetUnit; amount: number }): string {
  if (unit === 'cost') return `a cost of ${amount}`;
  return `${amount} ${unit === 'gpu-hours' ? 'GPU-hour' : 'trial-hour'}${amount === 1 ? '' : 's'}`;
}
