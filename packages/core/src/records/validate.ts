import { Validator, type Schema } from '@cfworker/json-schema';
import recordSchema from '../../schemas/record.schema.json' with { type: 'json' };
import resultSchema from '../../schemas/result.schema.json' with { type: 'json' };
import type { RunRecord } from '../run/record.ts';

const record = new Validator(recordSchema as Schema, '2020-12');
record.addSchema(resultSchema as Schema);

/** A record from its text; undefined for a text that is none. */
export function readRecord(text: string): RunRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Whoever may make ConfigMaps may write anything into them.
    return undefined;
  }
  return record.validate(value).valid ? (value as RunRecord) : undefined;
}
