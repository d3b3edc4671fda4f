import { ActionError } from '../action/errors.ts';
import { nearest } from '../config/near.ts';
import { fieldsIn, isFields, type Fields } from './fields.ts';

/** A value as the API takes it. */
type Value = string | number | boolean | unknown[] | Fields;

/** How a type is written, and what it is called in Python. */
const types = new Map<string, { words: string; read(text: string): Value | undefined }>([
  ['NUMBER_INTEGER', { words: 'a whole number (int)', read: (text) => numberIn(text, Number.isSafeInteger) }],
  ['NUMBER_DOUBLE', { words: 'a number (float)', read: (text) => numberIn(text, Number.isFinite) }],
  ['STRING', { words: 'a text (str)', read: (text) => text }],
  ['BOOLEAN', { words: 'true or false (bool)', read: (text) => new Map<string, Value>([...booleans]).get(text) }],
  ['LIST', { words: 'a JSON list (list)', read: (text) => jsonIn(text, Array.isArray) }],
  ['STRUCT', { words: 'a JSON object (dict)', read: (text) => jsonIn(text, isFields) }],
]);
const booleans: [string, boolean][] = [
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
];

/**
 * The values of a pipeline's parameters, in the types that its specification declares
 * (https://github.com/kubeflow/pipelines/blob/2.17.0/api/v2alpha1/pipeline_spec.proto, `ParameterSpec`). What is not given
 * takes the pipeline's own default.
 * @throws ActionError `input` for a name that it does not have, with those it has; for a text that is not of the type; and for a
 *   parameter without value
 */
export function parameterValues(pipelineSpec: Fields, given: ReadonlyMap<string, string>): Record<string, Value> {
  const declared = fieldsIn(fieldsIn(fieldsIn(pipelineSpec, 'root'), 'inputDefinitions'), 'parameters') ?? {};
  const values: [string, Value][] = [];
  for (const [name, text] of given) {
    const declaration = fieldsIn(declared, name);
    if (!declaration) throw unknownName(name, declared);
    const type = String(declaration['parameterType']);
    const known = types.get(type);
    if (!known) throw new ActionError('unsupported', `the pipeline's parameter "${name}" is of the type ${type}, which nobody can give`);
    const value = known.read(text);
    const literals = declaration['literals'];
    if (value === undefined || (Array.isArray(literals) && !literals.includes(value))) {
      const allowed = Array.isArray(literals) ? literals.map((one) => JSON.stringify(one)).join(', ') : known.words;
      throw new ActionError('input', `the parameter "${name}" is ${JSON.stringify(text.slice(0, 200))}; allowed: ${allowed}`);
    }
    values.push([name, value]);
  }
  for (const [name, declaration] of Object.entries(declared)) {
    const isFilled = given.has(name) || !isFields(declaration) || 'defaultValue' in declaration || declaration['isOptional'] === true;
    if (isFilled) continue;
    throw new ActionError('input', `the pipeline's parameter "${name}" has no value`, {
      remedy: `give it under "parameters:", or a default in the pipeline's function: ${typed(name, declaration)}`,
    });
  }
  return Object.fromEntries(values);
}

function unknownName(name: string, declared: Fields): ActionError {
  const names = Object.keys(declared);
  const near = nearest(name, names);
  return new ActionError('input', `input "parameters" names ${JSON.stringify(name)}, which the pipeline does not have`, {
    remedy:
      names.length === 0
        ? 'it has none'
        : `${near === undefined ? '' : `did you mean "${near}"? `}it has ${Object.entries(declared)
            .map(([each, declaration]) => typed(each, declaration))
            .join(', ')}`,
  });
}

/** `epochs (int)` */
function typed(name: string, declaration: unknown): string {
  const type = String(isFields(declaration) ? declaration['parameterType'] : '');
  return `${name} (${/\((\w+)\)/u.exec(types.get(type)?.words ?? '')?.[1] ?? type})`;
}

function numberIn(text: string, fits: (value: number) => boolean): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/u.test(text)) return undefined;
  const value = Number(text);
  return fits(value) ? value : undefined;
}

function jsonIn<T extends Value>(text: string, fits: (value: unknown) => value is T): T | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return fits(value) ? value : undefined;
  } catch {
    // The caller says what is allowed.
    return undefined;
  }
}
