import type { Verdict } from '../run/record.ts';
import type { Trial } from '../sweep/sweep.ts';

/** A metric's value. NaN and ±Infinity are values; in JSON they are the texts `NaN`, `Infinity`, `-Infinity`. */
export type MetricValue = number;

/** One point of a curve. `step` counts from the order of the lines where the program gave none. */
export interface MetricPoint {
  step: number;
  value: MetricValue;
}

/** One metric of one run, by ascending step. Names are any text: empty, with slashes, 10,000 characters. Hostile text. */
export interface MetricSeries {
  name: string;
  points: MetricPoint[];
}

/** What one run measured: the content of the record's `<name>-metrics`. Schema: `schemas/run-metrics.schema.json`. */
export interface RunMetrics {
  version: 1;
  /** Of a sweep, its best trial's. */
  series: MetricSeries[];
  /** All trials of a sweep; absent where the run is none. */
  trials?: Trial[];
  /** What was left out to fit into a ConfigMap, said in words; empty where nothing was. */
  dropped: string[];
}

/** One metric of one sample, for a table. */
export interface MetricSummary {
  name: string;
  last: MetricValue;
  min: MetricValue;
  max: MetricValue;
  /** The step of `last`. */
  step: number;
  /** The mean of all points, before the curve was thinned; NaN where one of them is. Absent where only `last` is known. */
  mean?: MetricValue;
  /** The curve, thinned to at most 500 points. */
  history: MetricPoint[];
}

/** One run that counts as a sample. */
export interface MetricRun {
  /** Run reference, tracker run id or file path. Hostile text. */
  id: string;
  /** What people call it. Hostile text. */
  name?: string;
  /** Where it was measured: `run`, `files`, `mlflow`, … Absent in files of before. */
  source?: string;
  url?: string;
  sha: string;
  pullRequest?: number;
  parameters: { name: string; value: string }[];
  dataVersion?: string;
  /** Packages that a lock file of its commit names, where fetch-metrics was told to compare them. Hostile text. */
  packages?: { name: string; version: string }[];
  /** The accelerator that it was given, as the configuration or a tracker's tag `gpu` names it: `a100`. Hostile text. */
  gpu?: string;
  metrics: MetricSummary[];
  /** Confusion matrices and tables by class. */
  tables?: ClassTable[];
  /** What it made, and from what, where its backend knows. */
  artifacts?: RunArtifact[];
}

/** What a task of a run made: its lineage, a step at a time. Hostile text. */
export interface RunArtifact {
  /** `task.artifact` */
  name: string;
  /** `system.Model`, `system.Dataset`, …; empty where nobody said. */
  type: string;
  /** Empty where it lies nowhere but in the metadata. */
  uri: string;
  /** The names of what its task was given. */
  from: string[];
  /** Its task did not run: this is an earlier run's. */
  cached?: true;
}

/** A table of numbers by class: a confusion matrix (rows: the true class), or a value a column for each class. */
export interface ClassTable {
  kind: 'confusion' | 'classes';
  /** Where it came from. Hostile text. */
  name: string;
  columns: string[];
  /** As many values as there are columns. */
  rows: { label: string; values: MetricValue[] }[];
}

/** Which way is better. Never guessed from a name. */
export type Direction = 'higher' | 'lower';

/** Which value of a metric's curve counts; `best` is the largest or smallest, by the gate's direction. */
export type GateOn = 'last' | 'best' | 'min' | 'max' | 'mean';

/** A gate, as `.github/slashtrain.yml` or the input `gates` has it. */
export interface Gate {
  /** A metric's name; where there is none of that name, `*` in it stands for any text: `accuracy/*`. */
  metric: string;
  direction: Direction;
  min?: number;
  max?: number;
  /** How much worse than the baseline is allowed: `0.01` in the metric's unit, or `2%` of the baseline. */
  'max-regression'?: string;
  /** How much better than the baseline it must be, in the same form. */
  'min-improvement'?: string;
  /** `last` unless said. */
  on?: GateOn;
  /** The fewest samples a side. */
  'require-seeds'?: number;
  /** From 0.5 to 0.9999; 0.95 unless said. Said, too few samples to reach it are an error. */
  confidence?: number;
  /** `warn`: its outcome is shown, and the verdict does not know it. `fail` unless said. */
  level?: 'fail' | 'warn';
}

/** Where a gate is written, at the default branch. */
export interface GatePlace {
  /** Its path in the repository. */
  file: string;
  /** Counted from 1. */
  line: number;
}

/** A gate, and where it is written. One of a workflow's input has no place in a file. */
export interface PlacedGate extends Gate {
  place?: GatePlace;
}

export type GateOutcome = 'pass' | 'fail' | 'inconclusive' | 'no-baseline' | 'missing' | 'error';

/** A gate and what came of it. */
export interface GateResult {
  /** With the metric's own name, where `pattern` matched it. */
  gate: Gate;
  /** The gate's `metric` as it was written, where it is a pattern. */
  pattern?: string;
  /** Absent for a gate of a workflow's input, and in files of before. */
  place?: GatePlace;
  outcome: GateOutcome;
  /** Of several samples their mean. */
  candidate?: MetricValue;
  baseline?: MetricValue;
  /** What a comparison with the baseline was made from; absent where none was. */
  change?: Change;
  /** One sentence with the numbers. */
  why: string;
}

/** The samples of one side: one value a run. */
export interface Sample {
  n: number;
  mean: MetricValue;
  /** Of the sample, with n − 1; absent for a single run. */
  deviation?: MetricValue;
  /** In the order of the runs. */
  values: MetricValue[];
}

/** From baseline to candidate. */
export interface Change {
  /** Candidate minus baseline: of means; with a test, the Hodges–Lehmann estimate, above 50 samples a side of means again. */
  estimate: number;
  /** The interval of `estimate`, where there are enough samples for one. */
  low?: number;
  high?: number;
  /** Two-sided, of the Mann–Whitney test. */
  p?: number;
  /** Of the interval: 0.95. */
  confidence?: number;
  /** How certain it is: two single runs, means of too few for a test, the exact test, or its approximation with a bootstrap. */
  method: 'single' | 'means' | 'exact' | 'bootstrap';
}

/** One metric on both sides, by its last values. */
export interface MetricComparison {
  name: string;
  candidate?: Sample;
  baseline?: Sample;
  /** Absent where a side is, or is no number. */
  change?: Change;
}

/** Something besides the code that is not as it was in the baseline; a side without it is left out. */
export interface Difference {
  what: 'parameter' | 'data' | 'package' | 'gpu';
  /** Of the parameter or package; empty for the others. Hostile text. */
  name: string;
  /** Values of several runs are joined by commas. Hostile text. */
  candidate?: string;
  baseline?: string;
}

/** A run that was found and does not count. */
export interface ExcludedRun {
  /** Hostile text. */
  id: string;
  name?: string;
  source: string;
  url?: string;
  /** In words: `it names no commit`. Hostile text. */
  reason: string;
}

/** What a check says where there is nothing to compare with. */
export type NoBaseline = 'pass' | 'fail';

/**
 * What a run was compared with and what came of it, as its record remembers it: a report can be made again from records alone.
 * Values are not in it: JSON has no NaN, and the metrics have them.
 */
export interface Comparison {
  /** Absent where there is none. */
  baseline?: {
    /** As in {@link MetricsFile}. */
    description: string;
    sha: string;
    /** The name of its record, in the same namespace. */
    record: string;
  };
  gates: { gate: Gate; place?: GatePlace; outcome: GateOutcome; why: string }[];
  noBaseline: NoBaseline;
  notes: string[];
}

/**
 * What fetch-metrics found and decided: the file that report-pr shows. It lives within one job.
 * Schema: `schemas/metrics-file.schema.json`.
 */
export interface MetricsFile {
  version: 1;
  /** The commit that is judged, full SHA. */
  sha: string;
  pullRequest?: number;
  pipeline: string;
  /** The run reference that the verdict was written to; absent where metrics came from elsewhere. */
  run?: string;
  candidates: MetricRun[];
  /** Of a sweep: the parameters of its best setting, whose runs the candidates are. Hostile text. */
  best?: { name: string; value: string }[];
  baseline?: {
    /** How it was found, in words for people: `#41 at 1a2b3c4, merged as 9f8e7d6`. */
    description: string;
    sha: string;
    runs: MetricRun[];
    /** The name of its record, where it has one. */
    record?: string;
  };
  /** All metrics of both sides, in the order of the candidates; with several samples a side, this is what a table shows. */
  comparisons?: MetricComparison[];
  /** What changed besides the code. */
  differences?: Difference[];
  /** Runs that were found and do not count, and why. */
  excluded?: ExcludedRun[];
  gates: GateResult[];
  noBaseline: NoBaseline;
  verdict: Verdict;
  /** What a reader must know: sources that failed, runs left out and why. */
  notes: string[];
}
