import * as http from 'node:http';
import * as https from 'node:https';
import { ActionError } from '../action/errors.ts';
import type { Log } from '../action/log.ts';
import { reasonOf, retryWait, type Outcome, type Repeatable } from './retry.ts';
import { backoff, type Timing } from './timing.ts';

/** How to reach an API server and be let in. */
export interface Access {
  readonly context: string;
  readonly server: string;
  readonly namespace: string;
  /** What a request needs now: connection, headers. Asked for each request, since credentials expire. */
  signIn(): Promise<SignedIn>;
  /** Drops what is remembered of the credentials, so that the next sign-in makes new ones. */
  forget(): void;
}

export interface SignedIn {
  agent: http.Agent;
  headers: Record<string, string>;
}

export interface ApiRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the server's address, with its query. */
  path: string;
  body?: unknown;
  contentType?: string;
  repeatable: Repeatable;
}

export interface ApiAnswer {
  status: number;
  /** The whole body; of a stream that was opened, empty. */
  text: string;
}

/** Settings of {@link Http}. */
export interface HttpOptions {
  timing: Timing;
  log: Pick<Log, 'debug'>;
  /** How long a request may be tried again, in milliseconds, at a server that has answered before. */
  budget: number;
  /** The same for one that has never answered: its address may be wrong. */
  firstBudget: number;
  /** How long a server may be silent in the middle of an answer that is no stream, in milliseconds. */
  silence: number;
  /** Once it aborts, nothing is tried for longer than 2 s: the runner is about to kill us. */
  hurry?: AbortSignal;
}

const hurriedBudget = 2_000;
// A list of 500 objects is a few MB; what is larger is no API server's answer.
const largestAnswer = 256 * 1024 * 1024;

/**
 * Requests to one API server over node:http, tried again where that is safe. Over node:http and not fetch, since
 * undici ends a response after 300 s of silence, and a quiet training is no fault.
 */
export class Http {
  readonly access: Access;
  readonly #options: HttpOptions;
  #hasAnswered = false;

  constructor(access: Access, options: HttpOptions) {
    this.access = access;
    this.#options = options;
  }

  /** Sends a request and reads the whole answer, whatever its status. @throws ActionError `unreachable` */
  send(request: ApiRequest): Promise<ApiAnswer> {
    return this.#exchange(request, undefined, async (response) => ({
      status: response.statusCode ?? 0,
      text: await this.#read(response),
    }));
  }

  /**
   * Opens a stream. Once the status is 200 nothing is tried again: the caller knows where to go on.
   * @returns the response, to be read or destroyed; the whole answer where the status is another
   * @throws ActionError `unreachable`; `signal`'s reason when it aborts
   */
  open(request: ApiRequest, signal: AbortSignal): Promise<http.IncomingMessage | ApiAnswer> {
    return this.#exchange(request, signal, async (response) => {
      if (response.statusCode === 200) return response;
      return { status: response.statusCode ?? 0, text: await this.#read(response) };
    });
  }

  async #exchange<T>(
    request: ApiRequest,
    signal: AbortSignal | undefined,
    take: (response: http.IncomingMessage) => Promise<T>,
  ): Promise<T> {
    const { timing, log } = this.#options;
    const start = timing.now();
    let hasRenewed = false;
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      let outcome: Outcome;
      let taken: { value: T } | undefined;
      try {
        const response = await this.#once(request, signal);
        taken = { value: await take(response) };
        this.#hasAnswered = true;
        outcome = { status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] };
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof ActionError) throw error;
        outcome = { lost: error as NodeJS.ErrnoException };
      }
      // A token that expired a moment ago: make a new one, once.
      if ('status' in outcome && outcome.status === 401 && !hasRenewed) {
        hasRenewed = true;
        this.access.forget();
        continue;
      }
      const asked = retryWait(outcome, request.repeatable, timing.now());
      const wait = asked === undefined ? undefined : Math.max(asked, backoff(attempt, timing.random));
      if (wait === undefined || timing.now() - start + wait > this.#budget()) {
        if (taken) return taken.value;
        throw this.#unreachable((outcome as { lost: Error }).lost);
      }
      log.debug(
        `${request.method} ${request.path}: ${'lost' in outcome ? reasonOf(outcome.lost) : outcome.status}; again in ${Math.round(wait)} ms`,
      );
      const { hurry } = this.#options;
      const wake = [signal, hurry?.aborted ? undefined : hurry].filter((one) => one !== undefined);
      await timing.pause(wait, wake.length > 0 ? AbortSignal.any(wake) : undefined);
    }
  }

  #budget(): number {
    const { budget, firstBudget, hurry } = this.#options;
    return hurry?.aborted ? hurriedBudget : this.#hasAnswered ? budget : firstBudget;
  }

  async #once(request: ApiRequest, signal: AbortSignal | undefined): Promise<http.IncomingMessage> {
    const { agent, headers } = await this.access.signIn();
    const url = new URL(this.access.server.replace(/\/+$/u, '') + request.path);
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    return new Promise((done, fail) => {
      const { request: send } = url.protocol === 'https:' ? https : http;
      const sent = send(url, {
        method: request.method,
        agent,
        ...(signal ? { signal } : {}),
        headers: {
          accept: 'application/json',
          'user-agent': 'slashtrain',
          ...headers,
          ...(body ? { 'content-type': request.contentType ?? 'application/json', 'content-length': body.length } : {}),
        },
      });
      sent.on('response', done);
      sent.on('error', fail);
      // A stream may be silent before its first byte: a log that nobody writes to.
      if (!signal) this.#limitSilence(sent);
      sent.end(body);
    });
  }

  #limitSilence(sent: http.ClientRequest): void {
    const { hurry, silence } = this.#options;
    sent.setTimeout(hurry?.aborted ? hurriedBudget : silence);
    sent.on('timeout', () => sent.destroy(Object.assign(new Error('the server was silent for too long'), { code: 'ETIMEDOUT' })));
    if (!hurry || hurry.aborted) return;
    const rush = (): unknown => sent.setTimeout(hurriedBudget);
    hurry.addEventListener('abort', rush, { once: true });
    sent.once('close', () => hurry.removeEventListener('abort', rush));
  }

  async #read(response: http.IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > largestAnswer) {
        throw new ActionError('unreachable', `the Kubernetes API server ${this.access.server} sent an answer of more than 256 MiB`);
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  #unreachable(error: Error): ActionError {
    const { server, context } = this.access;
    return new ActionError(
      'unreachable',
      `the Kubernetes API server ${server} (context ${context}) cannot be reached: ${reasonOf(error)}`,
      {
        remedy: "check the server's address in the kubeconfig, and that this runner is in a network that reaches it",
        cause: error,
      },
    );
  }
}
