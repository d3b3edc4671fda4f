import type { Readable } from 'node:stream';

/** What is answered to a request. */
export interface Reply {
  status: number;
  headers?: Record<string, string | number>;
  body?: Buffer | Readable;
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes */
const errorStatus = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 413,
  RANGE_INVALID: 416,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 501,
} as const;

/** An error as the specification has it: a list of code, message and detail. */
export function errorReply(code: keyof typeof errorStatus, message: string, headers: Record<string, string> = {}): Reply {
  return {
    status: errorStatus[code],
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify({ errors: [{ code, message, detail: null }] })),
  };
}

/** An answer of JSON. */
export function jsonReply(value: unknown, headers: Record<string, string> = {}): Reply {
  return { status: 200, headers: { 'content-type': 'application/json', ...headers }, body: Buffer.from(JSON.stringify(value)) };
}
