import type { Verdict } from '../run/record.ts';

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
  series: MetricSeries[];
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
  /** The curve, thinned to at most 500 points. */
  history: MetricPoint[];
}

/** One run that counts as a sample. */
export interface MetricRun {
  /** Run reference, tracker run id or file path. Hostile text. */
  id: string;
  url?: string;
  sha: string;
  pullRequest?: number;
  parameters: { name: string; value: string }[];
  dataVersion?: string;
  metrics: MetricSummary[];
}

/** Which way is better. Never guessed from a name. */
export type Direction = 'higher' | 'lower';

/** A gate, as `.github/slashtrain.yml` or the input `gates` has it. */
export interface Gate {
  metric: string;
  direction: Direction;
  min?: number;
  max?: number;
  /** How much worse than the baseline is allowed: `0.01` in the metric's unit, or `2%` of the baseline. */
  'max-regression'?: string;
}

export type GateOutcome = 'pass' | 'fail' | 'inconclusive' | 'no-baseline' | 'missing' | 'error';

/** A gate and what came of it. */
export interface GateResult {
  gate: Gate;
  outcome: GateOutcome;
  candidate?: MetricValue;
  baseline?: MetricValue;
  /** One sentence with the numbers. */
  why: string;
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
  gates: { gate: Gate; outcome: GateOutcome; why: string }[];
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
  baseline?: {
    /** How it was found, in words for people: `#41 at 1a2b3c4, merged as 9f8e7d6`. */
    description: string;
    sha: string;
    runs: MetricRun[];
    /** The name of its record, where it has one. */
    record?: string;
  };
  gates: GateResult[];
  noBaseline: NoBaseline;
  verdict: Verdict;
  /** What a reader must know: sources that failed, runs left out and why. */
  notes: string[];
}
