import { discover } from './discovery.ts';
import type { HttpRequest, Upgrade } from './http.ts';
import { badRequest } from './errors.ts';
import { list } from './lists.ts';
import { findType, flag, methodNotAllowed, noSuchResource, pageNotFound, readPath, type Answer, type ApiRequest } from './request.ts';
import { forwardPorts, type PortsFinder } from './port-forward.ts';
import type { Store } from './store.ts';
import { authorise, mayDo, verbOf } from './users.ts';
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
    if (/^\/apis\/(apps|batch|coordination\.k8s\.io|authorization\.k8s\.io)\/[^/]+$/u.test(path)) throw noSuchResource();
    const info = readPath(path);
    if (!info) return pageNotFound;
    const query = http.url.searchParams;
    authorise(http.user, verbOf(http.method, info, flag(query, 'watch')), info);
    const type = findType(info);
    if (type === pageNotFound) return pageNotFound;
    const { name, namespace, subresource } = info;
    const { body, contentType, userAgent } = http;
    const request: ApiRequest = { type, namespace, name, subresource, query, body, contentType, userAgent };
    if (type.kind === 'SelfSubjectAccessReview') {
      if (http.method !== 'POST') throw methodNotAllowed();
      return reviewAccess(http);
    }
    const collection = ['POST', 'DELETE'].includes(http.method) && name === undefined;
    if (collection && type.namespaced && namespace === undefined) throw methodNotAllowed();
    const isStream = subresource === 'log' || subresource === 'portforward';
    switch (http.method) {
      case 'GET':
        if (subresource === 'log') return readLog(request);
        if (subresource === 'portforward') throw badRequest('Upgrade request required');
        if (flag(request.query, 'watch')) return watch(store, request, options.bookmarkEvery);
        return name === undefined ? list(store, request) : verbs.get(request);
      case 'POST':
        if (name !== undefined) throw methodNotAllowed();
        return verbs.create(request);
      case 'PUT':
        if (name === undefined || isStream) throw methodNotAllowed();
        return verbs.update(request);
      case 'PATCH':
        if (name === undefined || isStream) throw methodNotAllowed();
        return verbs.patch(request);
      case 'DELETE':
        if (subresource !== undefined) throw methodNotAllowed();
        return name === undefined ? verbs.removeAll(request) : verbs.remove(request);
      default:
        throw methodNotAllowed();
    }
  };
}

/** What a request gets that wants another protocol: `pods/portforward` alone. */
export function upgrades(store: Store, find: PortsFinder): (request: HttpRequest) => Upgrade | typeof pageNotFound {
  return ({ url, user, body, contentType, userAgent }) => {
    const info = readPath(url.pathname);
    if (!info) return pageNotFound;
    authorise(user, 'get', info);
    // Since 1.35 both rights are asked for: KEP 4006's AuthorizePodWebsocketUpgradeCreatePermission.
    authorise(user, 'create', info);
    const type = findType(info);
    if (type === pageNotFound) return pageNotFound;
    if (info.subresource !== 'portforward') throw badRequest('the embedded cluster knows no WebSocket but that of pods/portforward');
    const { namespace, name, subresource } = info;
    return forwardPorts(store, find, { type, namespace, name, subresource, query: url.searchParams, body, contentType, userAgent });
  };
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access */
function reviewAccess({ body, user }: HttpRequest): Answer {
  const review = (body ?? {}) as { spec?: { resourceAttributes?: Record<string, string> } };
  const { verb = '', resource = '', subresource, namespace } = review.spec?.resourceAttributes ?? {};
  const allowed = mayDo(user, verb, subresource ? `${resource}/${subresource}` : resource, namespace);
  return { code: 201, body: { ...review, status: { allowed } } };
}
