import type { ServerResponse } from 'node:http';
import { ApiError, badRequest, unsupported } from './errors.ts';
import { allTypes, unsupportedGroups, type ResourceType } from './resources.ts';

/** A request for a resource, read from its path. */
export interface ApiRequest {
  type: ResourceType;
  namespace: string | undefined;
  name: string | undefined;
  /** `status`, `log` or `portforward` */
  subresource: string | undefined;
  query: URLSearchParams;
  /** Undefined where there is none. */
  body: unknown;
  contentType: string;
  userAgent: string;
}

/** What is answered: JSON, or a function that writes a stream. */
export type Answer = { code: number; body: unknown; warnings?: string[] } | ((response: ServerResponse) => void);

/** A path that no part of the API has, as Go's router answers it. */
export const pageNotFound = Symbol('404 page not found');

export const noSuchResource = (): ApiError => new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});

export const methodNotAllowed = (): ApiError =>
  new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});

// Resources that every real API server has in groups that are here in part.
const missing = new Set([
  'bindings',
  'componentstatuses',
  'endpoints',
  'limitranges',
  'persistentvolumeclaims',
  'persistentvolumes',
  'podtemplates',
  'replicationcontrollers',
  'resourcequotas',
  'cronjobs',
  'controllerrevisions',
  'daemonsets',
  'statefulsets',
]);

/** What a path asks for, whether it is there or not. */
export interface RequestInfo {
  group: string;
  version: string;
  plural: string;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

/** Reads a path below a group and version; undefined for any other. */
export function readPath(path: string): RequestInfo | undefined {
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  const named = parts[0] === 'apis';
  if (!named && parts[0] !== 'api') return undefined;
  const group = named ? parts[1] : '';
  const [version, ...rest] = parts.slice(named ? 2 : 1);
  let namespace: string | undefined;
  // `namespaces/x/status` is a subresource of the namespace itself.
  if (rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status') [, namespace] = rest.splice(0, 2);
  const [plural, name, subresource, ...more] = rest;
  if (group === undefined || version === undefined || plural === undefined) return undefined;
  return { group, version, plural, namespace, name, subresource: more.length > 0 ? [subresource, ...more].join('/') : subresource };
}

/**
 * Finds the resource that is asked for.
 * @throws ApiError 404, and 501 for what a real cluster has and this one has not
 */
export function findType({ group, version, plural, subresource }: RequestInfo): ResourceType | typeof pageNotFound {
  if (unsupportedGroups.has(group)) throw unsupported(`the API group ${group}`);
  const known = allTypes.filter((type) => type.group === group);
  if (known.length === 0) return pageNotFound;
  const type = known.find((candidate) => candidate.plural === plural && candidate.version === version);
  if (!type) {
    if (missing.has(plural)) throw unsupported(`the resource ${plural}`);
    throw noSuchResource();
  }
  const ofPods = type.kind === 'Pod' && (subresource === 'log' || subresource === 'portforward');
  if (subresource === undefined || ofPods || (subresource === 'status' && type.status)) return type;
  if (type.kind === 'Pod' || subresource === 'scale') throw unsupported(`the subresource ${plural}/${subresource}`);
  throw noSuchResource();
}

/** Whatever is not `0` or `false` counts as true (k8s.io/apimachinery/pkg/runtime, Convert_Slice_string_To_bool). */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

/** A whole number of the query. */
export function integer(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === '') return undefined;
  if (!/^-?\d+$/u.test(value)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  return Number(value);
}
