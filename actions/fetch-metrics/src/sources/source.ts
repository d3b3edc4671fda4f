import type { MetricRun } from '@slashtrain/core/metrics/metrics';
import type { Measured } from './measured.ts';

export const sourceNames = ['run', 'files', 'mlflow', 'wandb', 'katib', 'prometheus'] as const;
export type SourceName = (typeof sourceNames)[number];

/** Where metrics come from. */
export interface Source {
  readonly name: SourceName;
  /** The candidate's runs. @throws ActionError where it cannot be asked */
  measure(): Promise<Measured>;
  /** What counts of a commit of the base branch; empty where there is nothing. Absent: it knows no commits. */
  at?(sha: string): Promise<MetricRun[]>;
  /** Runs that somebody chose: a registry's `models:/NAME@ALIAS`, or `tag:NAME=VALUE`. Absent: it has no such thing. */
  chosen?(choice: string): Promise<MetricRun[]>;
}
