import { Validator, type Schema } from '@cfworker/json-schema';
import metricsSchema from '../../schemas/run-metrics.schema.json' with { type: 'json' };
import recordSchema from '../../schemas/record.schema.json' with { type: 'json' };
import resultSchema from '../../schemas/result.schema.json' with { type: 'json' };
import type { RunMetrics } from '../metrics/metrics.ts';
import type { RunRecord } from '../run/record.ts';

const record = new Validator(recordSchema as Schema, '2020-12');
record.addSchema(resultSchema as Schema);
const metrics = new Validator(metricsSchema as Schema, '2020-12');

/** A record from its text; undefined for a text that is none. */
export function readRecord(text: string): RunRecord | undefined {
  const value = parse(text);
  return record.validate(value).valid ? (value as RunRecord) : undefined;
}

/** The JSON of a run's metrics, with values as {@link jsonNumber} writes them; undefined for a text that is none. */
export function readMetricsJson(text: string): StoredMetrics | undefined {
  const value = parse(text);
  return metrics.validate(value).valid ? (value as StoredMetrics) : undefined;
}

/** {@link RunMetrics} as JSON holds it. */
export interface StoredMetrics extends Omit<RunMetrics, 'series'> {
  series: { name: string; points: { step: number; value: number | string }[] }[];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No valid record, like any other text.
    return undefined;
  }
}
