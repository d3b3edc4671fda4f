import * as models from '@kubernetes/client-node';
import { Undecodable } from './errors.ts';
import { isQuantity, normalise } from './quantity.ts';
import type { ResourceType } from './resources.ts';

interface Attribute {
  baseName: string;
  type: string;
  format: string;
}

interface Model {
  getAttributeTypeMap(): Attribute[];
}

/** An object as the server's types hold it, and the paths that they do not know. */
export interface Decoded {
  object: Record<string, unknown>;
  /** `spec.template.spec.containers[0].foo` */
  unknown: string[];
}

/**
 * Reads `value` as the type, as the real server's decoder does: unknown fields and nulls are left out, other types
 * than the field's are refused. The types are those that upstream's OpenAPI description generated for
 * `@kubernetes/client-node`.
 * @throws Undecodable
 */
export function decode(type: ResourceType, value: Record<string, unknown>): Decoded {
  const unknown: string[] = [];
  const refuse = (problem: string): never => {
    throw new Undecodable(problem);
  };
  const walk = (given: unknown, as: string, format: string, path: string, parent: string): unknown => {
    // Go's decoder names a field without indexes and its struct without the version.
    const mismatch = (wanted: string): never =>
      refuse(
        `json: cannot unmarshal ${jsonType(given)} into Go struct field ${parent}.${path.replaceAll(/\[[^\]]*\]/gu, '')} of type ${wanted}`,
      );
    const list = /^Array<(.*)>$/u.exec(as);
    if (list) {
      if (!Array.isArray(given)) return mismatch(`[]${goType(list[1]!, format)}`);
      return given.map((item, index) => walk(item, list[1]!, format, `${path}[${index}]`, parent));
    }
    const map = /^\{ \[key: string\]: (.*); \}$/u.exec(as);
    if (map) {
      if (jsonType(given) !== 'object') return mismatch(`map[string]${goType(map[1]!, format)}`);
      const quantities = /\.(limits|requests|capacity|allocatable|overhead)$/u.test(path);
      return Object.fromEntries(
        Object.entries(given as object)
          .filter(([, item]) => item !== null)
          .map(([name, item]) => [
            name,
            // Resource quantities may be numbers; the server writes them as text.
            quantities ? quantity(item, refuse) : walk(item, map[1]!, format, path, parent),
          ]),
      );
    }
    if (as === 'string') return typeof given === 'string' ? given : mismatch('string');
    if (as === 'boolean') return typeof given === 'boolean' ? given : mismatch('bool');
    if (as === 'number') {
      return typeof given === 'number' && (format === 'double' || Number.isInteger(given)) ? given : mismatch(format || 'int64');
    }
    if (as === 'any' || as === 'object' || as === 'IntOrString') return given;
    if (as === 'Date' || as === 'V1MicroTime') return typeof given === 'string' ? given : mismatch('string');
    const model = (models as unknown as Record<string, Model | undefined>)[as];
    if (typeof model?.getAttributeTypeMap !== 'function') return given;
    const struct = as.replace(/^(Core|Batch|Events)?V\d+((alpha|beta)\d+)?/u, '');
    if (jsonType(given) !== 'object') return mismatch(`v1.${struct}`);
    const attributes = new Map(model.getAttributeTypeMap().map((attribute) => [attribute.baseName, attribute]));
    const result: Record<string, unknown> = {};
    const strange: string[] = [];
    for (const [name, item] of Object.entries(given as object)) {
      const at = path === '' ? name : `${path}.${name}`;
      const attribute = attributes.get(name);
      if (!attribute) strange.push(at);
      else if (item !== null) result[name] = walk(item, attribute.type, attribute.format, at, struct);
    }
    unknown.push(...strange);
    return result;
  };
  return { object: walk(value, type.model, '', '', '') as Record<string, unknown>, unknown };
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : value === null ? 'null' : typeof value;
}

function goType(type: string, format: string): string {
  if (type === 'number') return format || 'int64';
  if (type === 'string') return 'string';
  return `v1.${type.replace(/^V\d+/u, '')}`;
}

function quantity(value: unknown, refuse: (problem: string) => never): string {
  const text = String(value);
  if (!isQuantity(text)) refuse("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  return normalise(text);
}
