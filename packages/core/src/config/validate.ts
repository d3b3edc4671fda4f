import { Validator, type OutputUnit } from '@cfworker/json-schema';
import { pointerPart, type PositionedData } from './document.ts';
import { nearest } from './near.ts';
import { configSchema, type Schema } from './schema.ts';

/** One thing that is wrong with a configuration. */
export interface Problem {
  line: number;
  column: number;
  message: string;
}

// The validator reports each failing level; what a person can mend are these.
const mendable = new Set(['type', 'enum', 'required', 'false', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength', 'uniqueItems']);
const counts = new Set(['maxItems', 'minItems', 'maxProperties']);

/** Everything in `document` that the schema does not allow, in the file's order, in words with what is allowed. */
export function validate(document: PositionedData): Problem[] {
  if (document.data === null) return [];
  const { errors } = new Validator(configSchema, '2020-12', false).validate(document.data);
  const problems = new Map<string, Problem>();
  for (const unit of errors) {
    if (!mendable.has(unit.keyword) && !counts.has(unit.keyword)) continue;
    // The validator writes pointers as URI fragments.
    const pointer = decodeURIComponent(unit.instanceLocation.slice(1));
    // A wrong type fails other keywords as well.
    const key = `${pointer} ${unit.keyword === 'required' ? unit.error : ''}`;
    if (!problems.has(key)) problems.set(key, explain(unit, pointer, document));
  }
  return [...problems.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}

function explain(unit: OutputUnit, pointer: string, document: PositionedData): Problem {
  const name = pointer === '' ? 'the file' : `"${pathOf(pointer)}"`;
  const key = lastPart(pointer);
  if (unit.keyword === 'false') {
    const allowed = Object.keys((schemaFor(parentOf(pointer))['properties'] as Record<string, Schema> | undefined) ?? {});
    const near = nearest(key, allowed);
    return {
      ...document.keyAt(pointer),
      message: `unknown key ${show(key)} in ${placeOf(parentOf(pointer))}${near ? `; did you mean "${near}"?` : ';'} allowed: ${allowed.join(', ')}`,
    };
  }
  const schema = schemaFor(pointer);
  if (unit.keywordLocation.includes('/propertyNames/')) {
    const names = schemaFor(parentOf(pointer))['propertyNames'] as Schema;
    const allowed = String(names['patternErrorMessage'] ?? `1 to ${String(names['maxLength'])} characters`);
    return {
      ...document.keyAt(pointer),
      message: `the name ${show(key)} in ${placeOf(parentOf(pointer))} is not allowed; allowed: ${allowed}`,
    };
  }
  const value = valueFor(document.data, pointer);
  if (unit.keyword === 'required') {
    const missing = (schema['required'] as string[]).filter((wanted) => !Object.hasOwn(value as object, wanted));
    return { ...document.keyAt(pointer), message: `${name} lacks ${missing.map((wanted) => `"${wanted}"`).join(', ')}` };
  }
  return { ...document.valueAt(pointer), message: `${name} is ${show(value)}; allowed: ${allowedBy(schema, unit)}` };
}

function allowedBy(schema: Schema, unit: OutputUnit): string {
  if (Array.isArray(schema['enum'])) return schema['enum'].join(', ');
  if (typeof schema['patternErrorMessage'] === 'string') return schema['patternErrorMessage'];
  if (unit.keyword === 'uniqueItems') return 'each item once';
  if (counts.has(unit.keyword)) return `at ${unit.keyword.startsWith('max') ? 'most' : 'least'} ${String(schema[unit.keyword])} entries`;
  switch (schema['type']) {
    case 'object':
      return schema['properties'] ? `a map with ${Object.keys(schema['properties']).join(', ')}` : 'a map';
    case 'array':
      return 'a list';
    case 'boolean':
      return 'true or false';
    case 'string':
      return unit.keyword === 'type'
        ? 'a text (put it in quotes)'
        : `a text of ${String(schema['minLength'] ?? 0)} to ${String(schema['maxLength'])} characters`;
    default: {
      const kind = schema['type'] === 'integer' ? 'a whole number' : 'a number';
      const { minimum, maximum } = schema as { minimum?: number; maximum?: number };
      return minimum === undefined ? kind : `${kind} from ${minimum}${maximum === undefined ? '' : ` to ${maximum}`}`;
    }
  }
}

/** The schema of the value at a pointer: ours has neither references nor alternatives. */
function schemaFor(pointer: string): Schema {
  let schema = configSchema;
  for (const part of partsOf(pointer)) {
    const properties = schema['properties'] as Record<string, Schema> | undefined;
    const next = properties && Object.hasOwn(properties, part) ? properties[part] : (schema['items'] ?? schema['additionalProperties']);
    if (typeof next !== 'object' || next === null) return {};
    schema = next as Schema;
  }
  return schema;
}

function valueFor(data: unknown, pointer: string): unknown {
  let value = data;
  for (const part of partsOf(pointer)) value = (value as Record<string, unknown>)[part];
  return value;
}

function partsOf(pointer: string): string[] {
  return pointer === ''
    ? []
    : pointer
        .slice(1)
        .split('/')
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function parentOf(pointer: string): string {
  return pointer.slice(0, pointer.lastIndexOf('/'));
}

function lastPart(pointer: string): string {
  return partsOf(pointer).at(-1) ?? '';
}

/** A pointer as people write paths: `commands.train.arguments.epochs`, `kinds[0].kind`. */
export function pathOf(pointer: string): string {
  return partsOf(pointer)
    .map((part, index) => (/^\d+$/u.test(part) ? `[${part}]` : `${index === 0 ? '' : '.'}${part}`))
    .join('');
}

function placeOf(pointer: string): string {
  return pointer === '' ? 'the file' : `"${pathOf(pointer)}"`;
}

/** A value for a message: short, on one line. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a map';
  if (value === null || value === undefined) return 'empty';
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

/** The pointer of a path of keys. */
export function pointerOf(...keys: (string | number)[]): string {
  return keys.map((key) => `/${pointerPart(String(key))}`).join('');
}
