import type { ManagedFields, Stored } from './objects.ts';
import { timestamp } from './objects.ts';
import type { ApiRequest } from './request.ts';
import { apiVersionOf, type ResourceType } from './resources.ts';
import type { NewObject } from './store.ts';

/**
 * Who wrote what, as far as it is told here: the manager of the last write, without its fields. A server-side apply
 * by another manager would need them; it is refused by name.
 */
export function trackUpdate(type: ResourceType, request: ApiRequest, before: Stored | undefined, _after: NewObject): ManagedFields[] {
  const manager = request.query.get('fieldManager') || request.userAgent.split('/')[0] || 'unknown';
  const entry: ManagedFields = {
    manager,
    operation: 'Update',
    apiVersion: apiVersionOf(type),
    time: timestamp(),
    fieldsType: 'FieldsV1',
    fieldsV1: {},
    ...(request.subresource === undefined ? {} : { subresource: request.subresource }),
  };
  const others = before?.metadata.managedFields?.filter((old) => old.manager !== manager || old.subresource !== entry.subresource) ?? [];
  return [...others, entry];
}
