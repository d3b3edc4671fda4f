import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came. */
export interface TrackerRequest {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: string;
}

/** JSON with 200, or a status and a body of its own: bytes are sent as they are. */
export type Answer = object | { status: number; headers?: Record<string, string>; body: unknown };

/** What goes wrong with the next requests: another answer (a text is sent as it is), or the connection breaks in half an answer. */
export type TrackerFault = { status: number; headers?: Record<string, string>; body?: string } | { cut: true };

export interface FakeTracker {
  url: string;
  requests: TrackerRequest[];
  /** Answers the next `times` requests so. */
  fail(fault: TrackerFault, times?: number): void;
  close(): Promise<void>;
}

/** Serves a fake tracker on a port of its own. */
export async function serveTracker(name: string, answer: (request: TrackerRequest) => Promise<Answer>): Promise<FakeTracker> {
  const requests: TrackerRequest[] = [];
  const faults: TrackerFault[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const request = {
        method: incoming.method ?? '',
        url: new URL(incoming.url ?? '/', 'http://127.0.0.1'),
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      requests.push(request);
      const fault = faults.shift();
      if (fault && 'status' in fault) {
        outgoing.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers }).end(fault.body ?? '{}');
        return;
      }
      answer(request).then(
        (given) => {
          const { status, headers, body } = isOwn(given) ? given : { status: 200, headers: {}, body: given };
          const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
          outgoing.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length, ...headers });
          if (fault) outgoing.write(bytes.subarray(0, bytes.length / 2), () => outgoing.destroy());
          else outgoing.end(bytes);
        },
        (error: unknown) => {
          outgoing
            .writeHead(500, { 'content-type': 'application/json' })
            .end(JSON.stringify({ message: `the fake ${name}: ${String(error)}` }));
        },
      );
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    fail: (fault, times = 1) => faults.push(...Array<TrackerFault>(times).fill(fault)),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function isOwn(answer: Answer): answer is { status: number; headers?: Record<string, string>; body: unknown } {
  return 'status' in answer && 'body' in answer && typeof answer.status === 'number';
}
