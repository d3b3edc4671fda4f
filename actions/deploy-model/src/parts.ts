import type { Host } from '@slashtrain/core/action/host';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { Rollout } from '@slashtrain/core/rollouts/rollout';
import type { RolloutStore } from '@slashtrain/core/rollouts/store';
import type { CommonInputs, NewInputs, RollbackInputs } from './inputs.ts';
import type { Before } from './targets/before.ts';
import type { KindsFor } from './targets/kinds/index.ts';
import type { CanaryRules } from './targets/target.ts';
import type { Tools } from './tools.ts';
import type { Candidate, Registry } from './types.ts';

/** What a deploy works with. */
export interface DeployParts {
  inputs: CommonInputs & (NewInputs | RollbackInputs);
  host: Host;
  context: GitHubContext;
  github: GitHub;
  client: KubernetesClient;
  rollouts: RolloutStore;
  tools: Tools;
  registry?: Registry;
}

/** What is to be deployed, once nobody has anything against it. */
export interface Plan {
  /** Everything that a rollout's record says of it. */
  about: Pick<Rollout, 'target' | 'revision' | 'sha' | 'run' | 'pipeline' | 'actor'> &
    Partial<Pick<Rollout, 'pullRequest' | 'image' | 'modelUri' | 'verdict' | 'forced' | 'backTo'>>;
  /** Complete objects for what stands there now. */
  objects(before: Before): KubernetesObject[];
  /** How it can get a part of the traffic at first; a text says why it cannot. */
  canary: CanaryRules | string;
  /** For the registry; absent where the run's record is gone. */
  candidate?: Candidate;
  /** What people should know. */
  notes: readonly string[];
  /** Looks again whether the commit is still the one. @throws ActionError `mismatch` */
  recheck?(): Promise<void>;
}

/** A deploy whose turn it is: `signal` ends with the lease, too. */
export type Turn = DeployParts & { signal: AbortSignal };

/** What the rest of a rollout works with, of a new one and of one that is gone on with. */
export type Advance = Omit<Turn, 'inputs'> & {
  inputs: CommonInputs;
  takeOver?: boolean;
  kinds: KindsFor;
  notes: readonly string[];
  diff?: string;
  candidate?: Candidate;
};
