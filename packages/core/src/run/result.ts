import type { ClassTable, RunArtifact } from '../metrics/metrics.ts';
import type { RunState } from './state.ts';

/** One container of a pod, as it ended or as it stands. */
export interface ContainerResult {
  name: string;
  /** Absent while it runs. */
  exitCode?: number;
  /** The kubelet's word: `Completed`, `Error`, `OOMKilled`, `ImagePullBackOff`, … */
  reason?: string;
  restarts: number;
}

/** One pod of a run. */
export interface PodResult {
  name: string;
  uid: string;
  /** Pending, Running, Succeeded, Failed or Unknown. */
  phase: string;
  node?: string;
  /** Its place among the run's pods of the same role, from 0, where its labels say so. */
  rank?: number;
  /** When it got its node, and with it its GPUs, ISO 8601. */
  scheduledAt?: string;
  /** ISO 8601; absent where it never started. */
  startedAt?: string;
  endedAt?: string;
  /** It was deleted while it ran: its end is no failure of its own. */
  stopped?: true;
  /** Number of GPUs it asked for. */
  gpus: number;
  containers: ContainerResult[];
}

/**
 * How a run stands or ended: the file that wait-for-run writes, and the part of the record that outlives the run.
 * Schema: `schemas/result.schema.json`.
 */
export interface RunResult {
  version: 1;
  /** Run reference. */
  run: string;
  /** The pull request's head commit that was trained, full SHA. */
  sha: string;
  pipeline: string;
  attempt: number;
  state: RunState;
  /** One of `reasons`, or what a later version wrote: show it, and compare it with what is known. */
  reason?: string;
  /** What happened, in the cluster's words. Hostile text. */
  message?: string;
  /** What to do about it. */
  remedy?: string;
  /** Whether the same commit may well succeed when it is tried again. */
  retryable?: boolean;
  /** When the run was asked for, ISO 8601. */
  createdAt: string;
  /** When its first pod started, ISO 8601. */
  startedAt?: string;
  endedAt?: string;
  /** Seconds from creation to the first pod's start. */
  queueSeconds?: number;
  /** Seconds from the first pod's start to the end. */
  runSeconds?: number;
  pods: PodResult[];
  /** Small outputs by name: termination messages, or the kind's own outputs. */
  outputs: { name: string; value: string }[];
  /** Confusion matrices and tables by class, of Kubeflow Pipelines' artifacts. Hostile text. */
  tables?: ClassTable[];
  /** Where Kubeflow Pipelines' artifacts are, and what each was made from; at most 100. Hostile text. */
  artifacts?: RunArtifact[];
  gpuHours: number;
  /** `gpuHours` × the record's price; absent where no price is known. */
  cost?: number;
  /** The last lines of the log of the pod that failed first, else of the last one; at most 30. Hostile text. */
  logTail: string[];
}
