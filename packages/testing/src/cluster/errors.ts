import type { ResourceType } from './resources.ts';

export interface Cause {
  reason: string;
  message: string;
  field?: string;
}

/** The body of an error, as k8s.io/apimachinery/pkg/apis/meta/v1 `Status`. */
export interface StatusBody {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { continue?: string };
  status: 'Failure';
  message: string;
  reason?: string;
  details?: { name?: string; group?: string; kind?: string; uid?: string; causes?: Cause[]; retryAfterSeconds?: number };
  code: number;
}

/** What the API server answers instead of an object. */
export class ApiError extends Error {
  readonly body: StatusBody;
  /** `Warning` headers that go with it. */
  warnings: string[] = [];

  constructor(code: number, reason: string | undefined, message: string, details?: StatusBody['details']) {
    super(message);
    this.body = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

/** `jobs.batch`, `pods` */
export function qualified(type: ResourceType): string {
  return type.group === '' ? type.plural : `${type.plural}.${type.group}`;
}

function details(type: ResourceType, name: string): { name: string; group?: string; kind: string } {
  return { name, ...(type.group === '' ? {} : { group: type.group }), kind: type.plural };
}

// The words of k8s.io/apimachinery/pkg/api/errors, as the real server in test/contract answers them.
export const notFound = (type: ResourceType, name: string): ApiError =>
  new ApiError(404, 'NotFound', `${qualified(type)} "${name}" not found`, details(type, name));

export const alreadyExists = (type: ResourceType, name: string): ApiError =>
  new ApiError(409, 'AlreadyExists', `${qualified(type)} "${name}" already exists`, details(type, name));

export const conflict = (type: ResourceType, name: string, why: string): ApiError =>
  new ApiError(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(type)} "${name}": ${why}`, details(type, name));

export const modified = 'the object has been modified; please apply your changes to the latest version and try again';

export const badRequest = (message: string): ApiError => new ApiError(400, 'BadRequest', message);

/** 422 with one cause a problem. */
export function invalid(type: ResourceType, name: string, causes: Cause[]): ApiError {
  const words = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const list = words.length === 1 ? words[0] : `[${words.join(', ')}]`;
  const kind = type.group === '' ? type.kind : `${type.kind}.${type.group}`;
  return new ApiError(422, 'Invalid', `${kind} "${name}" is invalid: ${list}`, {
    name,
    ...(type.group === '' ? {} : { group: type.group }),
    kind: type.kind,
    causes,
  });
}

/** What a real cluster can do and this one cannot. Not a code of the API server's, so that nobody takes it for one. */
export const unsupported = (what: string): ApiError =>
  new ApiError(501, undefined, `the embedded cluster does not support ${what}; use a real cluster for it`);

export const expired = (message: string): ApiError => new ApiError(410, 'Expired', message);

/** What is wrong with a body, in the words of the real server's decoder. */
export class Undecodable extends Error {}
