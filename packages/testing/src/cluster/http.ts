import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { parse as parseYaml } from 'yaml';
import type { Certificate } from './certificate.ts';
import { ApiError, badRequest } from './errors.ts';
import { forwardProtocol } from './port-forward.ts';
import { pageNotFound, type Answer } from './request.ts';
import type { User, Users } from './users.ts';

/** One request that the API server got. */
export interface RecordedRequest {
  method: string;
  /** With the query. */
  path: string;
  userAgent: string;
  contentType: string;
  /** As JSON, where there was one. */
  body?: unknown;
}

/** A request after its token was checked and its body was read. */
export interface HttpRequest {
  method: string;
  url: URL;
  userAgent: string;
  contentType: string;
  body: unknown;
  user: User;
}

export type Handler = (request: HttpRequest) => Promise<Answer | typeof pageNotFound>;

/** Speaks to a client over a WebSocket. */
export type Upgrade = (client: WebSocket) => void;
export type Upgrader = (request: HttpRequest) => Upgrade | typeof pageNotFound;

const bodyLimit = 3 * 1024 * 1024;

/** The HTTP side of the API server: tokens, bodies, errors as Status objects, and the connections. */
export class HttpSide {
  readonly requests: RecordedRequest[] = [];
  readonly #users: Users;
  readonly #handle: Handler;
  readonly #upgrade: Upgrader;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has(forwardProtocol) ? forwardProtocol : false),
  });
  readonly #certificate: Certificate | undefined;
  #server: Server;
  #port = 0;

  /** @param certificate where it is given, connections are TLS */
  constructor(users: Users, handle: Handler, upgrade: Upgrader, certificate?: Certificate) {
    this.#upgrade = upgrade;
    this.#certificate = certificate;
    this.#users = users;
    this.#handle = handle;
    this.#server = this.#make();
  }

  get url(): string {
    return `${this.#certificate ? 'https' : 'http'}://127.0.0.1:${this.#port}`;
  }

  /** Listens: the first time on a free port, later on the same one. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Goes away: connections are cut, new ones are refused. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
    this.#server = this.#make();
  }

  /** Cuts all connections as a network does; new ones are accepted. */
  cut(): void {
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.closeAllConnections();
  }

  #make(): Server {
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      this.#answer(request, response).catch((error: unknown) => {
        // A connection that the client gave up, else a defect of ours that a test must see.
        if (!response.destroyed) response.destroy(error instanceof Error ? error : undefined);
      });
    };
    const server = this.#certificate ? createTlsServer(this.#certificate, answer) : createServer(answer);
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#switch(request, socket, head));
    // A watch is silent for as long as nothing changes.
    server.requestTimeout = 0;
    server.keepAliveTimeout = 60_000;
    return server;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url, recorded } = this.#record(request);
    try {
      const text = await readBody(request);
      const user = this.#users.find(request.headers);
      const body = parseBody(text, recorded);
      if (body !== undefined) recorded.body = body;
      const answer = await this.#handle({ ...recorded, url, body, user });
      if (answer === pageNotFound) respond(response, 404, 'text/plain; charset=utf-8', '404 page not found\n');
      else if (typeof answer === 'function') answer(response);
      else json(response, answer.code, answer.body, answer.warnings);
    } catch (error) {
      if (response.headersSent) throw error;
      if (error instanceof ApiError) json(response, error.body.code, error.body, error.warnings);
      else {
        // A defect of this server: told as the real one tells a panic, with its place for whoever looks at the test.
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
        json(response, 500, new ApiError(500, 'InternalError', `the embedded cluster has a defect: ${message}`).body);
      }
    }
  }

  #record(request: IncomingMessage): { url: URL; recorded: RecordedRequest } {
    const url = new URL(request.url ?? '/', this.url);
    const recorded: RecordedRequest = {
      method: request.method ?? 'GET',
      path: url.pathname + url.search,
      userAgent: request.headers['user-agent'] ?? '',
      contentType: (request.headers['content-type'] ?? '').split(';')[0]!.trim(),
    };
    this.requests.push(recorded);
    return { url, recorded };
  }

  #switch(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { url, recorded } = this.#record(request);
    // What the client gives up.
    socket.on('error', () => socket.destroy());
    try {
      const user = this.#users.find(request.headers);
      const speak = this.#upgrade({ ...recorded, url, body: undefined, user });
      if (speak === pageNotFound) return refuseUpgrade(socket, 404, '404 page not found\n');
      const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
      if (!offered.includes(forwardProtocol)) return refuseUpgrade(socket, 403, '');
      this.#sockets.handleUpgrade(request, socket, head, speak);
    } catch (error) {
      const known = error instanceof ApiError ? error : new ApiError(500, 'InternalError', String(error));
      refuseUpgrade(socket, known.body.code, `${JSON.stringify(known.body)}\n`);
    }
  }
}

/** An error before the protocol was changed is an answer as any other. */
function refuseUpgrade(socket: Duplex, code: number, text: string): void {
  const head = [`HTTP/1.1 ${code} ${STATUS_CODES[code]}`, 'connection: close', 'content-type: application/json'];
  socket.end(`${head.join('\r\n')}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= bodyLimit) chunks.push(chunk);
  }
  if (size > bodyLimit) throw new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${bodyLimit}`);
  return Buffer.concat(chunks).toString();
}

function parseBody(text: string, { contentType, method }: RecordedRequest): unknown {
  if (text === '') return undefined;
  const yaml = contentType === 'application/yaml' || contentType === 'application/apply-patch+yaml';
  if (!yaml && !['', 'application/json'].includes(contentType) && !contentType.endsWith('-patch+json')) {
    throw new ApiError(
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  }
  try {
    return yaml ? parseYaml(text) : JSON.parse(text);
  } catch (error) {
    throw badRequest(
      method === 'PATCH'
        ? `error decoding patch: ${(error as Error).message}`
        : `the object provided is unrecognized: couldn't get version/kind; json parse error: ${(error as Error).message}`,
    );
  }
}

function json(response: ServerResponse, code: number, body: unknown, warnings: string[] = []): void {
  for (const warning of warnings) response.appendHeader('warning', `299 - ${JSON.stringify(warning)}`);
  const retry = (body as { details?: { retryAfterSeconds?: number } }).details?.retryAfterSeconds;
  if (retry !== undefined) response.setHeader('retry-after', String(retry));
  respond(response, code, 'application/json', `${JSON.stringify(body)}\n`);
}

function respond(response: ServerResponse, code: number, type: string, text: string): void {
  response.writeHead(code, { 'content-type': type, 'content-length': Buffer.byteLength(text), 'cache-control': 'no-cache, private' });
  response.end(text);
}
