import type { ServerResponse } from 'node:http';
import { ApiError, unsupported } from './errors.ts';
import { parseVersion, selection } from './lists.ts';
import type { Stored } from './objects.ts';
import { flag, integer, type Answer, type ApiRequest } from './request.ts';
import { apiVersionOf } from './resources.ts';
import type { Change, Store } from './store.ts';

/**
 * A watch: what changed since the version that was asked for, then what changes. Without a version it starts with
 * what there is. Ends after `timeoutSeconds`.
 * @param bookmarkEvery how often a watch that allows them gets a bookmark, in milliseconds
 */
export function watch(store: Store, request: ApiRequest, bookmarkEvery: number): Answer {
  const { type, namespace, query } = request;
  const matches = selection(request);
  if (query.has('sendInitialEvents')) throw unsupported('watches with sendInitialEvents');
  const bookmarks = flag(query, 'allowWatchBookmarks');
  const seconds = integer(query, 'timeoutSeconds') ?? 1800 + Math.floor(Math.random() * 1800);
  const asked = query.get('resourceVersion') ?? '';
  const version = asked === '' ? 0 : readVersion(asked);
  const inScope = (object: Stored): boolean => namespace === undefined || object.metadata.namespace === namespace;

  return (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
    response.flushHeaders();
    const send = (event: string, object: unknown): void => void response.write(`${JSON.stringify({ type: event, object })}\n`);
    if (version > 0 && version < store.compacted) {
      // Once a watch has passed the checks of its request, errors are events (Cacher.Watch of k8s.io/apiserver).
      send('ERROR', new ApiError(410, 'Expired', `too old resource version: ${version} (${store.compacted})`).body);
      response.end();
      return;
    }
    const forward = ({ type: changed, object, before, deleted, version: at }: Change): void => {
      if (changed !== type || at <= version || !inScope(object)) return;
      const was = before !== undefined && matches(before);
      const is = !deleted && matches(object);
      if (is) send(was ? 'MODIFIED' : 'ADDED', object);
      // What no longer matches is a deletion to who watches, as it was but with the new version.
      else if (was) send('DELETED', deleted ? object : { ...before, metadata: { ...before.metadata, resourceVersion: String(at) } });
    };
    if (version === 0) for (const object of store.list(type, namespace).filter(matches)) send('ADDED', object);
    else store.since(version).forEach(forward);
    const bookmark = (): void => {
      const metadata = { resourceVersion: String(store.version) };
      send('BOOKMARK', { kind: type.kind, apiVersion: apiVersionOf(type), metadata });
    };
    const stop = store.subscribe(forward);
    const every = bookmarks ? setInterval(bookmark, bookmarkEvery) : undefined;
    const end = setTimeout(() => response.end(), seconds * 1000);
    response.on('close', () => {
      stop();
      clearInterval(every);
      clearTimeout(end);
    });
  };
}

function readVersion(text: string): number {
  try {
    return parseVersion(text);
  } catch (error) {
    // The real server answers a watch with 500 here, and a list with 400.
    throw new ApiError(500, undefined, (error as Error).message);
  }
}
