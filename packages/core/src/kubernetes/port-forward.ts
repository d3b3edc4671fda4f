import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
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
 * and used again; no port of this machine is opened. `signal` ends them. What goes wrong is the request's error: an ActionError
 * that names the pod, `not-found` where it is gone, `unreachable` with a cause of the code `ECONNREFUSED` where nothing listens.
 * A request on a kept connection that the pod has just closed fails as on any keep-alive connection, with
 * `request.reusedSocket` (https://nodejs.org/api/http.html#requestreusedsocket). Call `destroy()` when done.
 *
 * The web socket is `ws`'s, as in @kubernetes/client-node, whose own PortForward brings all generated models with it and cannot
 * tell the server's words.
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

/**
 * One connection to the port: a web socket with our credentials, connection and proxy. An answer that is no upgrade is told in
 * the server's words.
 */
async function openTunnel({ access }: Pick<KubernetesClient, 'access'>, target: PodPort, signal: AbortSignal): Promise<Duplex> {
  const { WebSocket } = await import('ws');
  const { server, context } = access;
  const [namespace, pod] = [target.namespace, target.pod].map(encodeURIComponent);
  const url = `${server.replace(/\/+$/u, '').replace(/^http/u, 'ws')}/api/v1/namespaces/${namespace}/pods/${pod}/portforward?ports=${target.port}`;
  for (let attempt = 1; ; attempt++) {
    const { agent, headers } = await access.signIn();
    signal.throwIfAborted();
    const socket = new WebSocket(url, 'v4.channel.k8s.io', {
      agent,
      headers: { 'user-agent': 'slashtrain', ...headers },
      handshakeTimeout: 30_000,
    });
    // Before it is open: the first bytes can come with the answer.
    const tunnel = new Tunnel(socket, target, signal);
    const refused = await new Promise<{ status: number; text: string } | undefined>((done, fail) => {
      socket.on('unexpected-response', (request, response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => void (chunks.length < 64 && chunks.push(chunk)));
        response.on('close', () => {
          request.destroy();
          done({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
        });
      });
      socket.on('open', () => done(undefined));
      socket.on('error', (error) => fail(signal.aborted ? (signal.reason as Error) : unreachable(server, target, error)));
    });
    if (!refused) return tunnel;
    tunnel.destroy();
    // A token that expired a moment ago: make a new one, once.
    if (refused.status === 401 && attempt === 1) {
      access.forget();
      continue;
    }
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

const dataChannel = 0;
const errorChannel = 1;
const portBytes = 2;

/**
 * What node:http takes for a socket, over a web socket whose messages begin with a channel: data, and the kubelet's words. The
 * first message of each channel is the port's number
 * (https://github.com/kubernetes/kubernetes/blob/v1.36.3/staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go).
 */
class Tunnel extends Duplex {
  readonly #socket: WebSocket;
  readonly #target: PodPort;
  #hasFailed = false;
  /** What the web socket runs over, once it does. */
  #carrier: Socket | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, target: PodPort, signal: AbortSignal) {
    super();
    this.#socket = socket;
    this.#target = target;
    const begun = new Set<number>();
    socket.on('upgrade', ({ socket: carrier }) => (this.#carrier = carrier));
    socket.on('message', (message) => {
      this.#idle?.refresh();
      const data = message as Buffer;
      const channel = data[0] ?? dataChannel;
      const bytes = data.subarray(begun.has(channel) ? 1 : 1 + portBytes);
      begun.add(channel);
      if (bytes.length > 0) this.#take(channel, bytes);
    });
    socket.on('close', () => {
      if (this.#hasFailed || this.destroyed) return;
      this.push(null);
      // Nobody reads a connection that is only kept, and what comes after must not be written into the void.
      this.once('end', () => void this.destroy());
      this.resume();
    });
    socket.on('error', (error) => this.#fail(error));
    const end = (): void => void this.destroy(signal.reason as Error);
    signal.addEventListener('abort', end, { once: true });
    this.once('close', () => signal.removeEventListener('abort', end));
    // Whoever has the connection hears of it; before anybody has it, the web socket's own error tells.
    this.on('error', () => undefined);
  }

  #take(channel: number, bytes: Buffer): void {
    // What is read from a model is bounded by whoever reads, so that nothing has to be held back here.
    if (channel === dataChannel && !this.destroyed) this.push(bytes);
    if (channel === errorChannel) this.#fail(failed(this.#target, bytes.toString().trim().slice(0, 500)));
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

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#send([chunk], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  #send(chunks: Buffer[], done: () => void): void {
    this.#idle?.refresh();
    // What cannot be sent any more has its reason on the error channel, or in the end of the web socket, which follows.
    this.#socket.send(Buffer.concat([Buffer.of(dataChannel), ...chunks]), () => done());
  }

  override _final(done: () => void): void {
    this.#socket.close();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#idle);
    this.#socket.terminate();
    done(error);
  }

  // What node:http asks of a connection that it keeps. The first two a web socket does not have.
  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  /** As https://nodejs.org/api/net.html#socketsettimeouttimeout-callback: says when nothing came or went for so long. */
  setTimeout(milliseconds: number, listener?: () => void): this {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    if (milliseconds <= 0) return this;
    this.#idle = setTimeout(() => this.emit('timeout'), milliseconds).unref();
    if (listener) this.once('timeout', listener);
    return this;
  }
  ref(): this {
    this.#carrier?.ref();
    return this;
  }
  /** A kept connection that nobody uses keeps no step from its end. */
  unref(): this {
    this.#carrier?.unref();
    return this;
  }
}

function nameOf({ namespace, pod, port }: PodPort): string {
  return `port ${port} of the pod ${pod} in namespace ${namespace}`;
}

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
