import type { Difference, ExcludedRun, MetricComparison, MetricRun, MetricSummary, NoBaseline } from '@slashtrain/core/metrics/metrics';
import type { ShownGate } from '@slashtrain/core/metrics/rows';
import type { StoredRecord } from '@slashtrain/core/records/store';
import type { Verdict } from '@slashtrain/core/run/record';
import type { RunResult } from '@slashtrain/core/run/result';
import type { RunState, Status } from '@slashtrain/core/run/state';
import type { Trial } from '@slashtrain/core/sweep/sweep';

/** Everything a report tells, gathered. All texts of runs, clusters and metric names are hostile. */
export interface Story {
  /** What the model is called. */
  title: string;
  pipeline: string;
  sha: string;
  pullRequest?: number;
  state: RunState;
  /** How the run stands or ended; absent where metrics came from files alone, or nothing is known. */
  result?: RunResult;
  /** How a run that goes on stood when it was looked at. */
  standing?: Status;
  /** The run's record; absent where metrics came from files alone. */
  stored?: StoredRecord;
  /** Absent where nobody decided. */
  verdict?: Verdict;
  noBaseline: NoBaseline;
  gates: ShownGate[];
  /** Of the run, or of the first of several. */
  candidate: MetricSummary[];
  /** Seeds or trials, where there are several. */
  runs?: MetricRun[];
  /** All metrics over all samples of both sides. */
  comparisons?: MetricComparison[];
  /** Of a sweep: all its trials. */
  trials?: Trial[];
  /** Of a sweep: what the best setting is in the file of the settings, as markdown of ours. */
  settings?: string;
  /** What is not as it was in the baseline, besides the code. */
  differences?: Difference[];
  /** Runs that were found and do not count. */
  excluded?: ExcludedRun[];
  baseline?: { description: string; sha: string; metrics: MetricSummary[] };
  notes: string[];
}

/** Another attempt or commit of the same pull request and pipeline, for the table of what was before. */
export type Earlier = Pick<StoredRecord, 'name' | 'record'>;

/** Where links lead. */
export interface Links {
  /** `https://github.com/acme/digits` */
  repository: string;
  /** The workflow run that makes this report. */
  workflow: string;
}
