import { Validator, type Schema } from '@cfworker/json-schema';
import schema from '../../schemas/metrics-file.schema.json' with { type: 'json' };
import { ActionError, messageOf } from '../action/errors.ts';
import { jsonNumber, numberOf } from './lines.ts';
import type { MetricsFile } from './metrics.ts';

/** A metrics file's text. {@link parseMetricsFile} reads it back. */
export function formatMetricsFile(file: MetricsFile): string {
  return `${JSON.stringify(file, (_, value: unknown) => (typeof value === 'number' ? jsonNumber(value) : value))}\n`;
}

/**
 * Reads a metrics file, which an earlier step of the same job wrote: checked all the same, since whoever may write to the
 * runner's folder may have written it.
 * @param where how the error names it, e.g. `input "metrics-file" (/tmp/metrics.json)`
 * @throws ActionError `input` that says what is wrong at which place
 */
export function parseMetricsFile(text: string, where: string): MetricsFile {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw new ActionError('input', `${where} is not JSON: ${messageOf(error)}`, { remedy, cause: error });
  }
  const { valid, errors } = new Validator(schema as Schema, '2020-12').validate(data);
  if (!valid) {
    // The last is the innermost: the place itself, not what holds it.
    const problem = errors.at(-1);
    throw new ActionError('input', `${where} is no metrics file: ${problem?.instanceLocation ?? '#'}: ${problem?.error ?? ''}`, { remedy });
  }
  return withNumbers(data as MetricsFile);
}

const remedy = 'pass the output "metrics-file" of fetch-metrics in the same job';

// In JSON a value may be the text NaN; the schema has seen to it that it is nothing else.
function withNumbers(file: MetricsFile): MetricsFile {
  for (const run of [...file.candidates, ...(file.baseline?.runs ?? [])]) {
    for (const metric of run.metrics) {
      metric.last = valueOf(metric.last);
      metric.min = valueOf(metric.min);
      metric.max = valueOf(metric.max);
      if (metric.mean !== undefined) metric.mean = valueOf(metric.mean);
      for (const point of metric.history) point.value = valueOf(point.value);
    }
    for (const { rows } of run.tables ?? []) for (const row of rows) row.values = row.values.map(valueOf);
  }
  for (const { candidate, baseline } of file.comparisons ?? []) {
    for (const sample of [candidate, baseline]) {
      if (!sample) continue;
      sample.mean = valueOf(sample.mean);
      if (sample.deviation !== undefined) sample.deviation = valueOf(sample.deviation);
      sample.values = sample.values.map(valueOf);
    }
  }
  for (const gate of file.gates) {
    if (gate.candidate !== undefined) gate.candidate = valueOf(gate.candidate);
    if (gate.baseline !== undefined) gate.baseline = valueOf(gate.baseline);
  }
  return file;
}

function valueOf(value: unknown): number {
  return numberOf(value) ?? Number.NaN;
}
