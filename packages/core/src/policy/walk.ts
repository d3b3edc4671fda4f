/** A map of a manifest. What is inside may be anything. */
export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One entry of a map somewhere inside a manifest. */
export interface Entry {
  key: string;
  value: unknown;
  /** Of the value: `spec.tasks[0].template`. */
  path: string;
  /** The map it stands in. */
  parent: Fields;
  /** The key of that map, `''` for the whole object. */
  parentKey: string;
}

/** Every entry of every map in `value`, whatever lies above it: nothing hides in a kind that we do not know. */
export function* entries(value: unknown, path = '', parentKey = ''): Generator<Entry> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* entries(item, `${path}[${index}]`, parentKey);
    return;
  }
  if (!isFields(value)) return;
  for (const [key, item] of Object.entries(value)) {
    const place = join(path, key);
    yield { key, value: item, path: place, parent: value, parentKey };
    yield* entries(item, place, key);
  }
}

/** A path with one more key: quoted where it is no plain word. */
export function join(path: string, key: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/u.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

/** The fields at a chain of keys; undefined where something else stands on the way. */
export function fieldsAt(value: unknown, ...keys: string[]): Fields | undefined {
  let found = value;
  for (const key of keys) found = isFields(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  return isFields(found) ? found : undefined;
}

/** `Kind.group` of an object, without a group for the core's: `Job.batch`, `ConfigMap`. */
export function kindOf(object: Fields): string {
  const { apiVersion, kind } = object;
  const group = typeof apiVersion === 'string' && apiVersion.includes('/') ? `.${apiVersion.slice(0, apiVersion.indexOf('/'))}` : '';
  return `${textOf(kind)}${group}`;
}

/** What stands in a field as a text: a manifest may hold an object whose `toString` is a number. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
