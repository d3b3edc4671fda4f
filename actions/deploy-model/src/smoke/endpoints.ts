import http from 'node:http';
import https from 'node:https';
import { ActionError } from '@slashtrain/core/action/errors';
import { pods, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { Pod } from '@slashtrain/core/kubernetes/pod';
import { forwardTo } from '@slashtrain/core/kubernetes/port-forward';
import type { Endpoint, EndpointAnswer, EndpointRequest, EndpointsOf, Serving } from '../types.ts';

const largestAnswer = 10 * 1024 * 1024;
const defaultTimeout = 30;
// Servers close a connection that nobody used for 2 s (gunicorn), 5 s (uvicorn, node) or longer.
const idleMilliseconds = 1_500;

/** The pods that are ready, through the API server, or the URL. @param client absent where nothing is on Kubernetes */
export function endpointsOf(client: KubernetesClient | undefined, environment: NodeJS.ProcessEnv): EndpointsOf {
  return async (serving, signal) => {
    if (serving.how === 'url') return [urlEndpoint(serving, environment)];
    if (!client) throw new ActionError('internal', 'pods are to be asked, and there is no cluster');
    const { items } = await client.list<Pod>(pods, serving.namespace, { labelSelector: serving.selector });
    const ready = items.filter(isReady);
    if (ready.length === 0) {
      throw new ActionError(
        'not-found',
        `no pod of ${serving.selector} in namespace ${serving.namespace} is ready${items.length > 0 ? ` (of ${items.length})` : ''}`,
      );
    }
    return ready.map((pod) => podEndpoint(client, serving.namespace, pod, serving.port, signal));
  };
}

function isReady({ metadata, status }: Pod): boolean {
  return (
    metadata.deletionTimestamp === undefined && (status?.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True')
  );
}

function podEndpoint(client: KubernetesClient, namespace: string, pod: Pod, port: number | string, signal: AbortSignal): Endpoint {
  const name = pod.metadata.name ?? '';
  const number = typeof port === 'number' ? port : portOf(pod, port);
  const agent = forwardTo(client, { namespace, pod: name, port: number }, signal);
  // As with kubectl port-forward; the agent is what leads to the pod.
  return httpEndpoint(`pod ${name}`, new URL(`http://localhost:${number}`), agent, {});
}

function portOf(pod: Pod, name: string): number {
  const ports = (pod.spec?.containers ?? []).flatMap(
    (container) => (container as { ports?: { name?: string; containerPort: number }[] }).ports ?? [],
  );
  const found = ports.find((port) => port.name === name);
  if (found) return found.containerPort;
  const names = ports.map((port) => port.name ?? String(port.containerPort));
  throw new ActionError(
    'input',
    `the pod ${pod.metadata.name ?? ''} has no port ${JSON.stringify(name)}; it has ${names.join(', ') || 'none'}`,
  );
}

function urlEndpoint({ url, headers = {} }: Extract<Serving, { how: 'url' }>, environment: NodeJS.ProcessEnv): Endpoint {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/u.test(parsed.protocol)) {
    throw new ActionError('input', `the model's URL is ${JSON.stringify(url.slice(0, 200))}; allowed: http(s)://host[:port][/path]`);
  }
  const options = { keepAlive: true, proxyEnv: environment };
  const agent = parsed.protocol === 'http:' ? new http.Agent(options) : new https.Agent(options);
  return httpEndpoint(parsed.origin, parsed, agent, headers);
}

function httpEndpoint(name: string, base: URL, agent: http.Agent, headers: Readonly<Record<string, string>>): Endpoint {
  const lastUsed = new WeakMap<object, number>();
  const exchange = (path: string, request: EndpointRequest): Promise<EndpointAnswer> => {
    // As text: a path that begins with two slashes would name another host.
    const url = new URL(base.origin + base.pathname.replace(/\/$/u, '') + path);
    return send(url, agent, { ...request, headers: { ...headers, ...request.headers } }, lastUsed);
  };
  return {
    name,
    async fetch(path, request = {}) {
      try {
        return await exchange(path, request);
      } catch (error) {
        // What the server closed because nobody used it is no fault of the model's; what it closed on us is.
        if (error instanceof IdleConnection) return exchange(path, request);
        throw error;
      }
    },
    close: () => agent.destroy(),
  };
}

/** A kept connection that was not used for a while was closed as we used it: https://nodejs.org/api/http.html#requestreusedsocket. */
class IdleConnection extends Error {}

function send(url: URL, agent: http.Agent, request: EndpointRequest, lastUsed: WeakMap<object, number>): Promise<EndpointAnswer> {
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
      const isIdle = !isAnswered && client.reusedSocket && idle > idleMilliseconds;
      fail(ended ?? (isIdle ? new IdleConnection(error.message, { cause: error }) : error));
    };
    client.on('socket', (socket) => {
      idle = performance.now() - (lastUsed.get(socket) ?? performance.now());
    });
    client.on('error', failed);
    client.on('response', (response) => {
      isAnswered = true;
      // Once it is read whole, the answer has no socket any more.
      const { socket } = response;
      readAnswer(response).then((answer) => {
        lastUsed.set(socket, performance.now());
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
