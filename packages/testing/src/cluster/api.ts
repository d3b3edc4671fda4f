import { discover } from './discovery.ts';
import type { HttpRequest } from './http.ts';
import { list } from './lists.ts';
import { flag, methodNotAllowed, noSuchResource, pageNotFound, parsePath, type Answer, type ApiRequest } from './request.ts';
import type { Store } from './store.ts';
import { Verbs } from './verbs.ts';
import { watch } from './watch.ts';

/** Answers `pods/log`. */
export type LogReader = (request: ApiRequest) => Answer;

export interface ApiOptions {
  anyNamespace: boolean;
  /** Milliseconds between two bookmarks of a watch. */
  bookmarkEvery: number;
}

/** What a request gets, apart from HTTP. */
export function api(
  store: Store,
  readLog: LogReader,
  options: ApiOptions,
): (request: HttpRequest) => Promise<Answer | typeof pageNotFound> {
  const verbs = new Verbs(store, options.anyNamespace);
  return async (http) => {
    const path = http.url.pathname;
    if (['/healthz', '/livez', '/readyz'].includes(path)) {
      return (response) => void response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('ok');
    }
    const found = discover(path);
    if (found !== undefined) return http.method === 'GET' ? { code: 200, body: found } : Promise.reject(methodNotAllowed());
    if (/^\/apis\/(batch|coordination\.k8s\.io|authorization\.k8s\.io)\/[^/]+$/u.test(path)) throw noSuchResource();
    const target = parsePath(path);
    if (target === pageNotFound) return pageNotFound;
    const request: ApiRequest = {
      ...target,
      query: http.url.searchParams,
      body: http.body,
      contentType: http.contentType,
      userAgent: http.userAgent,
    };
    const { type, name, subresource } = request;
    if (type.kind === 'SelfSubjectAccessReview') {
      if (http.method !== 'POST') throw methodNotAllowed();
      // One token, and it may do everything: what a missing right does is tried on a real cluster.
      return { code: 201, body: { ...(request.body as object), status: { allowed: true } } };
    }
    const collection = ['POST', 'DELETE'].includes(http.method) && name === undefined;
    if (collection && type.namespaced && request.namespace === undefined) throw methodNotAllowed();
    switch (http.method) {
      case 'GET':
        if (subresource === 'log') return readLog(request);
        if (flag(request.query, 'watch')) return watch(store, request, options.bookmarkEvery);
        return name === undefined ? list(store, request) : verbs.get(request);
      case 'POST':
        if (name !== undefined) throw methodNotAllowed();
        return verbs.create(request);
      case 'PUT':
        if (name === undefined || subresource === 'log') throw methodNotAllowed();
        return verbs.update(request);
      case 'PATCH':
        if (name === undefined || subresource === 'log') throw methodNotAllowed();
        return verbs.patch(request);
      case 'DELETE':
        if (subresource !== undefined) throw methodNotAllowed();
        return name === undefined ? verbs.removeAll(request) : verbs.remove(request);
      default:
        throw methodNotAllowed();
    }
  };
}
