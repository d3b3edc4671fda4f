import type { Permission as GitHubPermission } from '../github/permission.ts';
import type { PlacedGate } from '../metrics/metrics.ts';
import type { Policy } from '../policy/policy.ts';
import type { Reason, RunState } from '../run/state.ts';

/** Where the configuration stands in a repository. */
export const configPath = '.github/slashtrain.yml';

/** Rights in a repository, weakest first (https://docs.github.com/organizations/managing-user-access-to-your-organizations-repositories/managing-repository-roles/repository-roles-for-an-organization). */
export const permissions = ['read', 'triage', 'write', 'maintain', 'admin'] as const satisfies readonly GitHubPermission[];
export type Permission = (typeof permissions)[number];

/** What an argument may be. */
export const argumentTypes = ['string', 'integer', 'number', 'boolean', 'choice', 'sha', 'duration', 'list'] as const;
export type ArgumentType = (typeof argumentTypes)[number];

/** An argument's value: what JSON has for its type. A `sha` and a `duration` stay text. */
export type ArgumentValue = string | number | boolean | readonly string[];

/** One argument of a command. */
export interface Argument {
  readonly name: string;
  readonly type: ArgumentType;
  readonly description?: string;
  readonly required: boolean;
  /** Of the argument's own type. */
  readonly default?: ArgumentValue;
  /** What a choice, or each item of a list, may be. */
  readonly options?: readonly string[];
  /** The least value of a number, length of a string or count of a list. */
  readonly min?: number;
  readonly max?: number;
  /** Matches a whole string, or each whole item of a list. */
  readonly pattern?: RegExp;
}

/** Who may give a command and what must hold first. */
export interface Guard {
  readonly permission: Permission;
  /** Slugs of the organisation's teams; the person must be in one of them as well. Needs `org-token`. */
  readonly teams: readonly string[];
  /** A second person has to write `/confirm <full SHA>`. */
  readonly confirm: boolean;
  /** `ci`: the commit's other checks must be green. */
  readonly waitFor?: 'ci';
}

/** A command that people write on a pull request. */
export interface Command extends Guard {
  readonly name: string;
  readonly description: string;
  /** Logins of bots that may give it; no other bot may. */
  readonly bots: readonly string[];
  /** In the order of positional arguments. */
  readonly arguments: readonly Argument[];
  /** The environments that its argument `environment` may name, each with its own guard. */
  readonly environments: ReadonlyMap<string, Guard>;
  /** Names of checks that `wait-for: ci` leaves out. */
  readonly excludes: readonly string[];
  /** How long `wait-for: ci` waits, in seconds. */
  readonly waitSeconds: number;
}

/** Commands, as people would write them, that something else than a comment gives. */
export interface Triggers {
  /** By the label that is put on. */
  readonly labels: ReadonlyMap<string, string>;
  /** At a push to a pull request, and when it is opened. */
  readonly push?: string;
  /** At an approving review. */
  readonly review?: string;
  /** When the pull request is merged. */
  readonly merge?: string;
}

/** What `gpu=a100` means on this cluster. */
export interface Accelerator {
  /** e.g. `nvidia.com/gpu` */
  readonly resource: string;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
  /** For one accelerator, in whatever currency the team counts in. */
  readonly pricePerHour?: number;
}

/** As in a pod's specification. */
export interface Toleration {
  readonly key?: string;
  readonly operator?: 'Exists' | 'Equal';
  readonly value?: string;
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  readonly tolerationSeconds?: number;
}

/** One pipeline of the repository. */
export interface Pipeline {
  readonly name: string;
  /** Path of its manifest. */
  readonly manifest?: string;
  readonly gates: readonly PlacedGate[];
  /** As fetch-metrics' input `baseline`. */
  readonly baseline?: string;
  /** Globs: a pull request that touches none of them is skipped. */
  readonly paths: readonly string[];
  /** What the check says where there is no baseline. */
  readonly noBaseline: 'pass' | 'fail';
}

/**
 * How a kind is read that Slashtrain does not know. Paths are JSONPath (RFC 9535). It is plain data: a record keeps the rule
 * its run was made with, so that a wait needs no configuration and no later change of it matters.
 */
export interface KindRule {
  /** `Kind.group` */
  readonly kind: string;
  readonly version: string;
  readonly plural: string;
  /** What brings it to a cluster. */
  readonly operator?: string;
  /** Characters; 63 unless said. */
  readonly nameLimit?: number;
  /** Of its pod templates. */
  readonly podTemplates: readonly string[];
  /** Of what has the fields of a container outside of pod templates. */
  readonly containers: readonly string[];
  /** Of its list of `{name, value}`; absent: `$(params.NAME)` in containers. */
  readonly parameters?: string;
  /** Of texts and lists of texts with `$(params.NAME)`. */
  readonly placeholders: readonly string[];
  /** A label selector; `{name}` and `{uid}` stand for the run's. Absent: pod templates get a label of ours. */
  readonly podSelector?: string;
  /** Where its controller takes a deadline. */
  readonly deadline?: { readonly path: string; readonly format: 'seconds' | 'duration' };
  /** Where it takes the seconds that it stays. */
  readonly ttl?: string;
  /** What Kueue holds back; absent: nothing. */
  readonly queue?: 'run' | 'pods';
  /** The first that holds decides; none: unknown. */
  readonly states: readonly KindState[];
  readonly message?: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** Of its list of `{name, value}`, once it has ended. */
  readonly outputs?: string;
  /** A merge patch that stops it; absent: it is deleted. */
  readonly cancelPatch?: Readonly<Record<string, unknown>>;
}

/** One condition of a {@link KindRule}. */
export interface KindState {
  readonly state: RunState;
  readonly path: string;
  /** What one of the values at the path is as text. */
  readonly equals: string;
  readonly reason?: Reason;
}

/** `.github/slashtrain.yml`, read and checked. */
export interface SlashtrainConfig {
  /** Where it came from, for messages; absent for the defaults. */
  readonly file?: string;
  readonly commands: ReadonlyMap<string, Command>;
  readonly triggers: Triggers;
  /** Whether commands work on pull requests from forks: never, or only with the full head SHA in the command. */
  readonly forks: 'never' | 'by-sha';
  readonly accelerators: ReadonlyMap<string, Accelerator>;
  readonly policy: Policy;
  readonly pipelines: ReadonlyMap<string, Pipeline>;
  readonly kinds: readonly KindRule[];
  /** How long ended records are kept, in seconds. */
  readonly retentionSeconds: number;
}
