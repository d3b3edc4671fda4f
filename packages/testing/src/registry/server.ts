import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable, Transform } from 'node:stream';
import { text as readText } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Access, type AccessOptions } from './access.ts';
import { buildBase, type BaseImage } from './base.ts';
import { cuttingAfter, turningABit, type Fault } from './fault.ts';
import * as handle from './handlers.ts';
import { errorReply, jsonReply, type Reply } from './reply.ts';
import { RegistryStore } from './store.ts';

/** One request that came, in order of arrival. */
export interface RecordedRequest {
  method: string;
  path: string;
  /** `?…` or nothing */
  query: string;
  headers: IncomingHttpHeaders;
  /** 0 as long as it is not answered */
  status: number;
  /** Bytes of the request's body that arrived. */
  received: number;
  /** Bytes of the answer's body. */
  sent: number;
}

export interface RegistryServerOptions {
  /** Where blobs lie; without it in a temporary folder that goes with the registry. */
  folder?: string;
  /** Without it everybody may do everything. */
  access?: AccessOptions;
}

/** A registry that runs. */
export interface TestRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly requests: RecordedRequest[];
  /** Asked for each request whether something goes wrong with it; settable at any time. */
  fault: ((request: RecordedRequest) => Fault | undefined) | undefined;
  /** Makes every token that was given out so far invalid. */
  expireTokens(): void;
  /**
   * Puts an image with one layer of these files there.
   * @param name `repository:tag`
   * @returns `host/repository@sha256:…`
   */
  pushBase(name: string, base?: BaseImage): Promise<string>;
  close(): Promise<void>;
}

type Handler = (call: handle.Call) => Reply | Promise<Reply>;

// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints
const part = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const name = `(${part}(?:/${part})*)`;
const routes: { path: RegExp; methods: Record<string, Handler> }[] = [
  { path: new RegExp(`^/v2/${name}/blobs/uploads/$`, 'u'), methods: { POST: handle.startUpload } },
  {
    path: new RegExp(`^/v2/${name}/blobs/uploads/([^/]+)$`, 'u'),
    methods: { GET: handle.getUpload, PATCH: handle.patchUpload, PUT: handle.finishUpload, DELETE: handle.cancelUpload },
  },
  {
    path: new RegExp(`^/v2/${name}/blobs/([^/]+)$`, 'u'),
    methods: { GET: handle.getBlob, HEAD: handle.getBlob, DELETE: handle.deleteBlob },
  },
  {
    path: new RegExp(`^/v2/${name}/manifests/([^/]+)$`, 'u'),
    methods: { GET: handle.getManifest, HEAD: handle.getManifest, PUT: handle.putManifest, DELETE: handle.deleteManifest },
  },
  { path: new RegExp(`^/v2/${name}/tags/list$`, 'u'), methods: { GET: handle.listTags } },
  { path: new RegExp(`^/v2/${name}/referrers/([^/]+)$`, 'u'), methods: { GET: handle.listReferrers } },
];

/**
 * Starts a registry on a free port of this machine: pull, push, content discovery and deletion of the distribution specification 1.1
 * (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md). What it does not support it refuses by name.
 */
export async function startRegistry(options: RegistryServerOptions = {}): Promise<TestRegistry> {
  const store = await RegistryStore.open(options.folder);
  const access = options.access ? new Access(options.access) : undefined;
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    // A request forgets its connection when that breaks.
    const { socket } = request;
    serve(request, response, socket).catch((error: unknown) => {
      // A connection that was cut ends here; anything else is a defect of ours, which the client must see.
      if (response.headersSent || socket.destroyed) response.destroy();
      else response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error));
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function serve(request: IncomingMessage, response: ServerResponse, socket: Socket): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${host}`);
    const { method = '', headers } = request;
    const record: RecordedRequest = { method, path: url.pathname, query: url.search, headers, status: 0, received: 0, sent: 0 };
    registry.requests.push(record);
    const fault = registry.fault?.(record);
    const cutAfter = fault && 'cutAfter' in fault ? fault.cutAfter : undefined;
    if (cutAfter === 0) {
      socket.destroy();
      return;
    }
    const hasBody = ['PUT', 'PATCH', 'POST'].includes(method);
    const cut = cutAfter !== undefined && hasBody ? [cuttingAfter(cutAfter, () => socket.destroy())] : [];
    const body = through(
      request,
      counting((bytes) => (record.received += bytes)),
      ...cut,
    );
    const reply: Reply =
      fault && 'status' in fault
        ? { status: fault.status, headers: fault.headers ?? {}, body: Buffer.from(fault.body ?? '') }
        : await route(method, headers, body, url);
    record.status = reply.status;
    // What nobody read must still come in, or the client never hears the answer.
    body.resume();
    await send(response, method, reply, record, hasBody ? undefined : fault);
  }

  async function route(method: string, headers: IncomingHttpHeaders, body: Readable, url: URL): Promise<Reply> {
    const { pathname } = url;
    if (access && pathname === '/token' && method === 'GET') return access.token(headers, url);
    if (access && pathname === '/token' && method === 'POST') return access.oauthToken(new URLSearchParams(await readText(body)));
    for (const { path, methods } of routes) {
      const [whole, repository = '', reference = ''] = path.exec(pathname) ?? [];
      const handler = methods[method];
      if (whole === undefined || !handler) continue;
      const action = method === 'DELETE' ? 'delete' : method === 'GET' || method === 'HEAD' ? 'pull' : 'push';
      const call = { method, headers, query: url.searchParams, body, store, repository, reference: decodeURIComponent(reference) };
      return access?.refusal(headers, { repository, action }) ?? handler(call);
    }
    if (pathname === '/v2/' && (method === 'GET' || method === 'HEAD')) return access?.refusal(headers) ?? jsonReply({});
    if (/^\/v2\/.+\/(?:manifests|blobs|tags|referrers)\//u.test(pathname) && !routes.some(({ path }) => path.test(pathname)))
      return errorReply('NAME_INVALID', `invalid repository name or path: ${pathname}`);
    return errorReply('UNSUPPORTED', `the embedded registry does not support ${method} ${pathname}`);
  }

  const registry: TestRegistry = {
    host,
    requests: [],
    fault: undefined,
    expireTokens: () => access?.expireTokens(),
    pushBase: async (image, base = {}) => `${host}/${await buildBase(store, image, base)}`,
    close: async () => {
      // A fault may have left connections that nobody ends.
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await store.close();
    },
  };
  return registry;
}

async function send(
  response: ServerResponse,
  method: string,
  reply: Reply,
  record: RecordedRequest,
  fault: Fault | undefined,
): Promise<void> {
  const { status, headers = {}, body } = reply;
  const length = Buffer.isBuffer(body) ? { 'content-length': body.length } : body || status === 204 ? {} : { 'content-length': 0 };
  response.writeHead(status, { ...length, 'docker-distribution-api-version': 'registry/2.0', ...headers });
  if (method === 'HEAD' || !body) {
    response.end();
    return;
  }
  const steps: Transform[] = [counting((bytes) => (record.sent += bytes))];
  if (fault && 'cutAfter' in fault) steps.push(cuttingAfter(fault.cutAfter, () => response.destroy()));
  if (fault && 'corrupt' in fault) steps.push(turningABit());
  await pipeline([Buffer.isBuffer(body) ? Readable.from([body], { objectMode: false }) : body, ...steps, response]);
}

/** A stream as it comes out of the last step. What breaks on the way reaches the reader of that step. */
function through(source: Readable, ...steps: [Transform, ...Transform[]]): Readable {
  pipeline([source, ...steps]).catch(() => undefined);
  return steps.at(-1) ?? source;
}

/** Tells of each piece that passes. */
function counting(count: (bytes: number) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      count(chunk.length);
      done(null, chunk);
    },
  });
}
