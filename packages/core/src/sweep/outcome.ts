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

/**
 * The pods of a sweep that was stopped as a whole, with those marked that it took with it: Argo ends them with a signal, and then they
 * look like any that failed. A Job's are deleted, which their own object says.
 */
export function withStopped(sweep: RunSweep | undefined, { state, reason }: Status, pods: readonly PodResult[]): PodResult[] {
  const isStopped = state === 'cancelled' || (state === 'failed' && reason === 'deadline');
  if (!hasTrials(sweep) || !isStopped) return [...pods];
  return pods.map((pod) => (pod.phase === 'Failed' && !pod.containers.some(hasFailed) ? { ...pod, stopped: true } : pod));
}

// Argo's own; stopped before the program had begun, they end as they like.
const helpers = new Set(['init', 'wait']);

/** By itself: not by SIGTERM or SIGKILL, as a shell counts them, unless it took too much memory. */
function hasFailed({ name, exitCode = 0, reason }: PodResult['containers'][number]): boolean {
  if (helpers.has(name)) return false;
  return reason === 'OOMKilled' || (exitCode !== 0 && exitCode !== 143 && exitCode !== 137);
}

/** Whether more trials of a sweep have failed than may, so that what is left of it is tried for nothing. */
export function hasTooManyFailed(sweep: RunSweep | undefined, pods: readonly PodResult[]): sweep is RunSweep {
  return hasTrials(sweep) && countTrials(pods).failed > sweep.maxFailed;
}

/** How many trials of a sweep ended how. */
function countTrials(pods: readonly PodResult[]): { succeeded: number; failed: number } {
  const states = [...podsByTrial(pods).values()].map(trialState);
  const count = (state: TrialState): number => states.filter((one) => one === state).length;
  return { succeeded: count('succeeded'), failed: count('failed') };
}

/**
 * How a sweep ended, where its object says something else: a Job or Workflow with one failed trial has failed. Its own rule counts:
 * `max-failed`, and that its budget ends it well once a trial has ended well.
 * @param wasCancelled somebody wanted its end; a Workflow is stopped as well when too many trials have failed
 */
export function sweepStatus(sweep: RunSweep, status: Status, all: readonly PodResult[], wasCancelled = false): Status {
  if (!hasTrials(sweep)) return status;
  const pods = withStopped(sweep, status, all);
  const { succeeded, failed } = countTrials(pods);
  const of = `of ${sweep.trials.length} trials`;
  const tooMany = failed > sweep.maxFailed;
  if (status.state === 'succeeded') {
    if (tooMany)
      return { ...status, state: 'failed', reason: 'retries', message: `${failed} ${of} failed; at most ${sweep.maxFailed} may` };
    return failed === 0 ? status : { ...status, message: `${failed} ${of} failed; at most ${sweep.maxFailed} may` };
  }
  const many = `${failed} ${of} failed; at most ${sweep.maxFailed} may`;
  if (status.state === 'cancelled' && tooMany && !wasCancelled) {
    return { ...status, state: 'failed', reason: 'retries', message: `${many}, and what was left was stopped` };
  }
  if (status.state === 'failed' && tooMany && (status.reason ?? 'retries') === 'retries')
    return { ...status, reason: 'retries', message: many };
  if (status.state !== 'failed' || tooMany || succeeded === 0) return status;
  const { reason: _, ...rest } = status;
  if (status.reason === 'deadline' && sweep.budget?.seconds !== undefined) {
    const message = `stopped by its budget of ${budgetWords(sweep.budget)}, after ${succeeded + failed} ${of} had ended`;
    return { ...rest, state: 'succeeded', message };
  }
  // All have ended. A trial whose pod was evicted has failed as well.
  const without = sweep.trials.length - succeeded;
  if (status.reason !== 'deadline' && without <= sweep.maxFailed) {
    return { ...rest, state: 'succeeded', message: `${without} ${of} failed; at most ${sweep.maxFailed} may` };
  }
  return status;
}

/** `8 GPU-hours`, `a cost of 25`, `4 trial-hours`. */
export function budgetWords({ unit, amount }: { unit: BudgetUnit; amount: number }): string {
  if (unit === 'cost') return `a cost of ${amount}`;
  return `${amount} ${unit === 'gpu-hours' ? 'GPU-hour' : 'trial-hour'}${amount === 1 ? '' : 's'}`;
}
