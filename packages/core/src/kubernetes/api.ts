import type { IncomingMessage } from 'node:http';
import { ActionError } from '../action/errors.ts';
import type { KubernetesObject, Resource } from '../kinds/kind.ts';
import { WatchExpired, type KubernetesClient, type LogOptions, type ObjectList, type Selection, type WatchEvent } from './client.ts';
import type { ApiAnswer, Http } from './http.ts';
import { splitLines } from './lines.ts';
import { readStatus, refusal, type Asked } from './refusal.ts';

const fieldManager = 'slashtrain';
const pageSize = 500;
// The server ends a watch after this time anyway; asked for, so that it is the same everywhere.
const watchSeconds = 3_600;

/** The Kubernetes API over HTTP (https://kubernetes.io/docs/reference/using-api/api-concepts/). */
export function kubernetesClient(http: Http): KubernetesClient {
  const { context, server, namespace } = http.access;
  const about = (asked: Omit<Asked, 'server' | 'context'>): Asked => ({ ...asked, server, context });

  return {
    context,
    server,
    namespace,
    access: http.access,

    async get<T extends KubernetesObject>(resource: Resource, inNamespace: string, name: string) {
      const asked = about({ verb: 'get', resource, namespace: inNamespace, name });
      const answer = await http.send({ method: 'GET', path: pathOf(resource, inNamespace, name), repeatable: 'always' });
      return isObjectMissing(answer) ? undefined : readObject<T>(answer, asked);
    },

    async list<T extends KubernetesObject>(resource: Resource, inNamespace: string | undefined, selection: Selection = {}) {
      const asked = about({ verb: 'list', resource, namespace: inNamespace });
      const path = pathOf(resource, inNamespace);
      const items: T[] = [];
      let limit: number | undefined = pageSize;
      let next: string | undefined;
      for (;;) {
        const answer: ApiAnswer = await http.send({
          method: 'GET',
          path: path + query({ ...selection, limit, continue: next }),
          repeatable: 'always',
        });
        if (answer.status === 410 && next !== undefined) {
          // The pages' version has expired: once more, in one piece.
          items.length = 0;
          limit = next = undefined;
          continue;
        }
        const page = readObject<KubernetesObject & { items: T[] | null; metadata: { resourceVersion: string; continue?: string } }>(
          answer,
          asked,
        );
        if (!(page.items ?? []).every?.(isObject)) throw noApiServer(asked, answer.text);
        // Items of a list carry neither apiVersion nor kind.
        for (const item of page.items ?? []) items.push({ ...item, apiVersion: apiVersionOf(resource), kind: resource.kind });
        next = page.metadata.continue || undefined;
        if (next === undefined) return { items, resourceVersion: page.metadata.resourceVersion } satisfies ObjectList<T>;
      }
    },

    async create<T extends KubernetesObject>(resource: Resource, object: T, options: { dryRun?: boolean } = {}) {
      const { namespace: inNamespace, name } = object.metadata;
      const answer = await http.send({
        method: 'POST',
        path:
          pathOf(resource, inNamespace) + query({ fieldManager, fieldValidation: 'Strict', dryRun: options.dryRun ? 'All' : undefined }),
        body: object,
        // A second POST of the same name is answered 409.
        repeatable: name ? 'always' : 'refused',
      });
      if (answer.status === 409 && readStatus(answer.text).reason === 'AlreadyExists') return undefined;
      return readObject<T>(answer, about({ verb: 'create', resource, namespace: inNamespace, name }));
    },

    async patch<T extends KubernetesObject>(
      resource: Resource,
      inNamespace: string,
      name: string,
      patch: Record<string, unknown>,
      { subresource }: { subresource?: 'status' | 'scale' } = {},
    ) {
      const answer = await http.send({
        method: 'PATCH',
        path: pathOf(resource, inNamespace, name, subresource) + query({ fieldManager, fieldValidation: 'Strict' }),
        body: patch,
        contentType: 'application/merge-patch+json',
        repeatable: 'always',
      });
      if (answer.status === 409 && readStatus(answer.text).reason === 'Conflict') return undefined;
      return readObject<T>(answer, about({ verb: 'patch', resource, subresource, namespace: inNamespace, name }));
    },

    async apply<T extends KubernetesObject>(resource: Resource, object: T, options: { dryRun?: boolean; force?: boolean } = {}) {
      const { namespace: inNamespace, name = '' } = object.metadata;
      const answer = await http.send({
        method: 'PATCH',
        path:
          pathOf(resource, inNamespace, name) +
          query({
            fieldManager,
            fieldValidation: 'Strict',
            dryRun: options.dryRun ? 'All' : undefined,
            force: options.force ? 'true' : undefined,
          }),
        body: object,
        contentType: 'application/apply-patch+yaml',
        repeatable: 'always',
      });
      return readObject<T>(answer, about({ verb: 'patch', resource, namespace: inNamespace, name }));
    },

    async delete(resource: Resource, inNamespace: string, name: string, options: { uid?: string; graceSeconds?: number } = {}) {
      const answer = await http.send({
        method: 'DELETE',
        path: pathOf(resource, inNamespace, name),
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          propagationPolicy: 'Background',
          ...(options.uid === undefined ? {} : { preconditions: { uid: options.uid } }),
          ...(options.graceSeconds === undefined ? {} : { gracePeriodSeconds: options.graceSeconds }),
        },
        repeatable: 'always',
      });
      if (isObjectMissing(answer)) return false;
      // The precondition failed: another object has the name now.
      if (answer.status === 409 && options.uid !== undefined) return false;
      read(answer, about({ verb: 'delete', resource, namespace: inNamespace, name }));
      return true;
    },

    async *watch(resource: Resource, inNamespace: string, resourceVersion: string, selection: Selection, signal: AbortSignal) {
      const asked = about({ verb: 'watch', resource, namespace: inNamespace });
      const path =
        pathOf(resource, inNamespace) +
        query({ ...selection, watch: 'true', resourceVersion, allowWatchBookmarks: 'true', timeoutSeconds: watchSeconds });
      const stream = await http.open({ method: 'GET', path, repeatable: 'always' }, signal);
      if ('text' in stream) {
        if (stream.status === 410) throw new WatchExpired(readStatus(stream.text).message);
        throw refusal(stream, asked);
      }
      for await (const lines of connected(stream, signal, endQuietly)) {
        // A line that was cut off is no event.
        for (const line of lines) if (line.endsWith('\n')) yield readEvent(line, asked);
      }
    },

    async *log(inNamespace: string, pod: string, options: LogOptions, signal: AbortSignal) {
      const path =
        pathOf({ group: '', version: 'v1', plural: 'pods', kind: 'Pod' }, inNamespace, pod, 'log') +
        query({
          container: options.container,
          timestamps: 'true',
          follow: options.follow ? 'true' : undefined,
          previous: options.previous ? 'true' : undefined,
          sinceTime: options.sinceTime,
          tailLines: options.tailLines,
        });
      const stream = await http.open({ method: 'GET', path, repeatable: 'always' }, signal);
      if ('text' in stream) {
        // A pod that no node has yet: https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/registry/core/pod/strategy.go, LogLocation.
        if (stream.status === 204) throw new ActionError('not-found', `the pod ${pod} has no node yet`);
        // 400 is the kubelet's word for "not started yet" and "no previous container".
        if (stream.status === 400) throw new ActionError('not-found', readStatus(stream.text).message);
        const resource = { group: '', version: 'v1', plural: 'pods' };
        throw refusal(stream, about({ verb: 'get', resource, subresource: 'log', namespace: inNamespace, name: pod }));
      }
      const cut = (error: unknown): never => {
        throw new ActionError('unreachable', `the connection to ${server} was cut while reading the log of ${pod}`, { cause: error });
      };
      yield* connected(stream, signal, cut);
    },

    async read(path: string, what: { resource: Resource; subresource?: string; name?: string }) {
      const answer = await http.send({ method: 'GET', path, repeatable: 'always' });
      return answer.status === 404 ? undefined : read<object>(answer, about({ verb: 'get', ...what }));
    },

    async discover(group: string, version: string) {
      const path = group ? `/apis/${group}/${version}` : `/api/${version}`;
      const answer = await http.send({ method: 'GET', path, repeatable: 'always' });
      if (answer.status === 404) return undefined;
      const asked = about({ verb: 'get', resource: { group, version, plural: '' } });
      const { resources } = read<{ resources?: unknown }>(answer, asked);
      if (!Array.isArray(resources) || !resources.every(isServed)) throw noApiServer(asked, answer.text);
      return resources.filter(({ name }) => !name.includes('/')).map(({ name, kind }) => ({ group, version, plural: name, kind }));
    },
  };
}

/** `/apis/batch/v1/namespaces/ml/jobs/x/status`; each part is encoded, since names come from outside. */
function pathOf(resource: Resource, namespace: string | undefined, name?: string, subresource?: string): string {
  const { group, version, plural } = resource;
  const root = group ? ['apis', group, version] : ['api', version];
  const parts = [...root, ...(namespace ? ['namespaces', namespace] : []), plural, ...(name === undefined ? [] : [name])];
  return `/${[...parts, ...(subresource ? [subresource] : [])].map(encodeURIComponent).join('/')}`;
}

function query(parameters: Record<string, string | number | undefined>): string {
  const pairs = Object.entries(parameters).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)] as [string, string]],
  );
  return pairs.length > 0 ? `?${new URLSearchParams(pairs).toString()}` : '';
}

/** `batch/v1`, `v1`. */
export function apiVersionOf({ group, version }: Resource): string {
  return group ? `${group}/${version}` : version;
}

function isObjectMissing(answer: ApiAnswer): boolean {
  return answer.status === 404 && readStatus(answer.text).namesObject;
}

/** The body of an answer that is a success, which is an object. */
function read<T extends object>(answer: ApiAnswer, asked: Asked): T {
  if (answer.status < 200 || answer.status > 299) throw refusal(answer, asked);
  let value: unknown;
  try {
    value = JSON.parse(answer.text);
  } catch (error) {
    throw noApiServer(asked, answer.text, error);
  }
  if (!isFields(value)) throw noApiServer(asked, answer.text);
  return value as T;
}

function readObject<T extends KubernetesObject>(answer: ApiAnswer, asked: Asked): T {
  const value = read<T>(answer, asked);
  if (!isObject(value)) throw noApiServer(asked, answer.text);
  return value;
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isObject(value: unknown): boolean {
  return isFields(value) && isFields(value['metadata']);
}

function isServed(value: unknown): value is { name: string; kind: string } {
  return isFields(value) && typeof value['name'] === 'string' && typeof value['kind'] === 'string';
}

/** Something else answers, or something on the way has spoiled the answer: asked again, it may be right. */
function noApiServer({ server }: Asked, text: string, cause?: unknown): ActionError {
  return new ActionError('unreachable', `${server} does not answer as a Kubernetes API server: ${JSON.stringify(text.slice(0, 100))}`, {
    remedy: "check the server's address in the kubeconfig",
    ...(cause === undefined ? {} : { cause }),
  });
}

function readEvent(line: string, asked: Asked): WatchEvent {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch (error) {
    throw noApiServer(asked, line, error);
  }
  if (!isFields(event) || !isFields(event['object'])) throw noApiServer(asked, line);
  const { type, object } = event as { type: unknown; object: KubernetesObject & { code?: unknown; message?: unknown } };
  if (type === 'ERROR') {
    if (object.code === 410) throw new WatchExpired(typeof object.message === 'string' ? object.message : '');
    throw refusal({ status: typeof object.code === 'number' ? object.code : 500, text: JSON.stringify(object) }, asked);
  }
  if (!isObject(object)) throw noApiServer(asked, line);
  if (type === 'BOOKMARK') return { type: 'bookmark', resourceVersion: object.metadata.resourceVersion ?? '' };
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') {
    throw new ActionError('unreachable', `${asked.server} sent a watch event of the type ${JSON.stringify(type)}`);
  }
  return { type: type.toLowerCase() as 'added' | 'modified' | 'deleted', object };
}

// Whoever watches goes on from the last version, however the watch ended.
const endQuietly = (): void => undefined;

/** The lines of a response; what comes of a lost connection is `onLost`'s. `signal`'s reason is thrown when it aborts. */
async function* connected(response: IncomingMessage, signal: AbortSignal, onLost: (error: unknown) => void): AsyncGenerator<string[]> {
  let lost: { error: unknown } | undefined;
  async function* untilLost(): AsyncGenerator<Buffer> {
    try {
      yield* response as AsyncIterable<Buffer>;
    } catch (error) {
      lost = { error };
    }
  }
  try {
    yield* splitLines(untilLost());
    signal.throwIfAborted();
    if (lost) onLost(lost.error);
  } finally {
    response.destroy();
  }
}
