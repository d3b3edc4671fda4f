import http from 'node:http';
import https from 'node:https';
import type { Endpoint, EndpointAnswer, EndpointRequest } from '../types.ts';

/** How an endpoint speaks. */
export interface HttpOptions {
  agent: http.Agent;
  /** Of each request. */
  headers?: Readonly<Record<string, string>>;
  /**
   * What fails on a kept connection that nobody used for so many milliseconds (1500) is asked again: servers close theirs after 2 s
   * (gunicorn), 5 s (uvicorn, node) or longer, perhaps as we used it. What was cut off sooner is the model's fault.
   */
  idleMilliseconds?: number;
}

const largestAnswer = 10 * 1024 * 1024;
const defaultTimeout = 30;

/** An endpoint below `base`, whose host may be any name where the agent leads elsewhere. Redirects are not followed. */
export function httpEndpoint(name: string, base: URL, { agent, headers = {}, idleMilliseconds = 1_500 }: HttpOptions): Endpoint {
  const lastUsed = new WeakMap<object, number>();
  const exchange = (path: string, request: EndpointRequest): Promise<EndpointAnswer> => {
    // As text: a path that begins with two slashes would name another host.
    const url = new URL(base.origin + base.pathname.replace(/\/$/u, '') + path);
    return send(url, agent, { ...request, headers: { ...headers, ...request.headers } }, { lastUsed, idleMilliseconds });
  };
  return {
    name,
    async fetch(path, request = {}) {
      try {
        return await exchange(path, request);
      } catch (error) {
        if (error instanceof IdleConnection) return exchange(path, request);
        throw error;
      }
    },
    close: () => agent.destroy(),
  };
}

/** A kept connection that was not used for a while was closed as we used it: https://nodejs.org/api/http.html#requestreusedsocket. */
class IdleConnection extends Error {}

function send(
  url: URL,
  agent: http.Agent,
  request: EndpointRequest,
  use: { lastUsed: WeakMap<object, number>; idleMilliseconds: number },
): Promise<EndpointAnswer> {
  const { method = 'GET', headers = {}, body, timeout = defaultTimeout, signal } = request;
  return new Promise((done, fail) => {
    const client = (url.protocol === 'http:' ? http : https).request(url, {
      method,
      agent,
      headers: {
        'user-agent': 'slashtrain',
        ...headers,
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      },
    });
    let idle = 0;
    let isAnswered = false;
    let ended: Error | undefined;
    const end = (reason: Error): void => {
      ended ??= reason;
      client.destroy(reason);
    };
    const abort = (): void => end(signal?.reason as Error);
    const timer = setTimeout(() => end(new Error(`no whole answer within ${timeout} s`)), timeout * 1000);
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    client.on('close', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    });
    const failed = (error: Error): void => {
      const isIdle = !isAnswered && client.reusedSocket && idle >= use.idleMilliseconds;
      fail(ended ?? (isIdle ? new IdleConnection(error.message, { cause: error }) : error));
    };
    client.on('socket', (socket) => {
      idle = performance.now() - (use.lastUsed.get(socket) ?? performance.now());
    });
    client.on('error', failed);
    client.on('response', (response) => {
      isAnswered = true;
      // Once it is read whole, the answer has no socket any more.
      const { socket } = response;
      readAnswer(response).then((answer) => {
        use.lastUsed.set(socket, performance.now());
        done(answer);
      }, failed);
    });
    client.end(body);
  });
}

async function readAnswer(response: http.IncomingMessage): Promise<EndpointAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop ends the connection.
    if (size > largestAnswer) throw new Error(`the answer is larger than ${largestAnswer / 1024 / 1024} MiB`);
    chunks.push(chunk);
  }
  const headers = Object.entries(response.headers).map(([key, value]) => [key, Array.isArray(value) ? value.join(', ') : (value ?? '')]);
  return { status: response.statusCode ?? 0, headers: Object.fromEntries(headers) as Record<string, string>, body: Buffer.concat(chunks) };
}
