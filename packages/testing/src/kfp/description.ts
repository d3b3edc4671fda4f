import { Validator } from '@cfworker/json-schema';
import description from './description.json' with { type: 'json' };

/** One operation of the published description. */
interface Operation {
  method: string;
  path: string;
  query: string[];
  body?: object;
  /** The parts of a form that is sent instead of JSON. */
  form?: string[];
  answer?: object;
  refusal?: object;
}

const operations: readonly Operation[] = description.operations;
const validators = new Map<object, Validator>();

/** The operation that a request is. Undefined where the description has none. */
export function operationOf(method: string, path: string): Operation | undefined {
  return operations.find((one) => {
    if (one.method !== method) return false;
    const pattern = one.path.replace(/\{[^}]+\}/gu, '[^/:]+');
    return new RegExp(`^${pattern}$`, 'u').test(path);
  });
}

/** What is wrong with a request, by the description: a query that it does not have, or another body. */
export function faultOf(operation: Operation, query: URLSearchParams, body: unknown): string | undefined {
  const unknown = [...query.keys()].find((key) => !operation.query.includes(key));
  if (unknown !== undefined) return `${operation.method} ${operation.path} has no query "${unknown}"`;
  const filter = query.get('filter');
  const fault = filter === null ? undefined : mismatch(description.filter, JSON.parse(filter));
  if (fault !== undefined) return `the filter: ${fault}`;
  const part = body instanceof FormData ? [...body.keys()].find((name) => !operation.form?.includes(name)) : undefined;
  if (part !== undefined) return `${operation.method} ${operation.path} has no part "${part}"`;
  if (operation.form) {
    const missing = body instanceof FormData ? operation.form.find((name) => !body.has(name)) : 'form';
    return missing === undefined ? undefined : `${operation.method} ${operation.path} needs the part "${missing}"`;
  }
  if (operation.body) return mismatch(operation.body, body);
  return body === undefined ? undefined : `${operation.method} ${operation.path} has no body`;
}

/** What is wrong with an answer of ours, by the description. */
export function answerFault(operation: Operation, status: number, body: unknown): string | undefined {
  // What takes a form answers by itself, and refuses in a form that the description does not have
  // (https://github.com/kubeflow/pipelines/blob/2.17.0/backend/src/apiserver/server/pipeline_upload_server.go, writeErrorToResponse).
  if (operation.form && status >= 300) return undefined;
  const schema = status < 300 ? operation.answer : operation.refusal;
  return schema ? mismatch(schema, body) : undefined;
}

function mismatch(part: object, value: unknown): string | undefined {
  let validator = validators.get(part);
  if (!validator) {
    validator = new Validator({ ...part, $defs: description.$defs }, '2020-12');
    validators.set(part, validator);
  }
  const { valid, errors } = validator.validate(value);
  const last = errors.at(-1);
  return valid ? undefined : `${last?.instanceLocation ?? '#'}: ${last?.error ?? ''}`;
}
