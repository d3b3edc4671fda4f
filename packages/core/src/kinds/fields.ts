import { ActionError } from '../action/errors.ts';

/** A map of a manifest or a status, which are strangers' texts: anything can be in it. */
export type Fields = Record<string, unknown>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The map under `key`, itself and no copy; undefined where there is none. */
export function fieldsIn(value: unknown, key: string): Fields | undefined {
  const found = isFields(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return isFields(found) ? found : undefined;
}

/** The maps in the list under `key`; none where there is no list. */
export function listIn(value: unknown, key: string): Fields[] {
  const list = isFields(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return Array.isArray(list) ? list.filter(isFields) : [];
}

/**
 * The map at `path`, itself and no copy.
 * @param what for the error, such as `JobSet`
 * @throws ActionError `manifest` that names what is missing, or no map
 */
export function needFields(what: string, value: unknown, ...path: string[]): Fields {
  let found: unknown = value;
  for (const [index, key] of path.entries()) {
    found = fieldsIn(found, key);
    if (!found) throw new ActionError('manifest', `the ${what} has no "${path.slice(0, index + 1).join('.')}"`);
  }
  if (!isFields(found)) throw new ActionError('manifest', `the ${what} is no map`);
  return found;
}
