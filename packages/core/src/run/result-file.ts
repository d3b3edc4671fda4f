import { Validator, type Schema } from '@cfworker/json-schema';
import schema from '../../schemas/result.schema.json' with { type: 'json' };
import { ActionError, messageOf } from '../action/errors.ts';
import type { RunResult } from './result.ts';

/**
 * Reads the result file that wait-for-run wrote in the same job.
 * @param where how the error names it, e.g. `input "result-file" (/tmp/result.json)`
 * @throws ActionError `input` that says what is wrong at which place
 */
export function parseResultFile(text: string, where: string): RunResult {
  const remedy = 'pass the output "result-file" of wait-for-run in the same job';
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw new ActionError('input', `${where} is not JSON: ${messageOf(error)}`, { remedy, cause: error });
  }
  const { valid, errors } = new Validator(schema as Schema, '2020-12').validate(data);
  if (valid) return data as RunResult;
  // The last is the innermost: the place itself, not what holds it.
  const problem = errors.at(-1);
  throw new ActionError('input', `${where} is no result file: ${problem?.instanceLocation ?? '#'}: ${problem?.error ?? ''}`, { remedy });
}
