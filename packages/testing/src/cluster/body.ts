import { ApiError, badRequest, Undecodable, type Cause } from './errors.ts';
import { isObject } from './patch.ts';
import type { ApiRequest } from './request.ts';
import { apiVersionOf } from './resources.ts';
import { decode, type Decoded } from './schema.ts';

type Json = Record<string, unknown>;

/** An object as the server takes it from a request, and what it warns of. */
export interface Read {
  object: Json;
  /** For `Warning` headers. */
  warnings: string[];
}

/**
 * Reads the body of a POST or PUT: kind and version must be the path's, unknown fields are told or refused as
 * `fieldValidation` says.
 * @throws ApiError 400
 */
export function readObject(request: ApiRequest): Read {
  const { type, body } = request;
  if (!isObject(body)) {
    throw badRequest(`the object provided is unrecognized (must be of type ${type.kind}): couldn't get version/kind; json parse error`);
  }
  try {
    return read(request, body);
  } catch (error) {
    if (!(error instanceof Undecodable)) throw error;
    const { kind, version } = kindOf(body, request);
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${type.kind}: ${error.message}`);
  }
}

/** The same of an apply, which is stricter than a decoder. @returns also the paths that the type does not know */
export function readApplied(request: ApiRequest): Decoded {
  const query = new URLSearchParams(request.query);
  query.set('fieldValidation', 'Ignore');
  const { object } = readObject({ ...request, query });
  return { object, unknown: decode(request.type, request.body as Json).unknown };
}

/** The same of what a patch makes of an object. @throws ApiError 422, as the real server refuses a patch */
export function readPatched(request: ApiRequest, patched: Json): Read {
  try {
    return read(request, patched);
  } catch (error) {
    if (!(error instanceof Undecodable)) throw error;
    const message = `Invalid value: ${JSON.stringify(JSON.stringify(patched))}: ${error.message}`;
    const causes: Cause[] = [{ reason: 'FieldValueInvalid', message, field: 'patch' }];
    throw new ApiError(422, 'Invalid', ` "" is invalid: patch: ${message}`, { causes });
  }
}

function kindOf(body: Json, { type }: ApiRequest): { kind: string; apiVersion: string; version: string } {
  const kind = (body['kind'] as string | undefined) || type.kind;
  const apiVersion = (body['apiVersion'] as string | undefined) || apiVersionOf(type);
  return { kind, apiVersion, version: apiVersion.split('/').at(-1)! };
}

function read(request: ApiRequest, body: Json): Read {
  const { type } = request;
  const { kind, apiVersion, version } = kindOf(body, request);
  if (apiVersion !== apiVersionOf(type)) {
    throw new Undecodable(`no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:111"`);
  }
  if (kind !== type.kind) {
    throw new Undecodable(`converting (${version}.${kind}) to (${type.group || 'core'}.${type.kind}): unknown conversion`);
  }
  const { object, unknown } = decode(type, body);
  const told = unknown.map((path) => `unknown field "${path}"`);
  const validation = request.query.get('fieldValidation') || 'Warn';
  if (validation === 'Strict' && told.length > 0) throw new Undecodable(`strict decoding error: ${told.join(', ')}`);
  return { object: { ...object, apiVersion, kind }, warnings: validation === 'Warn' ? told : [] };
}

/** `dryRun` and `fieldValidation` of the query, or `dryRun` of a DeleteOptions body. @throws ApiError 422 */
export function isDryRun(request: ApiRequest, options: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions'): boolean {
  const inBody = options === 'DeleteOptions' && isObject(request.body) ? (request.body['dryRun'] as string[] | undefined)?.[0] : undefined;
  const dryRun = request.query.get('dryRun') ?? inBody ?? '';
  const validation = request.query.get('fieldValidation') ?? '';
  if (!['', 'All'].includes(dryRun))
    refuseOption(options, 'dryRun', `Unsupported value: [${JSON.stringify(dryRun)}]: supported values: "All"`);
  if (!['', 'Ignore', 'Strict', 'Warn'].includes(validation)) {
    refuseOption(
      options,
      'fieldValidation',
      `Unsupported value: ${JSON.stringify(validation)}: supported values: "", "Ignore", "Strict", "Warn"`,
    );
  }
  return dryRun === 'All';
}

function refuseOption(kind: string, field: string, message: string): never {
  throw new ApiError(422, 'Invalid', `${kind}.meta.k8s.io "" is invalid: ${field}: ${message}`, {
    group: 'meta.k8s.io',
    kind,
    causes: [{ reason: 'FieldValueNotSupported', message, field }],
  });
}
