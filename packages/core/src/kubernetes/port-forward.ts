import { Agent } from 'node:http';
import { Duplex, PassThrough, Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import { ActionError, messageOf } from '../action/errors.ts';
import type { KubernetesClient } from './client.ts';
import { refusal } from './refusal.ts';

/** A port of a pod. */
export interface PodPort {
  namespace: string;
  pod: string;
  port: number;
}

/**
 * Connections to a port of a pod through the API server, as an agent for node:http: as many as there are requests at once, kept
 * and used again; no port of this machine is opened. `signal` ends them. What goes wrong is the request's error: an ActionError that names the pod, `not-found` where it is
 * gone, `unreachable` with a cause of the code `ECONNREFUSED` where nothing listens. A request on a kept connection that the
 * pod has just closed fails as on any keep-alive connection, with `request.reusedSocket`
 * (https://nodejs.org/api/http.html#requestreusedsocket). Call `destroy()` when done.
 *
 * The framing is @kubernetes/client-node's PortForward; signing in, proxies and the server's words are ours.
 */
export function forwardTo(client: Pick<KubernetesClient, 'access'>, target: PodPort, signal: AbortSignal): Agent {
  const agent = new PodAgent((over) => openTunnel(client, target, over));
  const end = (): void => agent.destroy();
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  return agent;
}

class PodAgent extends Agent {
  readonly #open: (signal: AbortSignal) => Promise<Duplex>;
  readonly #stop = new AbortController();

  constructor(open: (signal: AbortSignal) => Promise<Duplex>) {
    super({ keepAlive: true, scheduling: 'lifo' });
    this.#open = open;
  }

  override createConnection(_: unknown, done: (error: Error | null, stream: Duplex) => void): undefined {
    this.#open(this.#stop.signal).then(
      (stream) => done(null, stream),
      // The type wants a stream beside the error; node:http asks for none.
      (error: unknown) => (done as (error: Error) => void)(error instanceof Error ? error : new Error(String(error))),
    );
    return undefined;
  }

  override destroy(): void {
    this.#stop.abort(new ActionError('cancelled', 'the connection to the pod was ended by us'));
    super.destroy();
  }
}

/** One connection to the port, as a stream. */
async function openTunnel(client: Pick<KubernetesClient, 'access'>, target: PodPort, signal: AbortSignal): Promise<Duplex> {
  signal.throwIfAborted();
  const { PortForward, KubeConfig } = await import('@kubernetes/client-node');
  const tunnel = new Tunnel(target);
  const handler = {
    connect: (path: string, _: unknown, take: ((channel: number, data: Buffer) => boolean) | null) =>
      connect(client, target, path, (channel, data) => void take?.(channel, data), signal),
  };
  const names = [target.namespace, target.pod].map(encodeURIComponent) as [string, string];
  const forward = new PortForward(new KubeConfig(), false, handler);
  const socket = await forward.portForward(...names, [target.port], tunnel.fromPod, tunnel.errors, tunnel.toPod);
  // A function is what it gives where it was told to try again by itself.
  if (typeof socket === 'function') throw new ActionError('internal', 'the port-forward has no connection');
  tunnel.attach(socket, signal);
  return tunnel;
}

/** Opens the web socket with our credentials, connection and proxy; an answer that is no upgrade is told in the server's words. */
async function connect(
  { access }: Pick<KubernetesClient, 'access'>,
  target: PodPort,
  path: string,
  take: (channel: number, data: Buffer) => void,
  signal: AbortSignal,
): Promise<WebSocket> {
  const { WebSocket } = await import('ws');
  for (let attempt = 1; ; attempt++) {
    const { agent, headers } = await access.signIn();
    signal.throwIfAborted();
    const url = access.server.replace(/\/+$/u, '').replace(/^http/u, 'ws') + path;
    const socket = new WebSocket(url, 'v4.channel.k8s.io', { agent, headers: { 'user-agent': 'slashtrain', ...headers } });
    const end = (): void => socket.terminate();
    signal.addEventListener('abort', end, { once: true });
    const refused = await new Promise<{ status: number; text: string } | undefined>((done, fail) => {
      socket.on('message', (data, isBinary) => {
        if (isBinary && Buffer.isBuffer(data) && data.length > 0) take(data[0] ?? 0, data.subarray(1));
      });
      socket.on('unexpected-response', (request, response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => void (chunks.length < 64 && chunks.push(chunk)));
        response.on('close', () => {
          request.destroy();
          done({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
        });
      });
      socket.on('open', () => done(undefined));
      socket.on('error', (error) => fail(signal.aborted ? (signal.reason as Error) : unreachable(access.server, target, error)));
    }).finally(() => signal.removeEventListener('abort', end));
    if (!refused) return socket;
    // A token that expired a moment ago: make a new one, once.
    if (refused.status === 401 && attempt === 1) {
      access.forget();
      continue;
    }
    const { server, context } = access;
    throw refusal(refused, {
      // Which verb a web socket takes depends on the server's version.
      verb: /cannot (\w+) resource/u.exec(refused.text)?.[1] ?? 'create',
      resource: { group: '', version: 'v1', plural: 'pods' },
      subresource: 'portforward',
      namespace: target.namespace,
      name: target.pod,
      server,
      context,
    });
  }
}

/** What node:http takes for a socket, over the streams of PortForward. */
class Tunnel extends Duplex {
  readonly toPod = new PassThrough();
  readonly fromPod: Writable;
  readonly errors: Writable;
  readonly #target: PodPort;
  #socket: Pick<WebSocket, 'terminate'> | undefined;
  #hasFailed = false;

  constructor(target: PodPort) {
    super();
    this.#target = target;
    this.fromPod = new Writable({
      write: (chunk: Buffer, _, done) => {
        // What is read from a model is bounded by whoever reads, so that nothing has to be held back here.
        if (chunk.length > 0 && !this.destroyed) this.push(chunk);
        done();
      },
    });
    this.errors = new Writable({
      write: (chunk: Buffer, _, done) => {
        if (chunk.length > 0) this.#fail(failed(this.#target, chunk.toString().trim().slice(0, 500)));
        done();
      },
    });
  }

  attach(socket: Pick<WebSocket, 'terminate' | 'on' | 'readyState' | 'CLOSED'>, signal: AbortSignal): void {
    this.#socket = socket;
    const over = (): unknown => this.#hasFailed || this.destroyed || this.push(null);
    if (socket.readyState === socket.CLOSED) over();
    else socket.on('close', over);
    socket.on('error', (error) => this.#fail(error));
    const end = (): void => void this.destroy(signal.reason as Error);
    signal.addEventListener('abort', end, { once: true });
    this.once('close', () => signal.removeEventListener('abort', end));
    if (signal.aborted) end();
  }

  // The pod's refusal can come before the request has its connection, and must still reach it.
  #fail(error: Error): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    setImmediate(() => this.destroy(error));
  }

  override _read(): void {
    // It comes when it comes.
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.toPod.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.toPod.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket?.terminate();
    done(error);
  }

  // What node:http asks of a connection that it keeps; a web socket has none of it.
  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

function nameOf({ namespace, pod, port }: PodPort): string {
  return `port ${port} of the pod ${pod} in namespace ${namespace}`;
}

/** What the kubelet says of a port: https://github.com/kubernetes/kubernetes/blob/v1.36.3/staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go. */
function failed(target: PodPort, words: string): ActionError {
  if (/connection refused/u.test(words)) {
    return new ActionError('unreachable', `nothing listens on ${nameOf(target)}`, {
      cause: Object.assign(new Error(words), { code: 'ECONNREFUSED' }),
    });
  }
  return new ActionError('unreachable', `the connection to ${nameOf(target)} failed`, { cause: new Error(words) });
}

function unreachable(server: string, target: PodPort, error: Error): ActionError {
  return new ActionError('unreachable', `the API server ${server} opens no connection to ${nameOf(target)}: ${messageOf(error)}`, {
    cause: error,
  });
}
