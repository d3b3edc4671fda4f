/** What can go wrong between a client and a server. */
export type FaultName =
  /** The connection is reset. */
  | 'reset'
  /** Nothing comes any more, and the connection stays. */
  | 'stall'
  /** Half an answer, or half a line of a stream, then a reset. */
  | 'half'
  /** Everything comes, in small pieces. */
  | 'slow'
  /** 410: of a watch, that its history is gone. */
  | 'gone'
  /** 429 with `Retry-After`, and 429 without. */
  | 'busy-until'
  | 'busy'
  | '500'
  | '502'
  | '503'
  | '504'
  /** 401: the token has ended. */
  | 'expired'
  /** `Content-Length` is more or less than what comes; of a chunked stream, a size that is none. */
  | 'length'
  /** Each event of a watch comes twice. */
  | 'duplicate'
  /** An older event of a watch comes after a newer one. */
  | 'reorder'
  /** The answer is compressed, and ends in the middle of that. */
  | 'gzip'
  /** Another certificate, which nobody trusts, for a few connections. */
  | 'certificate';

/** In the order of their numbers. */
export const faultNames: readonly FaultName[] = [
  'reset',
  'stall',
  'half',
  'slow',
  'gone',
  'busy-until',
  'busy',
  '500',
  '502',
  '503',
  '504',
  'expired',
  'length',
  'duplicate',
  'reorder',
  'gzip',
  'certificate',
];

/**
 * Where in an exchange the fault strikes: before the server saw the request, after it has done it and before its answer, or in the
 * middle of an answer that is a stream.
 */
export type Place = 'before' | 'after' | 'stream';

/** What a proxy is to do with one request. */
export interface Strike {
  fault: FaultName;
  place: Place;
}

/** An answer that a server gives instead of its own. */
export interface Status {
  status: number;
  headers: Record<string, string>;
}

/** The faults that are another answer. A server that says 401, 410 or 429 has done nothing. */
export function statusOf(fault: FaultName): Status | undefined {
  const json = { 'content-type': 'application/json' };
  switch (fault) {
    case 'gone':
      return { status: 410, headers: json };
    case 'busy-until':
      return { status: 429, headers: { ...json, 'retry-after': '1' } };
    case 'busy':
      return { status: 429, headers: json };
    case 'expired':
      return { status: 401, headers: json };
    case '500':
    case '502':
    case '503':
    case '504':
      // A proxy's page, as load balancers answer.
      return { status: Number(fault), headers: { 'content-type': 'text/html' } };
    default:
      return undefined;
  }
}

/** The body of such an answer: a Status object for what speaks JSON, as Kubernetes has it and others ignore it. */
export function bodyOf({ status, headers }: Status): string {
  if (headers['content-type'] === 'text/html') return `<html><body><h1>${status}</h1></body></html>\n`;
  const reason = status === 410 ? 'Expired' : status === 401 ? 'Unauthorized' : 'TooManyRequests';
  return `${JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: `fault ${status}`, reason, code: status })}\n`;
}
