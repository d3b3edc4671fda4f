import { describe } from '@slashtrain/core/action/errors';
import type { Endpoint, EndpointAnswer } from '../types.ts';
import type { SmokeRequest } from './test.ts';

const mostSilences = 3;

/** An answer, or why there is none. */
export type Asked = { answer: EndpointAnswer; seconds: number; problem: '' } | { answer?: undefined; seconds: number; problem: string };

/** Asks one endpoint, one request after the other, and measures it. One that does not answer three times in a row is not asked any further. */
export class Asker {
  readonly endpoint: Endpoint;
  /** Of each answer. */
  readonly seconds: number[] = [];
  readonly #now: () => number;
  readonly #signal: AbortSignal;
  #silences = 0;

  constructor(endpoint: Endpoint, now: () => number, signal: AbortSignal) {
    this.endpoint = endpoint;
    this.#now = now;
    this.#signal = signal;
  }

  async ask({ path, method, headers, body }: Pick<SmokeRequest, 'path' | 'method' | 'headers' | 'body'>, timeout: number): Promise<Asked> {
    this.#signal.throwIfAborted();
    if (this.#silences >= mostSilences)
      return { seconds: Number.NaN, problem: `not tried: it did not answer ${mostSilences} times in a row` };
    const start = this.#now();
    const elapsed = (): number => (this.#now() - start) / 1000;
    try {
      const answer = await this.endpoint.fetch(path, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        timeout,
        signal: this.#signal,
      });
      const seconds = elapsed();
      this.#silences = 0;
      this.seconds.push(seconds);
      return { answer, seconds, problem: '' };
    } catch (error) {
      this.#signal.throwIfAborted();
      this.#silences += 1;
      return { seconds: elapsed(), problem: describe(error) };
    }
  }
}
