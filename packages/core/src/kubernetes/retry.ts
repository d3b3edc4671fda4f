/** What an HTTP exchange came to, for the decision whether to try again. */
export type Outcome = { status: number; retryAfter?: string | undefined } | { lost: NodeJS.ErrnoException };

/** Which requests may go out a second time. */
export type Repeatable =
  /** It changes nothing, or the caller can tell that it was done before (409, 404, another resourceVersion). */
  | 'always'
  /** Only where the server says that it did nothing: 429, or 503 with Retry-After. */
  | 'refused';

/**
 * Whether to send a request again, as client-go does: 429 and 5xx with Retry-After, further 5xx and lost connections
 * (https://github.com/kubernetes/client-go/blob/v0.36.3/rest/with_retry.go).
 * @returns the shortest wait that the server asks for in milliseconds (0 where it asks for none); undefined for no
 */
export function retryWait(outcome: Outcome, repeatable: Repeatable, now: number): number | undefined {
  if ('lost' in outcome) return repeatable === 'always' && isTransient(outcome.lost) ? 0 : undefined;
  const wait = parseRetryAfter(outcome.retryAfter, now);
  if (outcome.status === 429) return wait ?? 0;
  if (outcome.status === 503 && wait !== undefined) return wait;
  if (repeatable === 'always' && outcome.status >= 500 && outcome.status !== 501) return wait ?? 0;
  return undefined;
}

/**
 * Reads a Retry-After header: seconds, or an HTTP date (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after).
 * @returns milliseconds from now; undefined where it is absent or neither
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^[0-9]{1,9}$/u.test(text)) return Number(text) * 1000;
  // Date.parse takes much that is no date; every form of an HTTP date starts with the day's name and ends in GMT or a year.
  const date = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/u.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

const transient = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'EPROTO',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** A fault that time can mend. A wrong name or certificate is none. */
function isTransient(error: NodeJS.ErrnoException): boolean {
  if (error instanceof AggregateError) return error.errors.some((one) => isTransient(one as NodeJS.ErrnoException));
  return error.code !== undefined && transient.has(error.code);
}

/** The system's reason for a lost connection: an AggregateError of all addresses tried has no message of its own. */
export function reasonOf(error: Error): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map((one) => reasonOf(one as Error)))].join(', ');
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}
