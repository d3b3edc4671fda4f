import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the server saw it. */
export interface Seen {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Answers one request: writes to it, leaves it open, or destroys its socket. */
export type Step = (response: ServerResponse, seen: Seen) => void | Promise<void>;

/** An HTTP server that answers each request by the next step of a script, and what has no step with 500. */
export class ScriptedServer {
  readonly seen: Seen[] = [];
  readonly #steps: Step[] = [];
  /** Answers what the script has no step for. */
  otherwise: Step = (response, { method, path }) => void response.writeHead(500).end(`no step for ${method} ${path}`);
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  static async start(): Promise<ScriptedServer> {
    const server = new ScriptedServer();
    await new Promise<void>((done) => server.#server.listen(0, '127.0.0.1', done));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  script(...steps: Step[]): this {
    this.#steps.push(...steps);
    return this;
  }

  cutConnections(): void {
    this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://server');
    const seen: Seen = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    };
    this.seen.push(seen);
    await (this.#steps.shift() ?? this.otherwise)(response, seen);
  }
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Step {
  return (response) => void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** A Status object, as the API server answers what is no success. */
export function failure(code: number, reason: string, message = reason, details: object = {}, headers: Record<string, string> = {}): Step {
  return json(code, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason, message, details, code }, headers);
}

/** Closes the connection without an answer. */
export const hangUp: Step = (response) => void response.destroy();

/** Takes the request and never answers. */
export const stall: Step = () => undefined;

/** A watch with these events: then it ends, stays open in silence, or is cut. */
export function events(list: readonly unknown[], then: 'end' | 'stay' | 'cut'): Step {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const text = list.map((event) => `${JSON.stringify(event)}\n`).join('');
    if (then === 'end') response.end(text);
    else if (then === 'stay') response.write(text);
    // Cut in the middle of an event.
    else response.write(`${text}{"type":"MODIF`, () => response.destroy());
  };
}
