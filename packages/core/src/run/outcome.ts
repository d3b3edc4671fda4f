import type { PodsObservation } from '../backend/backend.ts';
import { explain } from '../diagnosis/explain.ts';
import { isKfp } from '../kinds/kfp-run.ts';
import { costOf } from './cost.ts';
import type { RunRecord } from './record.ts';
import type { PodResult, RunResult } from './result.ts';
import { isEnded, type Status } from './state.ts';
import { sweepStatus } from '../sweep/outcome.ts';

/** What is known when a run's result is made. */
export interface Known {
  record: RunRecord;
  status: Status;
  pods: PodsObservation;
  outputs: { name: string; value: string }[];
  /** Last lines of the given pod's log, or of the one that wrote last: the more, the more is found. */
  tail(pod?: string): string[];
  /** Milliseconds since 1970. */
  now: number;
}

/** The result of a run as it stands: pure. */
export function resultOf({ record, status: seen, pods, outputs, tail, now }: Known): RunResult {
  const status = record.sweep ? sweepStatus(record.sweep, seen, pods.pods, record.cancel !== undefined) : seen;
  const failed = firstFailed(pods.pods);
  const lines = tail(failed?.name);
  // Kubeflow Pipelines calls a run that it stopped failed.
  const isCancelled = status.state === 'deleted' || (status.state === 'failed' && isKfp(record.kind));
  const state = isCancelled && record.cancel ? 'cancelled' : status.state;
  const explained = state === 'succeeded' ? undefined : explain({ ...status, state }, pods.evidence, lines);
  const reason = explained?.reason ?? status.reason;
  const words = withPod(explained?.message, failed, pods.pods);
  // How many of a sweep's trials failed is the rule that it broke; why the first one did is what has to be mended.
  const rule = status !== seen && state === 'failed' && words !== status.message ? status.message : undefined;
  const message = rule && words ? `${rule}; ${words}` : (words ?? (record.cancel ? record.cancel.why : status.message));
  const startedAt = earliest(pods.pods.map((pod) => pod.startedAt)) ?? status.startedAt;
  const endedAt = isEnded(state)
    ? (status.endedAt ?? latest(pods.pods.map((pod) => pod.endedAt)) ?? new Date(now).toISOString())
    : undefined;
  const hours = gpuHours(pods.pods, endedAt ?? new Date(now).toISOString());
  const cost = costOf(hours, record.price);
  return {
    version: 1,
    run: record.run ?? '',
    sha: record.sha,
    pipeline: record.pipeline,
    attempt: record.attempt,
    state,
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
    ...(explained?.remedy ? { remedy: explained.remedy, retryable: explained.retryable } : {}),
    createdAt: record.createdAt,
    ...(startedAt ? { startedAt, queueSeconds: secondsBetween(record.createdAt, startedAt) } : {}),
    ...(endedAt ? { endedAt } : {}),
    ...(startedAt && endedAt ? { runSeconds: secondsBetween(startedAt, endedAt) } : {}),
    pods: pods.pods,
    outputs,
    gpuHours: hours,
    ...(cost === undefined ? {} : { cost }),
    logTail: lines.slice(-tailLines),
  };
}

// As many as a check run and a report show.
const tailLines = 30;

/** Of several pods, which one it was; the cluster's words mostly name it. */
function withPod(message: string | undefined, failed: PodResult | undefined, pods: readonly PodResult[]): string | undefined {
  if (!message || !failed || pods.length < 2 || message.includes(failed.name)) return message;
  const who = `pod ${failed.name}${failed.rank === undefined ? '' : ` (rank ${failed.rank})`}`;
  return message.startsWith('rank ') ? `${who}, ${message}` : `${who} failed first: ${message}`;
}

/** The pod that ended badly first: the others often fail because it did. */
export function firstFailed(pods: readonly PodResult[]): PodResult | undefined {
  return failedPods(pods)[0];
}

/** The pods that ended badly, the first one first. */
export function failedPods(pods: readonly PodResult[]): PodResult[] {
  const isBad = (pod: PodResult): boolean =>
    pod.phase === 'Failed' || pod.containers.some(({ exitCode }) => exitCode !== undefined && exitCode !== 0);
  return pods.filter(isBad).sort((a, b) => timeOf(a.endedAt) - timeOf(b.endedAt) || 0);
}

/** Hours × GPUs that pods held, from when they got their node; `until` is for those that have not ended. */
export function gpuHours(pods: readonly PodResult[], until: string): number {
  const seconds = pods.map((pod) => {
    const from = pod.scheduledAt ?? pod.startedAt;
    return from ? pod.gpus * secondsBetween(from, pod.endedAt ?? until) : 0;
  });
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
