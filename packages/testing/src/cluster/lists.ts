import { ApiError, badRequest, expired } from './errors.ts';
import type { Stored } from './objects.ts';
import { integer, type Answer, type ApiRequest } from './request.ts';
import { apiVersionOf } from './resources.ts';
import { fieldSelector, labelSelector, type Matches } from './selectors.ts';
import type { Store } from './store.ts';

/** What a request selects by labels and fields. @throws ApiError 400 */
export function selection(request: ApiRequest): Matches {
  const labels = labelSelector(request.query.get('labelSelector') ?? '');
  const fields = fieldSelector(request.query.get('fieldSelector') ?? '', request.type);
  return (object) => labels(object) && fields(object) && (request.name === undefined || object.metadata.name === request.name);
}

/** GET of a collection, in pages where `limit` says so: all pages show the state of the first. */
export function list(store: Store, request: ApiRequest): Answer {
  const { type, namespace, query } = request;
  const matches = selection(request);
  const limit = integer(query, 'limit') ?? 0;
  const token = query.get('continue');
  const from = token ? readToken(token) : undefined;
  const inconsistent = from !== undefined && from.version < 0;
  const version = from && !inconsistent ? from.version : store.version;
  if (!from) checkVersion(store, query.get('resourceVersion'));
  if (from && version < store.compacted) {
    const error = expired(
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    );
    // Who can live with that goes on with this token.
    error.body.metadata = { continue: writeToken(-1, from.after) };
    throw error;
  }
  const all = (from && !inconsistent ? store.listAt(version, type, namespace) : store.list(type, namespace)).filter(matches);
  const rest = from ? all.filter((object) => position(object) > from.after) : all;
  const page = limit > 0 ? rest.slice(0, limit) : rest;
  const last = page.at(-1);
  const more = last !== undefined && page.length < rest.length;
  return {
    code: 200,
    body: {
      kind: `${type.kind}List`,
      apiVersion: apiVersionOf(type),
      metadata: {
        resourceVersion: String(version),
        ...(more ? { continue: writeToken(version, position(last)) } : {}),
        // With a selector the server does not count what remains.
        ...(more && !query.get('labelSelector') && !query.get('fieldSelector') ? { remainingItemCount: rest.length - page.length } : {}),
      },
      // Items of a list carry no kind of their own.
      items: page.map(({ apiVersion: _version, kind: _kind, ...item }) => item),
    },
  };
}

/** @throws ApiError 504 for a version that is still to come, 400 for what is none */
function checkVersion(store: Store, text: string | null): void {
  if (text === null || text === '') return;
  const version = parseVersion(text, 'invalid resource version: ');
  if (version > store.version) {
    throw new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${version}, current: ${store.version}`, {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    });
  }
}

/** @throws ApiError 400 */
export function parseVersion(text: string, before = ''): number {
  if (!/^\d+$/u.test(text)) {
    throw badRequest(
      `${before}resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  return Number(text);
}

const position = (object: Stored): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;

function writeToken(version: number, after: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start: after })).toString('base64url');
}

function readToken(token: string): { version: number; after: string } {
  try {
    const { rv, start } = JSON.parse(Buffer.from(token, 'base64url').toString()) as { rv: number; start: string };
    return { version: rv, after: start };
  } catch (error) {
    throw badRequest(`invalid continue token: continue key is not valid: ${(error as Error).message}`);
  }
}
