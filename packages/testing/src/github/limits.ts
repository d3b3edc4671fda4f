import { Refusal } from './http/refusal.ts';

/** Which requests something applies to; all where not given. */
export interface Match {
  method?: string;
  /** Of the path without `/api/v3` and query. */
  path?: RegExp;
}

/** What the next matching requests get instead of, or besides, their answer. */
export type Disturbance = Match & { times?: number } & (
    | { kind: 'secondary'; status?: 403 | 429; retryAfter?: number }
    | { kind: 'primary'; resetIn?: number }
    /** An answer of the servers before GitHub's: nothing was done. */
    | { kind: 'status'; status: 500 | 502 | 503 | 504 }
    /** The connection is cut before anything is done, or after it was done and before the answer. */
    | { kind: 'cut'; done: boolean }
  );

/** Disturbances that wait for their requests, first come first served. */
export class Disturbances {
  readonly #waiting: { disturbance: Disturbance; left: number }[] = [];

  add(disturbance: Disturbance): void {
    this.#waiting.push({ disturbance, left: disturbance.times ?? 1 });
  }

  take(method: string, path: string): Disturbance | undefined {
    const next = this.#waiting.find(
      ({ disturbance, left }) =>
        left > 0 && (disturbance.method ?? method) === method && (disturbance.path === undefined || disturbance.path.test(path)),
    );
    if (!next) return undefined;
    next.left--;
    return next.disturbance;
  }
}

/** https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit */
export function refusalOf(disturbance: Disturbance, now: number): Refusal | undefined {
  if (disturbance.kind === 'secondary') {
    const message =
      'You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.';
    return new Refusal(disturbance.status ?? 403, message, { headers: { 'retry-after': String(disturbance.retryAfter ?? 60) } });
  }
  if (disturbance.kind === 'primary') return rateLimitExceeded(Math.floor(now / 1000) + (disturbance.resetIn ?? 3600));
  if (disturbance.kind === 'status') return new Refusal(disturbance.status, 'Server Error');
  return undefined;
}

export function rateLimitExceeded(reset: number): Refusal {
  return new Refusal(403, 'API rate limit exceeded for installation ID 1.', {
    headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset) },
  });
}
