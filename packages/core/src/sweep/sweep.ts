import type { Direction, GateOn } from '../metrics/metrics.ts';

/** How trials' settings are chosen; the last two by Katib alone. */
export const sweepMethods = ['grid', 'random', 'bayes', 'hyperband'] as const;
export type SweepMethod = (typeof sweepMethods)[number];

/** What a budget is counted in: hours of GPUs, money by the accelerator's price, hours of trials. */
export const budgetUnits = ['gpu-hours', 'cost', 'trial-hours'] as const;
export type BudgetUnit = (typeof budgetUnits)[number];

/** What a record remembers of a sweep: with it and the trials' metrics a report can be made. */
export interface RunSweep {
  method: SweepMethod;
  /** Of the random choice. */
  seed?: number;
  /** What a trial is measured by. Hostile text. */
  metric: string;
  direction: Direction;
  on: GateOn;
  /** Names of the parameters that are tried. */
  parameters: string[];
  /** Those of them that are tried evenly by their logarithm, and are shown so; absent for none. */
  log?: string[];
  /** The settings by a trial's index, in the order of `parameters`; empty where Katib chooses them. */
  trials: string[][];
  /** How many trials there are at most. */
  maxTrials: number;
  parallel: number;
  /** More failed trials than these fail the sweep. */
  maxFailed: number;
  budget?: {
    unit: BudgetUnit;
    amount: number;
    /** The sweep is ended after so many seconds, since by then it could have used it up; absent where fewer trials are started. */
    seconds?: number;
  };
}

/** Whether the settings of each trial are ours: then each of the run's pods is a trial. Katib knows its own. */
export function hasTrials(sweep: RunSweep | undefined): sweep is RunSweep {
  return sweep !== undefined && sweep.trials.length > 0;
}

/** `succeeded`, `failed`, `stopped` while it ran, or `not-run`. */
export type TrialState = 'succeeded' | 'failed' | 'stopped' | 'not-run';

/** One trial as it ended. */
export interface Trial {
  index: number;
  /** In the order of the sweep's parameters. Hostile text. */
  values: string[];
  state: TrialState;
  /** Why it failed, in one word where that is known, and in the cluster's words. Hostile text. */
  reason?: string;
  message?: string;
  /** How long its pod ran. */
  seconds?: number;
  metrics: TrialMetric[];
  /** Small outputs, such as `model-uri`. Hostile text. */
  outputs?: { name: string; value: string }[];
}

/** A metric's curve in numbers. */
export interface TrialMetric {
  name: string;
  last: number;
  min: number;
  max: number;
  mean: number;
  step: number;
}
