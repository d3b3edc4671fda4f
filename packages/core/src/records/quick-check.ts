import { format as formats } from '@cfworker/json-schema';

/** Whether a value is what a schema says. */
export type Check = (value: unknown) => boolean;

type Part = Record<string, unknown>;

// They say something to people, or where something is.
const silent = new Set(['$schema', '$id', '$defs', 'title', 'description', 'examples']);

/**
 * Makes functions of a JSON schema, once: the library reads the schema anew for each value, and took half of the time of a
 * sync of 1,000 records. What these accept, the library accepts. For the keywords of our own schemas alone.
 * @param others what `$ref` may name besides the schema's own parts, by its `$id`
 * @throws Error for a keyword that it does not know
 */
export function quickCheck(schema: Part, others: readonly Part[] = []): Check {
  const known = new Map([schema, ...others].map((one) => [String(one['$id']), one]));
  const made = new Map<string, Check>();

  const refer = (reference: string, base: string): Check => {
    const { href, hash } = new URL(reference, base);
    const there = made.get(href);
    if (there) return there;
    const file = href.slice(0, href.length - hash.length);
    let part: unknown = known.get(file);
    for (const step of hash.split('/').slice(1)) part = (part as Part | undefined)?.[step];
    if (part === undefined) throw new Error(`${reference}: not found from ${base}`);
    const check = compile(part as Part, file);
    made.set(href, check);
    return check;
  };

  const keywords: Record<string, (argument: never, base: string) => Check> = {
    $ref: refer,
    type: (type: string) => types[type] ?? unknown(type),
    const: (wanted: string | number | boolean) => (value) => value === wanted,
    enum: (wanted: unknown[]) => (value) => wanted.includes(value),
    minimum: (least: number) => (value) => typeof value !== 'number' || value >= least,
    minLength: (least: number) => (value) => typeof value !== 'string' || (least < 2 ? value.length >= least : [...value].length >= least),
    pattern: (pattern: string) => {
      const expression = new RegExp(pattern, 'u');
      return (value) => typeof value !== 'string' || expression.test(value);
    },
    format: (name: string) => {
      const check = formats[name] ?? unknown(name);
      return (value) => typeof value !== 'string' || check(value);
    },
    minItems: (least: number) => (value) => !Array.isArray(value) || value.length >= least,
    items: (part: Part, base) => {
      const check = compile(part, base);
      return (value) => !Array.isArray(value) || value.every(check);
    },
    required: (names: string[]) => (value) => !isObject(value) || names.every((name) => Object.hasOwn(value, name)),
    properties: (parts: Record<string, Part>, base) => {
      const checks = Object.entries(parts).map(([name, part]): [string, Check] => [name, compile(part, base)]);
      return (value) => !isObject(value) || checks.every(([name, check]) => !Object.hasOwn(value, name) || check(value[name]));
    },
  };

  const compile = (part: Part, base: string): Check => {
    const checks = Object.entries(part).flatMap(([keyword, argument]) =>
      silent.has(keyword) ? [] : [(keywords[keyword] ?? unknown(keyword))(argument as never, base)],
    );
    return (value) => checks.every((check) => check(value));
  };
  return compile(schema, String(schema['$id']));
}

const types: Record<string, Check> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
};

function isObject(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknown(what: string): never {
  throw new Error(`the schema has ${JSON.stringify(what)}, which quickCheck does not know`);
}
