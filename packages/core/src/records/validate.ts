import { Validator, type Schema } from '@cfworker/json-schema';
import recordSchema from '../../schemas/record.schema.json' with { type: 'json' };
import resultSchema from '../../schemas/result.schema.json' with { type: 'json' };
import type { RunRecord } from '../run/record.ts';
import { quickCheck, type Check } from './quick-check.ts';

let quick: Check | undefined;
let library: Validator | undefined;

/** A record from its text; undefined for a text that is none. */
export function readRecord(text: string): RunRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Whoever may make ConfigMaps may write anything into them.
    return undefined;
  }
  // Not at the start of every action. What it does not accept, the library decides.
  quick ??= quickCheck(recordSchema, [resultSchema]);
  return quick(value) || isRecord(value) ? (value as RunRecord) : undefined;
}

function isRecord(value: unknown): boolean {
  if (!library) {
    library = new Validator(recordSchema as Schema, '2020-12');
    library.addSchema(resultSchema as Schema);
  }
  return library.validate(value).valid;
}
