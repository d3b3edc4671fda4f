import { ApiError, type Cause } from './errors.ts';
import { appliedFields, hasPath, itemsOf, ofClient, pathText, pathsOf, partsOf, touches, valueAt, without } from './fields.ts';
import type { FieldSet, ManagedFields, Stored } from './objects.ts';
import { timestamp } from './objects.ts';
import { isObject } from './patch.ts';
import { flag, type ApiRequest } from './request.ts';
import { apiVersionOf } from './resources.ts';
import { same } from './store.ts';

type Json = Record<string, unknown>;

/** What an apply makes of an object. */
export interface Applied {
  object: Json;
  managedFields: ManagedFields[];
}

/**
 * Server-side apply: what is applied lies over what is there; what the manager applied before and no longer does goes,
 * unless another one has it too; what another one has set otherwise is a conflict.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/
 * @param applied the request's object, as the server's types read it
 * @param before undefined where there is none yet
 * @throws ApiError 409, 422
 */
export function apply(request: ApiRequest, applied: Json, before: Stored | undefined): Applied {
  const manager = request.query.get('fieldManager');
  if (!manager) {
    const causes = [{ reason: 'FieldValueRequired', message: 'Required value: is required for apply patch', field: 'fieldManager' }];
    const message = `PatchOptions.meta.k8s.io "" is invalid: fieldManager: ${causes[0]!.message}`;
    throw new ApiError(422, 'Invalid', message, { group: 'meta.k8s.io', kind: 'PatchOptions', causes });
  }
  const managers = before?.metadata.managedFields ?? [];
  const isOwn = (entry: ManagedFields): boolean =>
    entry.manager === manager && entry.operation === 'Apply' && entry.subresource === request.subresource;
  const last = managers.find(isOwn);
  const others = managers.filter((entry) => entry !== last);
  const wanted = ofClient(applied);
  const fields = appliedFields(applied);
  const live = before ? ofClient(before) : {};

  const taken = pathsOf(fields).filter((path) => !same(valueAt(live, path), valueAt(wanted, path)) && partsAt(wanted, path) === undefined);
  const conflicts = others.flatMap((entry) => taken.filter((path) => hasPath(entry.fieldsV1, path)).map((path) => ({ entry, path })));
  if (conflicts.length > 0 && !flag(request.query, 'force')) throw conflictWith(conflicts);
  const left = others.map((entry) => ({
    ...entry,
    fieldsV1: without(entry.fieldsV1, (path) => taken.some((one) => one.join('\n') === path.join('\n'))),
  }));

  const claimed = [fields, ...left.map((entry) => entry.fieldsV1)];
  const pruned = last ? prune(live, last.fieldsV1, (path) => claimed.some((set) => touches(set, path))) : live;
  const merged = lay('', pruned, wanted) as Json;
  const now: ManagedFields = {
    manager,
    operation: 'Apply',
    apiVersion: apiVersionOf(request.type),
    time: last && same(last.fieldsV1, fields) ? last.time : timestamp(),
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
    ...(request.subresource === undefined ? {} : { subresource: request.subresource }),
  };
  const kept = left.filter((entry) => Object.keys(entry.fieldsV1).length > 0);
  return {
    object: { ...applied, ...merged, metadata: { ...(applied['metadata'] as Json), ...(merged['metadata'] as Json | undefined) } },
    managedFields: [...kept.filter((entry) => entry.operation === 'Apply'), now, ...kept.filter((entry) => entry.operation === 'Update')],
  };
}

const partsAt = (object: Json, path: readonly string[]): unknown => {
  const key = path.at(-1) ?? '';
  const value = valueAt(object, path);
  const parts = partsOf(key.startsWith('f:') ? key.slice(2) : '', value);
  return parts && parts.size > 0 ? parts : undefined;
};

/** Takes away what the set names and nobody claims any more, with all below it. */
function prune(object: Json, set: FieldSet, isClaimed: (path: readonly string[]) => boolean): Json {
  const walk = (name: string, value: unknown, own: FieldSet, path: readonly string[]): unknown => {
    const parts = partsOf(name, value);
    if (!parts) return value;
    const kept = [...parts].flatMap(([key, part]): [string, unknown][] => {
      const mine = own[key];
      if (!mine) return [[key, part]];
      const here = [...path, key];
      if (!isClaimed(here)) return [];
      return [[key, walk(key.startsWith('f:') ? key.slice(2) : '', part, mine, here)]];
    });
    return Array.isArray(value) ? kept.map(([, part]) => part) : Object.fromEntries(kept.map(([key, part]) => [key.slice(2), part]));
  };
  return walk('', object, set, []) as Json;
}

/** Lays one value over another: objects field by field, lists with keys item by item, everything else as a whole. */
function lay(name: string, below: unknown, above: unknown): unknown {
  if (Array.isArray(above)) {
    const items = itemsOf(name, above);
    const old = Array.isArray(below) ? itemsOf(name, below) : undefined;
    if (!items || !old) return above;
    return interleave(old, items);
  }
  if (!isObject(above) || !isObject(below) || partsOf(name, above) === undefined) return above;
  const result = new Map<string, unknown>(Object.entries(below));
  for (const [key, value] of Object.entries(above)) result.set(key, lay(key, result.get(key), value));
  return Object.fromEntries(result);
}

/** Both in their own order; where they disagree, in that of what is applied. */
function interleave(old: ReadonlyMap<string, unknown>, items: ReadonlyMap<string, unknown>): unknown[] {
  const result: unknown[] = [];
  const [left, right] = [[...old.keys()], [...items.keys()]];
  const done = new Set<string>();
  while (left.length > 0 || right.length > 0) {
    const [mine, theirs] = [left[0], right[0]];
    if (mine !== undefined && (done.has(mine) || !items.has(mine))) {
      left.shift();
      if (!done.has(mine)) result.push(old.get(mine));
      continue;
    }
    const key = (theirs ?? mine)!;
    right.shift();
    done.add(key);
    result.push(old.has(key) ? lay('', old.get(key), items.get(key)) : items.get(key));
  }
  return result;
}

/** In the words of k8s.io/apimachinery/pkg/util/managedfields/internal, NewConflictError. */
function conflictWith(conflicts: readonly { entry: ManagedFields; path: readonly string[] }[]): ApiError {
  const who = ({ manager, subresource, operation, apiVersion }: ManagedFields): string =>
    `${JSON.stringify(manager)}${subresource === undefined ? '' : ` with subresource ${JSON.stringify(subresource)}`}${operation === 'Update' ? ` using ${apiVersion}` : ''}`;
  const causes: Cause[] = conflicts.map(({ entry, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${who(entry)}`,
    field: pathText(path),
  }));
  const byManager = new Map<string, string[]>();
  for (const { message, field = '' } of causes) byManager.set(message, [...(byManager.get(message) ?? []), field]);
  const many = [...byManager].map(([message, fields]) =>
    fields.length === 1
      ? `${message}: ${fields[0]}`
      : `${message.replace('conflict', 'conflicts')}:\n${fields.map((field) => `- ${field}`).join('\n')}`,
  );
  const count = causes.length === 1 ? '1 conflict' : `${causes.length} conflicts`;
  return new ApiError(409, 'Conflict', `Apply failed with ${count}: ${many.join('\n')}`, { causes });
}
