import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

/** One request. A body that is iterable is sent as it comes, so that none of any size is held in memory. */
export interface HttpRequest {
  method: string;
  url: URL;
  /** An iterable body without `content-length` is sent in chunks. */
  headers: Record<string, string>;
  body?: Buffer | AsyncIterable<Buffer>;
  signal?: AbortSignal | undefined;
  /** Seconds without a byte in either direction after which the connection counts as dead. */
  idleSeconds?: number;
}

/** An answer whose body is still to be read: read it, or call `body.resume()`. */
export interface HttpAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: http.IncomingMessage;
  url: URL;
}

/** Sends one request and gives back one answer. Throws what the connection throws. */
export type Exchange = (request: HttpRequest) => Promise<HttpAnswer>;

/**
 * Requests over node's own client, since it streams both ways without buffering and without a time limit on
 * whole bodies. Connections are kept; proxies are taken from `environment` (`HTTPS_PROXY`, `NO_PROXY`).
 */
export function nodeExchange(environment: NodeJS.ProcessEnv = {}): Exchange {
  const options = { keepAlive: true, proxyEnv: environment };
  const agents = { 'http:': new http.Agent(options), 'https:': new https.Agent(options) };
  return (request) => sendOver(request, request.url.protocol === 'http:' ? agents['http:'] : agents['https:']);
}

/** Sends one request over the connections of an agent, which may lead elsewhere than its URL says. */
export function sendOver(request: HttpRequest, agent: http.Agent): Promise<HttpAnswer> {
  const { method, url, headers, body, signal, idleSeconds = 60 } = request;
  return new Promise((resolve, reject) => {
    const driver = url.protocol === 'http:' ? http : https;
    const client = driver.request(url, { method, headers, agent, ...(signal ? { signal } : {}) });
    client.setTimeout(idleSeconds * 1000, () => client.destroy(timedOut(`no byte came or went for ${idleSeconds} s`)));
    client.on('response', (response) => {
      // An answer before the body was sent whole (a refusal): the rest is not sent, and the connection is of no more use.
      if (!client.writableEnded) response.once('close', () => client.destroy());
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response, url });
    });
    client.on('error', (error) => reject(signal?.aborted ? asError(signal.reason) : error));
    if (body === undefined || Buffer.isBuffer(body)) client.end(body);
    else
      pump(body, client).catch((error: unknown) => {
        reject(asError(error));
        client.destroy();
      });
  });
}

async function pump(body: AsyncIterable<Buffer>, client: http.ClientRequest): Promise<void> {
  // The answer, or the end of the connection, may come before the body is through.
  const over = new AbortController();
  const isOver = (): boolean => over.signal.aborted;
  client.once('response', () => over.abort());
  client.once('close', () => over.abort());
  for await (const chunk of body) {
    if (isOver()) return;
    if (!client.write(chunk)) await once(client, 'drain', { signal: over.signal }).catch(() => undefined);
    if (isOver()) return;
  }
  client.end();
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

function timedOut(message: string): Error {
  return Object.assign(new Error(message), { code: 'ETIMEDOUT' });
}

/** Reads a body whole. @throws Error where it is longer than `limit` bytes */
export async function readBody(answer: HttpAnswer, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new Error(`${answer.url.host} sent more than ${limit} bytes where less was expected`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Follows redirects of a GET or HEAD, as registries send them to their storage. What identifies us goes to the
 * origin it was meant for and to no other, and https never becomes http.
 */
export function following(exchange: Exchange): Exchange {
  return async (request) => {
    let current = request;
    for (let hop = 0; ; hop++) {
      const answer = await exchange(current);
      const location = answer.headers.location;
      if (![301, 302, 303, 307, 308].includes(answer.status) || !location) return answer;
      answer.body.resume();
      const url = new URL(location, current.url);
      if (hop === 5) throw new Error(`${request.url.host} redirects without end`);
      if (current.url.protocol === 'https:' && url.protocol !== 'https:')
        throw new Error(`${current.url.host} redirects from https to ${url.protocol}//${url.host}`);
      const headers = { ...current.headers };
      if (url.origin !== current.url.origin) delete headers['authorization'];
      current = { ...current, url, headers };
    }
  };
}

/** What {@link persistent} may be told. */
export interface Patience {
  signal?: AbortSignal | undefined;
  /** Waits so many milliseconds; a test passes its own. */
  wait?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** Told of each new try. */
  onRetry?: (why: string, seconds: number) => void;
}

const tries = 5;
const passing = new Set(['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH']);

/** Whether a failed connection may be better the next time: a reset may, a name that does not exist will not. */
export function mayPass(error: unknown): boolean {
  return passing.has(String((error as NodeJS.ErrnoException | undefined)?.code));
}

/** Whether an answer asks to come again later. */
export function isBusy(status: number): boolean {
  return status === 429 || status === 408 || (status >= 500 && status !== 501 && status !== 505);
}

/**
 * Tries a request up to five times while it is cut, answered 429 or 5xx: after `Retry-After` where that is
 * at most five minutes, else after 0.5, 1, 2 and 4 seconds, each up to half more.
 * A body that can be read once must not be sent through this.
 * @returns the last answer, a busy one included
 */
export function persistent(exchange: Exchange, patience: Patience = {}): Exchange {
  return async (request) => {
    for (let attempt = 1; ; attempt++) {
      let why: string;
      let seconds = backoff(attempt);
      try {
        const answer = await exchange(request);
        if (!isBusy(answer.status) || attempt === tries) return answer;
        why = `${request.url.host} answered ${answer.status}`;
        const asked = retryAfter(answer.headers['retry-after']);
        if (asked !== undefined && asked > 300) return answer;
        answer.body.resume();
        seconds = asked ?? seconds;
      } catch (error) {
        if (attempt === tries || patience.signal?.aborted || !mayPass(error)) throw error;
        why = `${request.url.host}: ${(error as Error).message}`;
      }
      patience.onRetry?.(why, seconds);
      await pause(seconds, patience);
    }
  };
}

/** Seconds before the try after `attempt`. */
export function backoff(attempt: number): number {
  return 0.5 * 2 ** (attempt - 1) * (1 + Math.random() / 2);
}

/** Waits, and ends at once when the signal aborts. */
export async function pause(seconds: number, { signal, wait }: Patience): Promise<void> {
  if (wait) return wait(seconds * 1000, signal);
  try {
    await sleep(seconds * 1000, undefined, signal ? { signal } : {});
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
}

/** Seconds from a `Retry-After` header: a number or a date (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after). */
export function retryAfter(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  if (/^[0-9]{1,9}$/u.test(header.trim())) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}
