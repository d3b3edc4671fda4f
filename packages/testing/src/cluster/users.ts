import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from './errors.ts';
import type { RequestInfo } from './request.ts';

/** What somebody may not do. Absent fields stand for all. */
export interface Denied {
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection` */
  verb?: string;
  /** `jobs`, `pods/log` */
  resource?: string;
  namespace?: string;
}

/** Who asks. Everybody may do everything but what is denied; there are no roles. */
export interface User {
  name: string;
  denied: readonly Denied[];
}

/** The users by their tokens. */
export class Users {
  readonly #byToken = new Map<string, User>();

  /** @returns the new user's token */
  add(user: User): string {
    const token = randomBytes(24).toString('base64url');
    this.#byToken.set(token, user);
    return token;
  }

  /** Who sent a request; whom the administrator impersonates may do nothing. @throws ApiError 401 */
  find(headers: IncomingHttpHeaders): User {
    const user = this.#byToken.get(/^Bearer (.*)$/u.exec(headers.authorization ?? '')?.[1] ?? '');
    if (!user) throw new ApiError(401, 'Unauthorized', 'Unauthorized');
    const other = headers['impersonate-user'];
    return typeof other === 'string' ? { name: other, denied: [{}] } : user;
  }
}

/** The verb of a request, as roles name it. */
export function verbOf(method: string, { name }: Pick<RequestInfo, 'name'>, watches: boolean): string {
  if (method === 'GET') return watches ? 'watch' : name === undefined ? 'list' : 'get';
  if (method === 'DELETE') return name === undefined ? 'deletecollection' : 'delete';
  return { POST: 'create', PUT: 'update', PATCH: 'patch' }[method] ?? method.toLowerCase();
}

export function mayDo({ denied }: User, verb: string, resource: string, namespace: string | undefined): boolean {
  return !denied.some(
    (rule) => (rule.verb ?? verb) === verb && (rule.resource ?? resource) === resource && (rule.namespace ?? namespace) === namespace,
  );
}

/** @throws ApiError 403; as on a real server before it is known whether there is such a thing */
export function authorise(user: User, verb: string, { group, plural, namespace, name, subresource }: RequestInfo): void {
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
  // Everybody may ask what everybody may do.
  if (plural === 'selfsubjectaccessreviews' || mayDo(user, verb, resource, namespace)) return;
  const qualified = group === '' ? plural : `${plural}.${group}`;
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  throw new ApiError(
    403,
    'Forbidden',
    `${qualified}${name === undefined ? '' : ` "${name}"`} is forbidden: User "${user.name}" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`,
    { ...(name === undefined ? {} : { name }), ...(group === '' ? {} : { group }), kind: plural },
  );
}
