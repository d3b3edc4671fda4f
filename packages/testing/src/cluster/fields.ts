/* Sets of fields: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
import type { FieldSet } from './objects.ts';
import { isObject } from './patch.ts';
import { same } from './store.ts';

/** Lists whose items are the same where these fields are, by the list's name (`x-kubernetes-list-map-keys`). */
const keyed: Record<string, readonly string[]> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  imagePullSecrets: ['name'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  conditions: ['type'],
  ownerReferences: ['uid'],
};
/** Lists that are sets (`x-kubernetes-list-type: set`). */
const sets = new Set(['finalizers']);
/** Objects that have one owner as a whole (`x-kubernetes-map-type: atomic`). */
const atomic = new Set(['selector', 'nodeSelector', 'fieldRef', 'resourceFieldRef', 'secretKeyRef', 'configMapKeyRef', 'labelSelector']);
const metadataOfServer = new Set([
  ...['name', 'namespace', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp', 'managedFields'],
  ...['deletionGracePeriodSeconds', 'selfLink'],
]);

const keysOf = (list: string, items: readonly unknown[]): readonly string[] | undefined => {
  // Of a container by port and protocol, of a Service by its own.
  if (list === 'ports')
    return items.some((item) => isObject(item) && 'containerPort' in item) ? ['containerPort', 'protocol'] : ['port', 'protocol'];
  return keyed[list];
};

/** An item's name in a set: `k:{"name":"main"}`. */
function itemKey(keys: readonly string[], item: unknown): string {
  const object = isObject(item) ? item : {};
  const has = keys.map((key) => [key, object[key] ?? (key === 'protocol' ? 'TCP' : undefined)]).filter(([, value]) => value !== undefined);
  return `k:${JSON.stringify(Object.fromEntries(has))}`;
}

/** The items of a list by their names in a set; undefined where the list is one value. */
export function itemsOf(name: string, list: readonly unknown[]): Map<string, unknown> | undefined {
  if (sets.has(name)) return new Map(list.map((item) => [`v:${JSON.stringify(item)}`, item]));
  const keys = keysOf(name, list);
  return keys && list.every(isObject) ? new Map(list.map((item) => [itemKey(keys, item), item])) : undefined;
}

/** What lies in a value, by names in a set; undefined for a leaf. */
export function partsOf(name: string, value: unknown): Map<string, unknown> | undefined {
  if (Array.isArray(value)) return itemsOf(name, value);
  if (!isObject(value) || atomic.has(name)) return undefined;
  return new Map(Object.entries(value).map(([key, item]) => [`f:${key}`, item]));
}

const nameIn = (key: string): string => (key.startsWith('f:') ? key.slice(2) : '');

/** An object without what only the server writes. */
export function ofClient(object: Record<string, unknown>): Record<string, unknown> {
  const metadata = Object.entries(isObject(object['metadata']) ? object['metadata'] : {}).filter(([name]) => !metadataOfServer.has(name));
  const rest = Object.entries(object).filter(([name]) => !['apiVersion', 'kind', 'metadata'].includes(name));
  return { ...(metadata.length > 0 ? { metadata: Object.fromEntries(metadata) } : {}), ...Object.fromEntries(rest) };
}

/** The fields that an applied object has. */
export function appliedFields(object: Record<string, unknown>): FieldSet {
  const walk = (name: string, value: unknown): FieldSet => {
    const parts = partsOf(name, value);
    if (!parts) return {};
    return Object.fromEntries(
      [...parts].map(([key, part]) => [key, key.startsWith('k:') ? { '.': {}, ...walk('', part) } : walk(nameIn(key), part)]),
    );
  };
  return walk('', ofClient(object));
}

/** The fields that are in `then` and were not, or not so, in `before`. */
export function changedFields(before: Record<string, unknown>, then: Record<string, unknown>): FieldSet {
  const after = ofClient(then);
  const walk = (name: string, old: unknown, now: unknown): FieldSet | undefined => {
    if (same(old, now)) return undefined;
    const parts = partsOf(name, now);
    if (!parts || (parts.size === 0 && old === undefined)) return {};
    const others = partsOf(name, old) ?? new Map<string, unknown>();
    const changed = [...parts].map(([key, part]) => [key, walk(nameIn(key), others.get(key), part)] as const);
    const own = old === undefined && name !== 'metadata' && name !== 'spec' && name !== 'status' && name !== 'template' && name !== '';
    const isItem = old === undefined && name === '' && now !== after;
    const found = Object.fromEntries(changed.filter((entry): entry is [string, FieldSet] => entry[1] !== undefined));
    return own || isItem ? { '.': {}, ...found } : Object.keys(found).length > 0 ? found : undefined;
  };
  return walk('', ofClient(before), after) ?? {};
}

/** Paths of a set's own members, each as its keys. */
export function pathsOf(set: FieldSet, above: readonly string[] = []): string[][] {
  const entries = Object.entries(set);
  if (entries.length === 0) return above.length > 0 ? [[...above]] : [];
  return entries.flatMap(([key, inner]) => (key === '.' ? [[...above]] : pathsOf(inner, [...above, key])));
}

/** Whether a set has this path or anything below it. */
export function touches(set: FieldSet, path: readonly string[]): boolean {
  let at: FieldSet | undefined = set;
  for (const key of path) {
    at = at[key];
    if (!at) return false;
  }
  return true;
}

/** Whether this path itself is a member. */
export function hasPath(set: FieldSet, path: readonly string[]): boolean {
  let at: FieldSet | undefined = set;
  for (const key of path) {
    at = at[key];
    if (!at) return false;
  }
  return Object.keys(at).length === 0 || '.' in at;
}

/** The set without the paths that `drop` names. */
export function without(set: FieldSet, drop: (path: readonly string[]) => boolean): FieldSet {
  const kept = pathsOf(set).filter((path) => !drop(path));
  return setOf(kept);
}

/** The set of these paths. */
export function setOf(paths: readonly (readonly string[])[]): FieldSet {
  const set: FieldSet = {};
  for (const path of paths) {
    let at = set;
    for (const key of path) at = at[key] ??= {};
    at['.'] = {};
  }
  const tidy = (node: FieldSet): FieldSet => {
    const inner = Object.entries(node).filter(([key]) => key !== '.');
    return inner.length === 0
      ? {}
      : { ...('.' in node ? { '.': {} } : {}), ...Object.fromEntries(inner.map(([key, item]) => [key, tidy(item)])) };
  };
  return tidy(set);
}

/** The value at a path, or undefined. */
export function valueAt(object: Record<string, unknown>, path: readonly string[]): unknown {
  let value: unknown = object;
  let name = '';
  for (const key of path) {
    value = partsOf(name, value)?.get(key);
    name = nameIn(key);
  }
  return value;
}

/** `.spec.template.spec.containers[name="main"].image`, as errors name it. */
export function pathText(path: readonly string[]): string {
  return path
    .map((key) => {
      if (key.startsWith('f:')) return `.${key.slice(2)}`;
      const value = JSON.parse(key.slice(2)) as unknown;
      if (key.startsWith('v:')) return `[=${JSON.stringify(value)}]`;
      return `[${Object.entries(value as Record<string, unknown>)
        .map(([name, part]) => `${name}=${JSON.stringify(part)}`)
        .join(',')}]`;
    })
    .join('');
}
