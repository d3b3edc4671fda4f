import { inspect } from 'node:util';
import fc from 'fast-check';
import { ActionError } from '@slashtrain/core/action/errors';

// The same texts in every run of the tests; by `pnpm faults`, which names how many, others each time.
const asked = process.env['SLASHTRAIN_FUZZ_RUNS'];
export const fuzzRuns = asked === undefined ? { numRuns: 40, seed: 20261121 } : { numRuns: Number(asked) };

/** Values that programs trip over, beside any. */
const strange: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1.5,
    1e21,
    '',
    ' ',
    '🙂',
    '\u0000',
    '__proto__',
    'constructor',
    [],
    [[]],
    {},
    [null],
    'x'.repeat(5000),
  ),
  fc.constantFrom<unknown>({ __proto__: null, length: 3 }, { toString: 1 }, [{}], { name: null }, '9'.repeat(400), '2026-13-01T00:00:00Z'),
  fc.jsonValue({ maxDepth: 2 }),
);

/** `data` with one of its parts replaced, or left out, or a key of it renamed. */
export function spoiled(data: unknown, keepsTypes = false): fc.Arbitrary<unknown> {
  const places: (string | number)[][] = [[]];
  const visit = (value: unknown, path: (string | number)[]): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) {
      const at = [...path, Array.isArray(value) ? Number(key) : key];
      places.push(at);
      visit((value as Record<string, unknown>)[key], at);
    }
  };
  visit(data, []);
  const change = fc.tuple(fc.constantFrom(...places), fc.constantFrom('replace', 'remove', 'double'), strange);
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) =>
    changes.reduce(
      // Each gets a copy: the next change may be of a part of it.
      (now, [path, how, value]) => changed(now, path, how, structuredClone(keepsTypes ? alike(valueAt(now, path), value) : value)),
      structuredClone(data),
    ),
  );
}

function valueAt(data: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((now, key) => (now as Record<string, unknown> | null | undefined)?.[key], data);
}

/** `value` as something of the same type: what a schema lets through. */
function alike(old: unknown, value: unknown): unknown {
  if (typeof old === 'string') return typeof value === 'string' ? value : JSON.stringify(value);
  if (typeof old === 'number') return typeof value === 'number' ? value : 0;
  if (Array.isArray(old)) return [];
  return typeof old === 'object' && old !== null ? {} : old;
}

function changed(data: unknown, path: readonly (string | number)[], how: string, value: unknown): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  let parent = data;
  for (const key of path.slice(0, -1)) parent = (parent as Record<string, unknown> | null | undefined)?.[key];
  if (typeof parent !== 'object' || parent === null) return data;
  if (Array.isArray(parent)) {
    if (how === 'remove') parent.splice(Number(last), 1);
    else if (how === 'double') parent.push(...(parent as unknown[]));
    else if (Number(last) < parent.length) parent[Number(last)] = value;
  } else if (how === 'remove') Reflect.deleteProperty(parent, last);
  else
    Object.defineProperty(parent, how === 'double' ? `${String(last)}x` : last, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  return data;
}

/** A text of which something is cut, doubled or replaced. */
export function torn(text: string): fc.Arbitrary<string> {
  const at = fc.nat({ max: text.length });
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      '\u0000',
      '\r',
      '\n',
      '---\n',
      '&a ',
      '*a',
      '!!js/function ',
      '<<: ',
      '{{',
      '"',
      "'",
      '\\',
      '\t',
      '[',
      '}',
      ':',
      '- ',
      '%',
      '\u2028',
      '\ufeff',
    ),
  );
  return fc
    .array(fc.tuple(at, fc.nat({ max: 40 }), piece), { minLength: 1, maxLength: 4 })
    .map((cuts) => cuts.reduce((now, [from, length, put]) => now.slice(0, from) + put + now.slice(from + length), text));
}

/** What only our own errors may come out of. @returns what was thrown beside them, as text */
export async function tried(read: () => unknown): Promise<string | undefined> {
  try {
    await read();
    return undefined;
  } catch (error) {
    return error instanceof ActionError && error.message !== '' && error.code !== 'internal' ? undefined : inspect(error);
  }
}

/** Whether `read` gives a value or an ActionError of all of `texts`. */
export async function holds(texts: fc.Arbitrary<string>, read: (text: string) => unknown): Promise<void> {
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      const thrown = await tried(() => read(text));
      if (thrown !== undefined) throw new Error(thrown);
    }),
    fuzzRuns,
  );
}
