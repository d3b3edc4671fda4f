import type { KubernetesObject } from '@slashtrain/core/kinds/kind';

/** An entry of `metadata.managedFields` (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management). */
interface ManagedFields {
  manager?: string;
  operation?: string;
  subresource?: string;
  fieldsV1?: FieldSet;
}

interface FieldSet {
  [key: string]: FieldSet;
}

const manager = 'slashtrain';

/** Which fields of an object our field manager applied. */
export function ownFields({ metadata }: KubernetesObject): FieldSet | undefined {
  const { managedFields = [] } = metadata as { managedFields?: ManagedFields[] };
  return managedFields.find((one) => one.manager === manager && one.operation === 'Apply' && !one.subresource)?.fieldsV1;
}

/** Both sets in one. */
export function union(one: FieldSet | undefined, other: FieldSet | undefined): FieldSet | undefined {
  if (!one || !other) return one ?? other;
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...keys].map((key): [string, FieldSet] => [key, union(one[key], other[key]) ?? {}]));
}

/**
 * The part of an object that a set of fields names, as it is to be applied: kind and name, and nothing else where the set is
 * empty or absent. `f:` is a field, `k:` an item of a list by its keys, `v:` a value of a set, `.` the thing itself
 * (https://github.com/kubernetes-sigs/structured-merge-diff/blob/v6.3.0/fieldpath/serialize-pe.go).
 */
export function partOf(object: KubernetesObject, fields: FieldSet | undefined): KubernetesObject {
  const { apiVersion, kind, metadata } = object;
  const { name, namespace } = metadata;
  const part = (fields ? (pick(object, fields) as Partial<KubernetesObject> | undefined) : undefined) ?? {};
  const identity = { ...(name === undefined ? {} : { name }), ...(namespace === undefined ? {} : { namespace }) };
  return { ...part, apiVersion, kind, metadata: { ...part.metadata, ...identity } };
}

function pick(value: unknown, fields: FieldSet): unknown {
  const inner = Object.entries(fields).filter(([key]) => key !== '.');
  // A leaf is owned whole: an atomic list, a text.
  if (inner.length === 0) return isMap(value) && '.' in fields ? {} : value;
  if (Array.isArray(value)) return pickItems(value as unknown[], inner);
  if (!isMap(value)) return value;
  const picked = inner.flatMap(([key, below]) => {
    const name = key.startsWith('f:') ? key.slice(2) : undefined;
    return name === undefined || !Object.hasOwn(value, name) ? [] : [[name, pick(value[name], below)] as [string, unknown]];
  });
  return Object.fromEntries(picked);
}

function pickItems(items: readonly unknown[], fields: readonly [string, FieldSet][]): unknown[] {
  return items.flatMap((item) => {
    for (const [key, below] of fields) {
      if (key.startsWith('v:') && key.slice(2) === JSON.stringify(item)) return [item];
      if (!key.startsWith('k:')) continue;
      const keys = JSON.parse(key.slice(2)) as Record<string, unknown>;
      const isIt = isMap(item) && Object.entries(keys).every(([name, value]) => item[name] === value);
      if (isIt) return [{ ...keys, ...(pick(item, below) as object) }];
    }
    return [];
  });
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
