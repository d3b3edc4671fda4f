import type { RunRecord } from '@slashtrain/core/run/record';

/*
 * What the parts of deploy-model know of each other. Implementations:
 *   targets/    Target            what is sent to the cluster, and when it is ready (pure)
 *   rollout/    Traffic           applies, waits
 *   smoke/      EndpointsOf, Judge
 *   canary/     the steps, and how each is judged
 *   registry/   Registry
 *   profile/    load, and what it takes
 */

/** The names of the input `target`. */
export const targetNames = ['deployment', 'kserve', 'knative', 'manifest', 'command'] as const;
export type TargetName = (typeof targetNames)[number];

/** What is deployed: everything about it comes from the record of one run. */
export interface Candidate {
  /** The name of the deployed thing, a DNS label. */
  name: string;
  namespace: string;
  environment: string;
  /** The trained commit: the record's. */
  sha: string;
  /** Run reference. */
  run: string;
  record: RunRecord;
  /** `name@sha256:…`; absent where the target needs none. */
  image?: string;
  /** `s3://…`, `pvc://…`, `models:/digits/3` once it is resolved. */
  modelUri?: string;
  /** Names this deploy: `<sha7>-<time>`. It stands on the object and its pods. */
  revision: string;
}

/** A request to the deployed model. */
export interface EndpointRequest {
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  /** Seconds until it counts as failed. */
  timeout?: number;
  signal?: AbortSignal;
}

/** Its answer, whole. `body` is hostile. */
export interface EndpointAnswer {
  status: number;
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
}

/** One place that answers requests: a ready pod through a port-forward, or a URL. */
export interface Endpoint {
  /** `pod digits-6c9f-x2x` or the URL, for people. */
  readonly name: string;
  /** @throws where there was no answer: refused, cut off, too late */
  fetch(path: string, request?: EndpointRequest): Promise<EndpointAnswer>;
  close(): void | Promise<void>;
}

/** Where the deployed model answers. */
export type Serving =
  | {
      /** `http://host:port` that this runner reaches. */
      how: 'url';
      url: string;
      /** e.g. `Host`, where an ingress goes by it. */
      headers?: Readonly<Record<string, string>>;
    }
  | {
      /** Through the API server, to each pod. */
      how: 'pods';
      namespace: string;
      /** Of this revision's pods alone. */
      selector: string;
      /** A number, or a name of the containers' `ports`. */
      port: number | string;
      /** The address within the cluster, for people and for the output `url`. */
      url?: string;
    };

/**
 * One endpoint for the URL, or one for each pod that is ready now, at least one.
 * @throws ActionError `not-found` where no pod is ready
 */
export type EndpointsOf = (serving: Serving, signal: AbortSignal) => Promise<Endpoint[]>;

/** One thing that was tried. `name` and `detail` are hostile text. */
export interface Check {
  name: string;
  outcome: 'pass' | 'fail';
  /** What was expected and what came; one line. */
  detail: string;
}

/** How long answers took, in seconds. */
export interface Latency {
  requests: number;
  p50: number;
  p95: number;
  p99: number;
}

/** What a smoke test, or a step of a canary, says. */
export interface Judgement {
  passed: boolean;
  checks: Check[];
  latency?: Latency;
}

/**
 * Tries the deployed model. 503 while it starts is waited for. What does not answer at all is a failed check, not a throw;
 * `signal`'s reason is thrown.
 */
export type Judge = (serving: Serving, signal: AbortSignal) => Promise<Judgement>;

/** What a look at the target says. */
export interface Readiness {
  /** `failed`: it cannot recover by waiting. */
  state: 'ready' | 'progressing' | 'failed';
  /** Short, in the cluster's terms: `ImagePullBackOff`, `ProgressDeadlineExceeded`, `BlockedByFailedLoad`. */
  reason: string;
  /** In the server's own words: hostile text. */
  message: string;
  /** What to do about it, in ours. */
  remedy?: string;
}

/** What of the old and the new is known at a step of a canary. */
export interface CanaryView {
  /** Percent of the requests, or of the replicas, that the new revision gets: what could be had, not what was asked. */
  share: number;
  candidate: Serving;
  stable?: Serving;
}

/** The requests' way between the old revision and the new one. */
export interface Traffic {
  /** `traffic`: requests are split. `replicas`: pods are, as near as their number allows. */
  readonly how: 'traffic' | 'replicas';
  /** Gives the new revision `share` percent (1 to 100) and waits until it is ready. @throws ActionError `run-failed` where it does not get ready */
  set(share: number): Promise<CanaryView>;
  /** The new revision gets everything and the old one goes. */
  promote(): Promise<void>;
  /** The old revision gets everything and the new one goes. */
  back(): Promise<void>;
}

/** How far a canary is. It stands in the rollout's record, so that another runner can go on. */
export interface CanaryProgress {
  /** The step that stands now, from 0. */
  step: number;
  /** When it was reached, ISO 8601. */
  since: string;
}

/**
 * canary/walk.ts: goes on from `progress` (absent: from the start) over the steps of the input `canary`: set the share, judge
 * by the smoke test and by Prometheus against the stable revision, pause; at last promote.
 *
 * - `promoted`: all steps passed and everything goes to the new revision;
 * - `refused`: a step's judgement did not pass; NOT taken back yet, the caller rolls back;
 * - `detached`: the pause is longer than the runner may wait; `due` says when to go on (ISO 8601).
 */
export type CanaryEnd =
  | { end: 'promoted'; judgement: Judgement }
  | { end: 'refused'; step: number; judgement: Judgement }
  | { end: 'detached'; step: number; due: string; judgement: Judgement };

/** What {@link WalkCanary} needs beside its own inputs. */
export interface CanaryParts {
  traffic: Traffic;
  /** The smoke test. */
  judge: Judge;
  /** Written down before each pause. */
  save(progress: CanaryProgress): Promise<void>;
  progress?: CanaryProgress;
  signal: AbortSignal;
  now(): number;
  say(line: string): void;
}
export type WalkCanary = (parts: CanaryParts) => Promise<CanaryEnd>;

/** Where the registry's aliases were before, so that they can be put back: plain JSON, kept in the rollout's record. */
export interface RegistryState {
  [key: string]: unknown;
}

/** A model registry: MLflow's or W&B's. */
export interface Registry {
  /** `mlflow` or `wandb`, for people. */
  readonly name: string;
  /** Registers the run's model where it is not yet, and finds where it lies. Called before anything is deployed. */
  resolve(candidate: Candidate): Promise<{ modelUri?: string; version?: string }>;
  /** What is going to be moved, and where it is now: {@link Registry.back} needs no more. Kept before anything is moved. */
  plan(candidate: Candidate): Promise<{ version: string; previous: RegistryState }>;
  /** Moves the alias as planned, and puts tags with SHA and verdict. May be sent twice. */
  promote(candidate: Candidate, planned: RegistryState): Promise<void>;
  /** Puts the aliases where they were; one that was not moved, or by others since, stays. May be sent twice. */
  back(previous: RegistryState): Promise<void>;
}
