import http, { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import https, { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { makeCertificate, type Certificate } from '../cluster/certificate.ts';
import { bodyOf, statusOf, type FaultName, type Strike } from './fault.ts';
import { between } from './random.ts';
import { dribbling, striking } from './stream.ts';

/** A request on its way, before anything was done with it. */
export interface Passing {
  /** From 1, in order of arrival. */
  number: number;
  method: string;
  /** With the query. */
  path: string;
  /** Changes something at the server. */
  isWrite: boolean;
  /** A watch or a log that is followed: its answer ends when the server likes. */
  isStream: boolean;
}

/** One line of what happened. */
export interface Traced extends Passing {
  /** Of the answer that the client got; 0 where it got none. */
  status: number;
  /** What was done to it. */
  strike?: Strike;
}

export interface FaultProxyOptions {
  /** `http://127.0.0.1:1234` */
  target: string;
  /** Speaks TLS to the client, with a certificate of its own: {@link FaultProxy.ca}. */
  tls?: boolean;
  random: () => number;
  /** Asked for each request. What it waits for, the request waits for. */
  decide(passing: Passing): Strike | undefined | Promise<Strike | undefined>;
  /** Told when a server has done a request, before its answer goes on. */
  onDone?(passing: Passing): void | Promise<void>;
}

/** A server between a client and the one behind it, which does badly what it is told to. */
export interface FaultProxy {
  /** `http(s)://127.0.0.1:PORT` */
  readonly url: string;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** The certificate to trust, PEM. */
  readonly ca: string | undefined;
  readonly trace: readonly Traced[];
  /** Bearer tokens that came over a connection whose certificate nobody should trust. */
  readonly betrayed: readonly string[];
  /** The right certificate is back, whatever was struck. */
  heal(): void;
  close(): Promise<void>;
}

/** Connections of a certificate that changed, until the right one is back. */
const strangeHandshakes = 2;

/** Starts a proxy for HTTP/1.1, chunked streams and WebSockets on a free port of 127.0.0.1. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new Proxy(options);
  await proxy.listen();
  return proxy;
}

class Proxy implements FaultProxy {
  readonly trace: Traced[] = [];
  readonly betrayed: string[] = [];
  readonly #options: FaultProxyOptions;
  readonly #target: URL;
  readonly #server: Server | TlsServer;
  readonly #sockets = new Set<Socket>();
  readonly #own: Certificate | undefined;
  readonly #agent: http.Agent;
  /** How many connections until the right certificate is back; 0 where it is. */
  #strange = 0;
  /** The clients that were shown the strange one, by their ports. */
  readonly #strangers = new Set<number>();
  /** A status for the next stream, after one was cut for it. */
  #nextStream: FaultName | undefined;

  constructor(options: FaultProxyOptions) {
    this.#options = options;
    this.#target = new URL(options.target);
    this.#agent = this.#target.protocol === 'https:' ? new https.Agent({ rejectUnauthorized: false }) : new http.Agent();
    this.#own = options.tls ? makeCertificate() : undefined;
    const listener: RequestListener = (request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    };
    this.#server = this.#own ? createTlsServer(this.#own, listener) : createServer(listener);
    this.#server.requestTimeout = 0;
    // Before the TLS server's own, which takes the certificate of the moment.
    this.#server.prependListener('connection', (socket: Socket) => {
      this.#present(socket);
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    });
    this.#server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => void this.#upgrade(request, socket, head));
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  get url(): string {
    return `${this.#own ? 'https' : 'http'}://${this.host}`;
  }
  get ca(): string | undefined {
    return this.#own?.cert;
  }

  async listen(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
  }

  heal(): void {
    this.#strange = 0;
    this.#nextStream = undefined;
    if (this.#own) (this.#server as TlsServer).setSecureContext(this.#own);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((done) => this.#server.close(() => done()));
    for (const socket of this.#sockets) socket.destroy();
    this.#agent.destroy();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const traced = this.#record(request);
    if (this.#strangers.has(request.socket.remotePort ?? 0)) this.betrayed.push(request.headers.authorization ?? '');
    let strike = await this.#options.decide(traced);
    if (traced.isStream && this.#nextStream !== undefined) {
      strike = { fault: this.#nextStream, place: 'before' };
      this.#nextStream = undefined;
    }
    if (strike) traced.strike = strike;
    const body = strike?.place === 'before' && strike.fault === 'reset' ? undefined : await read(request);
    if (strike?.place === 'before' && !this.#passesOn(strike.fault)) return this.#refuse(strike.fault, request, response, traced);
    if (body === undefined) return reset(request);
    const answer = await this.#forward(request, body, response);
    if (!answer) return reset(request);
    await this.#options.onDone?.(traced);
    if (strike?.place === 'after') return this.#spoil(strike.fault, await read(answer), answer, { request, response, traced });
    await this.#pass(answer, { request, response, traced });
  }

  /** A slow answer is a whole one. */
  #passesOn(fault: FaultName): boolean {
    return fault === 'slow' || fault === 'duplicate' || fault === 'reorder';
  }

  #record(request: IncomingMessage): Traced {
    const { method = 'GET', url: path = '/' } = request;
    const query = new URL(path, 'http://x').searchParams;
    const isStream = query.get('watch') === 'true' || query.get('follow') === 'true';
    const isRead = method === 'GET' || method === 'HEAD' || query.get('dryRun') === 'All' || /graphql$|\/search$/u.test(path);
    const traced: Traced = { number: this.trace.length + 1, method, path, isWrite: !isRead, isStream, status: 0 };
    this.trace.push(traced);
    return traced;
  }

  /** Instead of the server. */
  #refuse(fault: FaultName, request: IncomingMessage, response: ServerResponse, traced: Traced): void {
    if (fault === 'certificate') return this.#changeCertificate();
    if (fault === 'reset') return reset(request);
    if (fault === 'stall') return;
    const status = statusOf(fault);
    if (status) {
      traced.status = status.status;
      const text = bodyOf(status);
      response.writeHead(status.status, { ...status.headers, 'content-length': Buffer.byteLength(text) }).end(text);
      return;
    }
    this.#maim(
      fault,
      Buffer.from(`{"kind":"Status","apiVersion":"v1","items":[],"metadata":{"name":"half of an answer"}}`),
      200,
      {},
      { request, response, traced },
    );
  }

  /** The server has done it, and its answer does not come as it was. */
  #spoil(fault: FaultName, body: Buffer, answer: IncomingMessage, exchange: Exchange): void {
    if (fault === 'certificate') return this.#changeCertificate();
    if (fault === 'reset') return reset(exchange.request);
    if (fault === 'stall') return;
    const status = statusOf(fault);
    if (status) {
      exchange.traced.status = status.status;
      const text = bodyOf(status);
      exchange.response.writeHead(status.status, { ...status.headers, 'content-length': Buffer.byteLength(text) }).end(text);
      return;
    }
    if (fault === 'slow') {
      exchange.traced.status = answer.statusCode ?? 0;
      const slow = dribbling(8, 10);
      exchange.response.writeHead(answer.statusCode ?? 502, this.#headersOf(answer));
      slow.pipe(exchange.response);
      slow.end(body);
      return;
    }
    this.#maim(fault, body, answer.statusCode ?? 502, this.#headersOf(answer), exchange);
  }

  /** An answer that breaks off, has a wrong length, or a compressed body that breaks off. */
  #maim(fault: FaultName, body: Buffer, status: number, headers: http.OutgoingHttpHeaders, { request, response, traced }: Exchange): void {
    traced.status = status;
    const plain = Object.fromEntries(
      Object.entries(headers).filter(([name]) => !/^(content-length|transfer-encoding|content-encoding)$/u.test(name)),
    );
    const half = Math.floor(body.length / 2);
    if (fault === 'gzip') {
      const packed = gzipSync(body);
      const cut = packed.subarray(0, Math.max(12, Math.floor(packed.length / 2)));
      response.writeHead(status, { ...plain, 'content-encoding': 'gzip', 'content-length': cut.length }).end(cut);
      return;
    }
    if (fault === 'length' && this.#options.random() < 0.5 && half > 0) {
      // Too short: the rest of the body stands where the next answer should.
      const socket = request.socket;
      const head = [`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'x'}`, 'content-type: application/json', `content-length: ${half}`];
      socket.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]), () => socket.destroySoon());
      return;
    }
    const isHalf = fault === 'half';
    response.writeHead(status, { ...plain, 'content-length': body.length + (isHalf ? 0 : 17) });
    response.write(isHalf ? body.subarray(0, half) : body, () =>
      setImmediate(() => (isHalf ? reset(request) : request.socket.destroySoon())),
    );
    if (isHalf && half === 0) reset(request);
  }

  async #pass(answer: IncomingMessage, { request, response, traced }: Exchange): Promise<void> {
    const { strike } = traced;
    traced.status = answer.statusCode ?? 0;
    response.writeHead(answer.statusCode ?? 502, this.#headersOf(answer));
    response.flushHeaders();
    response.on('close', () => answer.destroy());
    answer.on('error', () => response.destroy());
    if (!strike) return void answer.pipe(response);
    if (strike.fault === 'slow') return void answer.pipe(dribbling(8, 5)).pipe(response);
    if (!traced.isStream || answer.statusCode !== 200) return void answer.pipe(response);
    const hands = {
      reset: () => {
        if (strike.fault === 'certificate') return this.#changeCertificate();
        if (statusOf(strike.fault) && strike.fault !== 'gone') this.#nextStream = strike.fault;
        reset(request);
      },
      garble: () => request.socket.write('zz\r\n', () => reset(request)),
    };
    answer.pipe(striking(strike.fault, between(this.#options.random, 1, 4), /[?&]watch=true/u.test(traced.path), hands)).pipe(response);
  }

  /** Addresses of the server become ours. */
  #headersOf({ headers }: IncomingMessage): http.OutgoingHttpHeaders {
    const { location, link } = headers;
    const here = (text: string): string => text.replaceAll(this.#target.origin, this.url);
    const out: http.OutgoingHttpHeaders = { ...headers };
    delete out['connection'];
    delete out['keep-alive'];
    if (location !== undefined) out['location'] = here(location);
    if (typeof link === 'string') out['link'] = here(link);
    return out;
  }

  #forward(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<IncomingMessage | undefined> {
    const { request: send } = this.#target.protocol === 'https:' ? https : http;
    const { 'transfer-encoding': _, connection: _1, ...headers } = request.headers;
    return new Promise((done) => {
      const onward = send(new URL(request.url ?? '/', this.#target), {
        method: request.method ?? 'GET',
        agent: this.#agent,
        headers: { ...headers, ...(body.length > 0 || headers['content-length'] !== undefined ? { 'content-length': body.length } : {}) },
      });
      onward.on('response', done);
      onward.on('error', () => done(undefined));
      response.once('close', () => response.writableFinished || onward.destroy());
      onward.end(body);
    });
  }

  /** A WebSocket is passed on as bytes, and cut in the middle of a frame. */
  async #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const traced = this.#record(request);
    traced.isStream = true;
    const strike = await this.#options.decide(traced);
    if (strike) traced.strike = strike;
    const status = strike && statusOf(strike.fault);
    if (strike && strike.place === 'before') {
      if (strike.fault === 'stall') return;
      if (status) return void socket.end(`HTTP/1.1 ${status.status} x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      if (!this.#passesOn(strike.fault)) return void socket.resetAndDestroy();
    }
    const onward = connect(Number(this.#target.port), this.#target.hostname, () => {
      const lines = [`${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/1.1`];
      for (let at = 0; at < request.rawHeaders.length; at += 2)
        lines.push(`${request.rawHeaders[at] ?? ''}: ${request.rawHeaders[at + 1] ?? ''}`);
      onward.write(`${lines.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      socket.pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
    traced.status = 101;
    if (strike?.place !== 'stream') return void onward.pipe(socket);
    let left = between(this.#options.random, 150, 600);
    onward.on('data', (data: Buffer) => {
      if (left <= 0) return;
      socket.write(data.subarray(0, left));
      left -= data.length;
      if (left <= 0 && strike.fault !== 'stall') setImmediate(() => socket.resetAndDestroy());
    });
  }

  #changeCertificate(): void {
    if (this.#own === undefined) {
      for (const socket of this.#sockets) socket.resetAndDestroy();
      return;
    }
    this.#strange = strangeHandshakes + 1;
    (this.#server as TlsServer).setSecureContext(makeCertificate());
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** The certificate that this client is shown. */
  #present({ remotePort = 0 }: Socket): void {
    if (!this.#own) return;
    if (this.#strange === 0) this.#strangers.delete(remotePort);
    else if (this.#strange-- > 1) this.#strangers.add(remotePort);
    else (this.#server as TlsServer).setSecureContext(this.#own);
  }
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  traced: Traced;
}

function reset({ socket }: IncomingMessage): void {
  // A TLS socket has no RST of its own.
  if ('resetAndDestroy' in socket && !('encrypted' in socket)) socket.resetAndDestroy();
  else socket.destroy();
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
