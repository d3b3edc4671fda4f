import * as http from 'node:http';
import * as https from 'node:https';
import { openAccess } from '@slashtrain/core/kubernetes/access';
import type { EmbeddedCluster } from '@slashtrain/testing/cluster/cluster';
import type { Stored, StoredMeta } from '@slashtrain/testing/cluster/objects';
import { openTarget, unique, type Target } from '../../support/targets.ts';

/** What an API server answers: an object, a list, or a Status. What is expected of it is what the cases are about. */
export interface Body extends Stored {
  metadata: StoredMeta & { continue?: string };
  items: Stored[];
}

/** An answer, with its body as JSON where it is JSON, else with its text. */
export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Body;
  text: string;
}

export interface WatchEvent {
  type: string;
  object: Stored;
}

const groups = new Map([
  ['jobs', '/apis/batch/v1'],
  ['deployments', '/apis/apps/v1'],
  ['replicasets', '/apis/apps/v1'],
  ['leases', '/apis/coordination.k8s.io/v1'],
]);

/** An API server, spoken to over plain HTTP: nothing of ours stands between a case and the answer. */
export class Api {
  readonly target: Target;
  /** A namespace of the case's own. */
  namespace = 'default';
  readonly #server: string;
  readonly #agent: http.Agent;
  readonly #headers: Record<string, string>;
  readonly #streams = new Set<http.ClientRequest>();

  private constructor(target: Target, server: string, agent: http.Agent, headers: Record<string, string>) {
    this.target = target;
    this.#server = server;
    this.#agent = agent;
    this.#headers = headers;
  }

  static async open(name: Target['name']): Promise<Api> {
    const target = await openTarget(name);
    const log = { info() {}, debug() {}, notice() {}, warning() {}, error() {}, startGroup() {}, endGroup() {}, mask() {} };
    const access = await openAccess({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log });
    const { agent, headers } = await access.signIn();
    return new Api(target, access.server, agent, headers);
  }

  get cluster(): EmbeddedCluster | undefined {
    return this.target.cluster;
  }

  /** Makes a namespace for one case. @returns a function that removes it */
  async enter(): Promise<() => Promise<void>> {
    const name = unique('contract');
    await this.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    this.namespace = name;
    // A real API server refuses a namespace's pods until a controller has made their service account.
    if (!this.cluster) await this.until('serviceaccounts', 'default', () => true);
    return async () => {
      for (const stream of this.#streams) stream.destroy();
      await this.send('DELETE', `/api/v1/namespaces/${name}`);
    };
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    await this.target.close();
  }

  /** `pods`, `jobs/name`, `configmaps?limit=1` in the case's namespace. */
  path(resource: string): string {
    const plural = resource.split(/[/?]/u)[0]!;
    return `${groups.get(plural) ?? '/api/v1'}/namespaces/${this.namespace}/${resource}`;
  }

  get = (path: string): Promise<Answer> => this.send('GET', path);
  post = (path: string, body: unknown): Promise<Answer> => this.send('POST', path, body);
  put = (path: string, body: unknown): Promise<Answer> => this.send('PUT', path, body);
  delete = (path: string, body?: unknown): Promise<Answer> => this.send('DELETE', path, body);
  /** A merge patch. */
  patch = (path: string, body: unknown): Promise<Answer> => this.send('PATCH', path, body, 'application/merge-patch+json');

  async send(
    method: string,
    path: string,
    body?: unknown,
    contentType = 'application/json',
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await this.#request(method, path, body, contentType, headers);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const isJson = response.headers['content-type'] === 'application/json' && (response.statusCode !== 200 || !path.includes('watch='));
    return { status: response.statusCode ?? 0, headers: response.headers, body: (isJson ? JSON.parse(text) : {}) as Body, text };
  }

  /** The lines of an answer as they come; ends with the answer. */
  async *lines(path: string): AsyncGenerator<string> {
    const response = await this.#request('GET', path);
    if (response.statusCode !== 200) throw new Error(`${path} answered ${response.statusCode}`);
    let rest = '';
    for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
    if (rest) yield rest;
  }

  /** The events of a watch as they come. */
  async *watch(path: string): AsyncGenerator<WatchEvent> {
    for await (const line of this.lines(`${path}${path.includes('?') ? '&' : '?'}watch=true`)) yield JSON.parse(line) as WatchEvent;
  }

  /**
   * Watches one object until it is as it should be.
   * @param from where it is given, all that became of the object since is seen, however fast that was
   * @returns it, and what was seen of it before
   */
  async until<T extends Stored>(
    resource: string,
    name: string,
    done: (object: T) => boolean,
    from?: Stored,
  ): Promise<{ object: T; seen: T[] }> {
    const seen: T[] = from ? [from as T] : [];
    const since = from ? `&resourceVersion=${from.metadata.resourceVersion}` : '';
    const events = this.watch(this.path(`${resource}?fieldSelector=metadata.name%3D${name}&timeoutSeconds=100${since}`));
    for await (const { type, object } of events) {
      if (type === 'ERROR') throw new Error(JSON.stringify(object));
      seen.push(object as T);
      if (type !== 'DELETED' && done(object as T)) return { object: object as T, seen };
    }
    throw new Error(`${resource}/${name} has not become what was expected; last seen: ${JSON.stringify(seen.at(-1)?.['status'])}`);
  }

  /**
   * Until it is gone.
   * @param from a version at which it was there; else it may be gone already
   * @returns the last that was seen of it
   */
  async untilGone(resource: string, name: string, from?: string): Promise<Stored | undefined> {
    const selected = `${resource}?fieldSelector=metadata.name%3D${name}`;
    const list = await this.get(this.path(selected));
    if (from === undefined && list.body.items.length === 0) return undefined;
    const since = from ?? list.body.metadata.resourceVersion;
    for await (const { type, object } of this.watch(this.path(`${selected}&timeoutSeconds=100&resourceVersion=${since}`))) {
      if (type === 'DELETED') return object;
    }
    throw new Error(`${resource}/${name} is still there`);
  }

  async #request(
    method: string,
    path: string,
    body?: unknown,
    contentType?: string,
    headers: Record<string, string> = {},
  ): Promise<http.IncomingMessage> {
    const text = body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const url = new URL(this.#server + path);
    const { request } = url.protocol === 'https:' ? https : http;
    return new Promise((resolve, reject) => {
      const sent = request(url, {
        method,
        agent: this.#agent,
        headers: {
          'user-agent': 'contract/1',
          ...this.#headers,
          ...(text ? { 'content-type': contentType, 'content-length': text.length } : {}),
          ...headers,
        },
      });
      this.#streams.add(sent);
      sent.on('close', () => this.#streams.delete(sent));
      sent.on('response', resolve);
      sent.on('error', reject);
      sent.end(text);
    });
  }
}

/** One case: what is expected of an API server. */
export interface Case {
  name: string;
  run: (api: Api) => Promise<void>;
  /** Only where the cluster can be told to do it. */
  only?: 'embedded' | 'real';
}
