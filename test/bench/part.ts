/** What a figure is counted in. `count` of requests, objects, copies. */
export type Unit = 'ms' | 's' | 'MB/s' | 'MB' | 'requests/s' | 'count';

/** What an issue of this repository asks of a figure. */
export interface Limit {
  /** The ratio to the peer, our own figure, or the most memory that we held, in MB. */
  of: 'ratio' | 'ours' | 'memory';
  most?: number;
  least?: number;
}

/** Who is measured beside us, in the same rounds. */
export interface Peer {
  name: string;
  /** Its version, or what it is made of. */
  version: string;
  /** One a round. */
  samples: readonly number[];
}

/** One figure. */
export interface Row {
  /** `part/name`, by which runs are compared: it never changes. */
  id: string;
  what: string;
  /** The issues that name the figure. */
  issues: readonly number[];
  unit: Unit;
  better: 'lower' | 'higher';
  /** One a round; of a count that cannot vary, one. */
  ours: readonly number[];
  peer?: Peer;
  /** The most that was held, in MB. */
  memory?: { ours?: number; peer?: number };
  limits?: readonly Limit[];
}

/** What a part is run with. */
export interface Options {
  /** Rounds, in each of which all that is compared is measured once. */
  rounds: number;
  /** Smaller inputs, for who wants to know soon. */
  quick: boolean;
  /** A real cluster, never an ambient one. */
  cluster?: { kubeconfig: string; context: string };
  /** A registry that speaks http, which the cluster pulls from as well, and which holds `node:24`. */
  registry?: string;
  /** Folders of virtual environments. */
  mlflow?: string;
  tensorboard?: string;
  /** A folder with another state's `actions/`, built: what it was before. */
  before?: string;
  /** Of the base image of part `images`, in MB. */
  megabytes?: number;
}

/** Something that is measured by itself, in a process of its own. */
export interface Part {
  /** How often, where it is not said: in full, and by `--quick`. */
  rounds: { full: number; quick: number };
  /** @returns what to install or to name where it cannot be measured here */
  missing?(options: Options): string | undefined;
  run(options: Options): Promise<Row[]>;
}

/** All parts, in the order in which they are measured, and what they are about. */
export const parts = {
  start: 'how long bundles take to start and to ask for the first time',
  comment: 'chatops-parse on a comment without a command, and on hostile ones',
  size: 'what a runner downloads',
  steps: 'requests and time of each step of the chain',
  sweep: 'a sweep of 1,000 trials',
  hour: 'what an hour of waiting asks',
  sync: 'sync-runs over 1,000 records',
  reports: 'reports of many metrics, runs and trials',
  lag: "when a run's end is seen",
  logs: 'following a log',
  ready: 'when a rollout is seen ready',
  forward: 'requests through port-forward',
  events: 'event files',
  mlflow: '10,000 runs of an MLflow server',
  images: 'building and pushing images',
} as const;
export type PartName = keyof typeof parts;
