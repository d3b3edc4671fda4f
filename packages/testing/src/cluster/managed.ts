import { changedFields, pathsOf, setOf, touches, valueAt, without } from './fields.ts';
import type { FieldSet, ManagedFields, Stored } from './objects.ts';
import { timestamp } from './objects.ts';
import type { ApiRequest } from './request.ts';
import { apiVersionOf, type ResourceType } from './resources.ts';
import type { NewObject } from './store.ts';

/**
 * Who wrote what after a POST, a PUT or a patch: what changed belongs to its manager alone, what is gone to nobody.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers
 */
export function trackUpdate(type: ResourceType, request: ApiRequest, before: Stored | undefined, after: NewObject): ManagedFields[] {
  const manager = request.query.get('fieldManager') || request.userAgent.split('/')[0] || 'unknown';
  const now = after as unknown as Record<string, unknown>;
  const changed = changedFields(before ?? {}, now);
  const isOwn = (entry: ManagedFields): boolean =>
    entry.manager === manager && entry.operation === 'Update' && entry.subresource === request.subresource;
  const managers = before?.metadata.managedFields ?? [];
  const others = managers
    .filter((entry) => !isOwn(entry))
    .map((entry) => ({
      ...entry,
      fieldsV1: without(entry.fieldsV1, (path) => isGone(now, path) || (touches(changed, path) && isLeaf(changed, path))),
    }))
    .filter((entry) => Object.keys(entry.fieldsV1).length > 0);
  const mine = pathsOf(managers.find(isOwn)?.fieldsV1 ?? {}).filter((path) => !isGone(now, path));
  const fieldsV1 = setOf([...mine, ...pathsOf(changed)]);
  if (Object.keys(fieldsV1).length === 0) return others;
  const entry: ManagedFields = {
    manager,
    operation: 'Update',
    apiVersion: apiVersionOf(type),
    time: timestamp(),
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(request.subresource === undefined ? {} : { subresource: request.subresource }),
  };
  return [...others, entry];
}

const isGone = (object: Record<string, unknown>, path: readonly string[]): boolean => valueAt(object, path) === undefined;

function isLeaf(set: FieldSet, path: readonly string[]): boolean {
  let at: FieldSet = set;
  for (const key of path) at = at[key] ?? {};
  return Object.keys(at).length === 0;
}
