import { createHash } from 'node:crypto';
import type { KubernetesObject } from '../kinds/kind.ts';
import type { Verdict } from '../run/record.ts';

/**
 * How a rollout stands. `started`, `canary` and `restoring` are unfinished: whoever finds one that nobody works on has to
 * finish it. `deployed` got there; `restored` did not, and what was there before is there again; `failed` did not, and the
 * restoration failed as well.
 */
export const rolloutStates = ['started', 'canary', 'restoring', 'deployed', 'restored', 'failed'] as const;
export type RolloutState = (typeof rolloutStates)[number];

/** What stood there before anything was changed. */
export interface Saved {
  /** As the server had them, without status. */
  objects: KubernetesObject[];
  /** What was not there: it goes when the rollout is taken back. */
  absent: { apiVersion: string; kind: string; namespace: string; name: string }[];
}

/**
 * All that is remembered of one deploy: a ConfigMap (a Secret, where it holds one) in the namespace of what is deployed,
 * written before anything is changed.
 */
export interface Rollout {
  version: 1;
  repository: { id: number; fullName: string };
  environment: string;
  /** Of the deployed thing. */
  name: string;
  target: string;
  /** `<sha7>-<time>`: names this deploy. */
  revision: string;
  /** What was deployed before, by its revision. */
  previous?: string;
  /** The trained commit. */
  sha: string;
  pullRequest?: number;
  /** Run reference. */
  run: string;
  pipeline: string;
  image?: string;
  modelUri?: string;
  verdict?: Verdict;
  /** Who asked. */
  actor: string;
  /** Why somebody deployed what had not passed. Hostile text. */
  forced?: string;
  /** Where this deploy goes back to an older one: that one's revision, which stands on its objects. */
  backTo?: string;
  /** Somebody went back from it to an older one: it is no good one. */
  rolledBack?: true;
  /** ISO 8601. */
  createdAt: string;
  endedAt?: string;
  state: RolloutState;
  /** Why it was taken back, or how it stands. Hostile text. */
  message?: string;
  /** On GitHub. */
  deploymentId: number;
  /** GitHub could not be told how it ended. */
  untold?: true;
  saved: Saved;
  /** What is sent: complete objects, as our field manager applies them. */
  applied: KubernetesObject[];
  /** Fields of other managers were taken. */
  tookOver?: true;
  /** Where the deployed thing answers. */
  url?: string;
  /** What its steps make beside `applied`, and its promotion takes away. */
  extras?: KubernetesObject[];
  canary?: {
    how: 'traffic' | 'replicas';
    /** Each step as objects, with what was asked and what could be had, in percent. */
    stages: { share: number; real: number; objects: KubernetesObject[] }[];
    /** The step that stands, from 0, since when, and when to go on, ISO 8601. */
    step?: number;
    since?: string;
    due?: string;
  };
  /** The registry whose alias is moved, and where it was: written before it moves. */
  registry?: { name: string; previous: Record<string, unknown> };
  /** Inputs that whoever goes on needs, by name: the smoke test, the steps. No secrets. */
  inputs: { name: string; value: string }[];
}

/** A rollout as it stands in the cluster. */
export interface StoredRollout {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly in: 'ConfigMap' | 'Secret';
  readonly rollout: Rollout;
}

/** Keys of labels and annotations that what is deployed carries, beside those of runs. */
export const deployLabels = {
  /** On objects and pods: which deploy they are of. */
  revision: 'slashtrain.dev/revision',
  /** On objects and pods: the name of the deployed thing. */
  deployed: 'slashtrain.dev/deployed',
  /** On a rollout's ConfigMap alone: `active` or `ended`. */
  rollout: 'slashtrain.dev/rollout',
} as const;

/** Lineage: annotations of what is deployed. */
export const lineageAnnotations = {
  environment: 'slashtrain.dev/environment',
  sha: 'slashtrain.dev/trained-sha',
  run: 'slashtrain.dev/run-reference',
  image: 'slashtrain.dev/image',
  modelUri: 'slashtrain.dev/model-uri',
  dataVersion: 'slashtrain.dev/data-version',
  verdict: 'slashtrain.dev/verdict',
  pullRequest: 'slashtrain.dev/from-pull-request',
} as const;

/** Whether somebody has to finish it. */
export function isActive({ state }: Pick<Rollout, 'state'>): boolean {
  return state === 'started' || state === 'canary' || state === 'restoring';
}

/** The name of a rollout's ConfigMap. */
export function rolloutName({ name, revision }: Pick<Rollout, 'name' | 'revision'>): string {
  return `deploy-${name}-${revision}`;
}

/** The name of the Lease that lets one deploy at a time into an environment: readable, and of that repository alone. */
export function leaseName({ repository, environment }: Pick<Rollout, 'repository' | 'environment'>): string {
  const slug = environment.toLowerCase().replace(/[^a-z0-9]+/gu, '-').replace(/^-|-$/gu, '').slice(0, 40).replace(/-$/u, ''); // prettier-ignore
  const hash = createHash('sha256').update(`${repository.id}\0${environment}`).digest('hex').slice(0, 8);
  return ['slashtrain-deploy', slug, hash].filter(Boolean).join('-');
}
