import type { KindRule } from '../config/types.ts';
import type { Comparison } from '../metrics/metrics.ts';
import type { RunSweep } from '../sweep/sweep.ts';
import type { Asker } from './request.ts';
import type { RunResult } from './result.ts';
import type { RunState } from './state.ts';

/** The verdict of a run's metrics against the baseline. */
export const verdicts = ['pass', 'fail', 'inconclusive', 'no-baseline', 'missing', 'error'] as const;
export type Verdict = (typeof verdicts)[number];

/** The right to make the run. Who finds it expired may take it over. */
export interface Lease {
  /** A random id of the holder's process. */
  holder: string;
  /** ISO 8601, 60 s after it was taken or renewed. */
  expiresAt: string;
}

/**
 * All that Slashtrain remembers of one attempt: a ConfigMap in the run's namespace with the run's name.
 * There is no other database. Schema: `schemas/record.schema.json`.
 */
export interface RunRecord {
  version: 1;
  repository: { id: number; fullName: string };
  pullRequest?: number;
  /** Full head SHA. */
  sha: string;
  /** The commit's git tree: equal trees hold equal code. */
  tree: string;
  pipeline: string;
  /** Full request hash. */
  request: string;
  /** Who asked for this attempt; a second asker of an active run joins. */
  asked: Asker[];
  /** 1 for the first. */
  attempt: number;
  /** The person whose comment or push it was. */
  actor: string;
  /** ISO 8601. */
  createdAt: string;
  /** Image digests that the run's pods were given, `name@sha256:…`. */
  images: string[];
  parameters: { name: string; value: string }[];
  dataVersion?: string;
  /** Where the run writes what is larger than a metric, a URI of its own: `s3://models/digits/<run>`. */
  artifacts?: string;
  /** What an hour of one accelerator costs, as the configuration said when the run was made. */
  price?: { perHour: number; accelerator: string; currency?: string };
  /**
   * The run's kind, known before the run exists: it is how a run whose UID was not yet written is found. `rule` is the
   * configuration's, where one described the kind.
   */
  kind: { plural: string; group: string; rule?: KindRule };
  /** Where the run is many trials of different settings. */
  sweep?: RunSweep;
  lease?: Lease;
  /** Run reference. Once it is here, this record never makes a run again. */
  run?: string;
  /** The page on which people look at it, where it has one: Kubeflow Pipelines' and Argo's. */
  url?: string;
  checkRunId?: number;
  /** Somebody asked for the end of it. */
  cancel?: { at: string; by: string; why: string };
  state: RunState;
  /** Why the run could not be made at all, in the cluster's words; then `state` is `failed` and there is no `run`. Hostile text. */
  refusal?: string;
  /** Written once, with the end. */
  result?: RunResult;
  verdict?: Verdict;
  /** How the verdict came about. */
  comparison?: Comparison;
  /** The last report that showed the end, ISO 8601. */
  reportedAt?: string;
}

/** Keys of the labels that a record, its run and the run's pods carry. Nothing is believed from a run's labels alone. */
export const labels = {
  managedBy: 'app.kubernetes.io/managed-by',
  repository: 'slashtrain.dev/repository',
  pullRequest: 'slashtrain.dev/pull-request',
  sha: 'slashtrain.dev/sha',
  pipeline: 'slashtrain.dev/pipeline',
  state: 'slashtrain.dev/state',
  /** The run's name, on pods of kinds whose controller puts no such label on them. */
  run: 'slashtrain.dev/run',
  /** The trial's index, on the pods of a sweep whose kind has no label for it. */
  trial: 'slashtrain.dev/trial',
} as const;

/** The value of {@link labels.managedBy}. */
export const managedBy = 'slashtrain';

/** On a run: the UID of the record that made it. A run without ours is somebody else's. */
export const recordAnnotation = 'slashtrain.dev/record-uid';

/** The labels of a record. */
export function recordLabels(record: Pick<RunRecord, 'repository' | 'pullRequest' | 'sha' | 'pipeline' | 'state'>): Record<string, string> {
  return { ...runLabels(record), [labels.state]: record.state };
}

/** The labels of a run and of its pods: a record's without the state, which changes. */
export function runLabels(record: Pick<RunRecord, 'repository' | 'pullRequest' | 'sha' | 'pipeline'>): Record<string, string> {
  return {
    [labels.managedBy]: managedBy,
    [labels.repository]: String(record.repository.id),
    ...(record.pullRequest === undefined ? {} : { [labels.pullRequest]: String(record.pullRequest) }),
    [labels.sha]: record.sha,
    [labels.pipeline]: record.pipeline,
  };
}
