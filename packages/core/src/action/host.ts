import type { Inputs } from './inputs.ts';
import type { Log } from './log.ts';

/**
 * Everything an action has from the runner. The entry makes one and hands it on, so that no module
 * reaches for `process` and a test can pass its own.
 */
export interface Host {
  readonly inputs: Inputs;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Log;
  /** The folder that relative paths of inputs are below: `GITHUB_WORKSPACE`. */
  readonly workspace: string;
  /** A folder for files that live as long as the job: `RUNNER_TEMP`. */
  readonly temp: string;
  /** Aborts at SIGINT or SIGTERM. From then on there are 5 seconds until the end. */
  readonly signal: AbortSignal;
  /** The time now, in milliseconds since 1970, by a clock that nobody sets; a test passes its own. */
  readonly now: () => number;
  /** Sets an output. May be called again, the last value counts. Call it before anything that can fail. */
  setOutput(name: string, value: string): void;
  /** Adds markdown to the step's summary (at most 1 MiB a step, else GitHub shows nothing of it). */
  summarise(markdown: string): Promise<void>;
  /** Keeps a value for the `post` step of the same action. */
  saveState(name: string, value: string): void;
}

/** An action's story. What it throws fails the step. */
export type Story = (host: Host) => Promise<void>;
