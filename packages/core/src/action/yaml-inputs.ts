import { parseDocument } from 'yaml';
import { ActionError } from './errors.ts';
import { refused, type Inputs } from './inputs.ts';

/*
 * Inputs that are lists and maps. Apart from the others, since a YAML parser takes a tenth of the start of an action that has none.
 */

/** A YAML list of strings, `[]` where the input is empty. Numbers and booleans keep the letters they were written with. */
export function listOf(inputs: Inputs, name: string, folder: string): string[] {
  const value = yamlOf(inputs, name, folder);
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
    throw refused(name, inputs.text(name) ?? '', 'a YAML list of texts, such as "- a"');
  return value;
}

/** A YAML map of strings, empty where the input is empty. Numbers and booleans keep the letters they were written with. */
export function mapOf(inputs: Inputs, name: string, folder: string): Map<string, string> {
  const value = yamlOf(inputs, name, folder);
  if (value === undefined) return new Map();
  if (!(value instanceof Map) || ![...value].every(([key, item]) => typeof key === 'string' && typeof item === 'string')) {
    throw refused(name, inputs.text(name) ?? '', 'a YAML map of names and texts, such as "epochs: 20"');
  }
  return value as Map<string, string>;
}

/** A YAML map of names, each with a map of values of any form. Used for inputs that hold several of what others hold one of. */
export function mapsOf(inputs: Inputs, name: string, folder: string): Map<string, Map<string, unknown>> {
  const value = yamlOf(inputs, name, folder);
  if (value === undefined) return new Map();
  const isMap = (item: unknown): boolean => item instanceof Map && [...item.keys()].every((key) => typeof key === 'string');
  if (!isMap(value) || ![...(value as Map<string, unknown>).values()].every(isMap))
    throw refused(name, inputs.text(name) ?? '', 'a YAML map of names, each with a map, such as "train: {context: training}"');
  return value as Map<string, Map<string, unknown>>;
}

function yamlOf(inputs: Inputs, name: string, folder: string): unknown {
  const source = inputs.textOrFile(name, folder);
  if (source === undefined) return undefined;
  // The failsafe schema knows text alone: "1.10" stays "1.10". Maps, so that no key can reach a prototype.
  const document = parseDocument(source.text, { schema: 'failsafe', uniqueKeys: true });
  const problem = document.errors[0];
  if (problem)
    throw new ActionError('input', `input "${name}"${source.file ? ` (${source.file})` : ''} is not YAML: ${problem.message}`, {
      cause: problem,
    });
  return document.toJS({ mapAsMap: true, maxAliasCount: 0 });
}
