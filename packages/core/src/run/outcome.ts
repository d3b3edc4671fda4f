import type { PodsObservation } from '../backend/backend.ts';
import { explain } from '../diagnosis/explain.ts';
import type { RunRecord } from './record.ts';
import type { PodResult, RunResult } from './result.ts';
import { isEnded, type Status } from './state.ts';

/** What is known when a run's result is made. */
export interface Known {
  record: RunRecord;
  status: Status;
  pods: PodsObservation;
  outputs: { name: string; value: string }[];
  /** Last lines of the given pod's log, or of the one that wrote last. */
  tail(pod?: string): string[];
  /** Milliseconds since 1970. */
  now: number;
}

/** The result of a run as it stands: pure. */
export function resultOf({ record, status, pods, outputs, tail, now }: Known): RunResult {
  const failed = firstFailed(pods.pods);
  const logTail = tail(failed?.name);
  const state = status.state === 'deleted' && record.cancel ? 'cancelled' : status.state;
  const explained = state === 'succeeded' ? undefined : explain({ ...status, state }, pods.evidence, logTail);
  const reason = explained?.reason ?? status.reason;
  const message = explained?.message ?? (record.cancel ? record.cancel.why : status.message);
  const startedAt = earliest(pods.pods.map((pod) => pod.startedAt)) ?? status.startedAt;
  const endedAt = isEnded(state)
    ? (status.endedAt ?? latest(pods.pods.map((pod) => pod.endedAt)) ?? new Date(now).toISOString())
    : undefined;
  return {
    version: 1,
    run: record.run ?? '',
    sha: record.sha,
    pipeline: record.pipeline,
    attempt: record.attempt,
    state,
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
    ...(explained?.remedy ? { remedy: explained.remedy } : {}),
    createdAt: record.createdAt,
    ...(startedAt ? { startedAt, queueSeconds: secondsBetween(record.createdAt, startedAt) } : {}),
    ...(endedAt ? { endedAt } : {}),
    ...(startedAt && endedAt ? { runSeconds: secondsBetween(startedAt, endedAt) } : {}),
    pods: pods.pods,
    outputs,
    gpuHours: gpuHours(pods.pods, endedAt ?? new Date(now).toISOString()),
    logTail,
  };
}

/** The pod that ended badly first: the others often fail because it did. */
export function firstFailed(pods: readonly PodResult[]): PodResult | undefined {
  const isBad = (pod: PodResult): boolean =>
    pod.phase === 'Failed' || pod.containers.some(({ exitCode }) => exitCode !== undefined && exitCode !== 0);
  return pods.filter(isBad).sort((a, b) => timeOf(a.endedAt) - timeOf(b.endedAt))[0];
}

/** Hours × GPUs that pods held; `until` is for those that have not ended. */
export function gpuHours(pods: readonly PodResult[], until: string): number {
  const seconds = pods.map((pod) => (pod.startedAt ? pod.gpus * secondsBetween(pod.startedAt, pod.endedAt ?? until) : 0));
  return Math.round((seconds.reduce((sum, one) => sum + one, 0) / 3600) * 1e6) / 1e6;
}

function secondsBetween(from: string, to: string): number {
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}

function timeOf(time: string | undefined): number {
  return time === undefined ? Number.POSITIVE_INFINITY : Date.parse(time);
}

function earliest(times: readonly (string | undefined)[]): string | undefined {
  return [...times].filter((time) => time !== undefined).sort((a, b) => timeOf(a) - timeOf(b))[0];
}

function latest(times: readonly (string | undefined)[]): string | undefined {
  return [...times].filter((time) => time !== undefined).sort((a, b) => timeOf(b) - timeOf(a))[0];
}
