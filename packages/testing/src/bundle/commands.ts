/** A line that the runner takes as a workflow command. */
export interface Command {
  /** In lower case. */
  name: string;
  /** Null prototype. */
  properties: Record<string, string>;
  data: string;
}

/** What the runner knows (actions/runner, `ActionCommandManager.cs`). */
const known = new Set([
  'add-mask',
  'add-matcher',
  'add-path',
  'debug',
  'echo',
  'endgroup',
  'error',
  'group',
  'internal-set-repo-path',
  'notice',
  'remove-matcher',
  'save-state',
  'set-env',
  'set-output',
  'stop-commands',
  'warning',
]);

/**
 * Reads a line as the runner does: `::name key=value,…::data` at its start (after white space), else `##[name key=value;…]data`
 * anywhere in it (https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs, TryParseV2 and TryParse).
 * @param resume the token that ends `stop-commands`, which counts as a command while commands are stopped
 */
export function parseCommand(line: string, resume?: string): Command | undefined {
  return parseNew(line, resume) ?? parseOld(line, resume);
}

function parseNew(line: string, resume: string | undefined): Command | undefined {
  const text = line.trimStart();
  if (!text.startsWith('::')) return undefined;
  const end = text.indexOf('::', 2);
  if (end < 0) return undefined;
  return command(text.slice(2, end), ',', text.slice(end + 2), [...unescapes, ['%3A', ':'], ['%2C', ',']], unescapes, resume);
}

function parseOld(line: string, resume: string | undefined): Command | undefined {
  const start = line.indexOf('##[');
  if (start < 0) return undefined;
  const end = line.indexOf(']', start);
  if (end < 0) return undefined;
  const escapes: Escapes = [...unescapes, ['%3B', ';'], ['%5D', ']']];
  return command(line.slice(start + 3, end), ';', line.slice(end + 1), escapes, escapes, resume);
}

type Escapes = readonly (readonly [string, string])[];
const unescapes: Escapes = [
  ['%0D', '\r'],
  ['%0A', '\n'],
];

function command(
  info: string,
  separator: string,
  data: string,
  inProperty: Escapes,
  inData: Escapes,
  resume?: string,
): Command | undefined {
  const space = info.indexOf(' ');
  const name = (space < 0 ? info : info.slice(0, space)).toLowerCase();
  if (!known.has(name) && name !== resume?.toLowerCase()) return undefined;
  const properties = Object.create(null) as Record<string, string>;
  for (const pair of space < 0
    ? []
    : info
        .slice(space + 1)
        .trim()
        .split(separator)) {
    const equals = pair.indexOf('=');
    if (equals > 0 && equals < pair.length - 1) properties[pair.slice(0, equals)] = unescape(pair.slice(equals + 1), inProperty);
  }
  return { name, properties, data: unescape(data, inData) };
}

function unescape(text: string, escapes: Escapes): string {
  let plain = text;
  for (const [escaped, character] of escapes) plain = plain.replaceAll(escaped, character);
  return plain.replaceAll('%25', '%');
}

/**
 * Reads what an action wrote to `GITHUB_OUTPUT`, `GITHUB_STATE` or `GITHUB_ENV`: `name=value` and `name<<DELIMITER` lines
 * (https://github.com/actions/runner/blob/main/src/Runner.Worker/FileCommandManager.cs, `EnvFileKeyValuePairs`).
 * @returns a null-prototype object
 * @throws Error with the runner's words; the runner then fails the step
 */
export function parseKeyValueFile(text: string): Record<string, string> {
  const pairs = Object.create(null) as Record<string, string>;
  const lines = text.split(/(?<=\n)/u);
  const chomp = (line: string): string => line.replace(/\r?\n$/u, '');
  for (let index = 0; index < lines.length; index++) {
    const line = chomp(lines[index] ?? '');
    if (line === '') continue;
    const equals = line.indexOf('=');
    const heredoc = line.indexOf('<<');
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      if (equals === 0) throw new Error(`Invalid format '${line}'. Name must not be empty`);
      pairs[line.slice(0, equals)] = line.slice(equals + 1);
    } else if (heredoc >= 0) {
      const name = line.slice(0, heredoc);
      const delimiter = line.slice(heredoc + 2);
      if (name === '' || delimiter === '')
        throw new Error(`Invalid format '${line}'. Name must not be empty and delimiter must not be empty`);
      const value: string[] = [];
      while (chomp(lines[++index] ?? '') !== delimiter) {
        if (index >= lines.length) throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`);
        value.push(lines[index] ?? '');
      }
      pairs[name] = value.join('').replace(/\r?\n$/u, '');
    } else {
      throw new Error(`Invalid format '${line}'`);
    }
  }
  return pairs;
}
