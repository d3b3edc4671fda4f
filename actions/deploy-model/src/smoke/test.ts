import type { JSONPathQuery } from 'json-p3';

/** What a smoke test says, read and checked. */
export interface SmokeTest {
  requests: SmokeRequest[];
  goldens: GoldenSet[];
}

/** One request and what is expected of its answer. */
export interface SmokeRequest {
  /** For people: its own, else method and path. */
  name: string;
  method: string;
  /** With its query, from `/`. */
  path: string;
  headers: Readonly<Record<string, string>>;
  body?: string;
  /** Seconds until it counts as failed. */
  timeout: number;
  expect: Expectation;
}

/** At least one of them, besides the status, which is a success where it is not given. */
export interface Expectation {
  /** One of these. */
  status?: readonly number[];
  /** Finds nothing wrong with the answer's JSON, or says what is. */
  schema?: (answer: unknown) => string | undefined;
  values: readonly ExpectedValue[];
  /** Each stands in the answer's text. */
  contains: readonly string[];
  latency?: ExpectedLatency;
}

/** What stands at a path of the answer's JSON: each value that the path finds, at least one. */
export interface ExpectedValue {
  path: Path;
  equals?: { value: unknown; tolerance: Tolerance };
  min?: number;
  max?: number;
}

/** A JSONPath (RFC 9535). */
export interface Path {
  text: string;
  query: JSONPathQuery;
}

/** How far numbers may lie from what is expected: by so much, or by a share of it. */
export interface Tolerance {
  absolute: number;
  relative: number;
}

/** Upper limits in seconds over so many requests, one after the other, to each pod. */
export interface ExpectedLatency {
  limits: { percentile: 50 | 95 | 99; seconds: number }[];
  requests: number;
}

/** Inputs with the outputs that are expected, asked one by one. */
export interface GoldenSet {
  name: string;
  rows: GoldenRow[];
  timeout: number;
  /** Where the output stands in the answer. */
  value: Path;
  tolerance: Tolerance;
  /** The largest share of rows, from 0 to 1, that may differ. */
  maxDisagreement: number;
}

export interface GoldenRow {
  /** For people: `digits.jsonl:12`. */
  name: string;
  request: Pick<SmokeRequest, 'method' | 'path' | 'headers' | 'body'>;
  expected: unknown;
}
