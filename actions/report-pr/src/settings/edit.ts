import { defaultsAnnotation } from '@slashtrain/core/kinds/parameters';
import { isAlias, isMap, isScalar, LineCounter, parseAllDocuments, type Document, type Node, type Scalar, type YAMLMap } from 'yaml';
import { isSame, writtenAs } from './scalar.ts';

/** A line of a file, counted from 1, and what it becomes. */
export interface LineChange {
  line: number;
  before: string;
  after: string;
}

/** Where a file has its settings. */
export interface SettingsPlace {
  format: 'yaml' | 'json';
  /** Names of maps from the top down. Absent: the top, or the annotation `slashtrain.dev/parameters` of a manifest. */
  key?: readonly string[];
}

interface Setting {
  name: string;
  value: string;
}

/** No settings are as long, and to read what is nested a hundred thousand times takes seconds. */
const longest = 50_000;

/** Why a file cannot be changed, in words that end a sentence about it. */
class NotChanged extends Error {}

/**
 * The lines of a file that change so that it has the settings: all of them or none. What stands on them otherwise, comments,
 * quotes and spaces, stays. Empty where the file has the settings already.
 * @param text hostile: a file of the pull request
 * @returns `why` (hostile text) where a setting has no place of its own there
 */
export function changeSettings(text: string, settings: readonly Setting[], place: SettingsPlace): LineChange[] | { why: string } {
  try {
    return changed(text, settings, place);
  } catch (error) {
    if (error instanceof NotChanged) return { why: error.message };
    throw error;
  }
}

function changed(text: string, settings: readonly Setting[], { format, key }: SettingsPlace): LineChange[] {
  if (text.length > longest) throw new NotChanged(`is longer than ${longest} characters`);
  // A suggestion and a diff have line feeds alone.
  if (text.includes('\r')) throw new NotChanged('has carriage returns');
  const { documents, lines } = parse(text, format);
  const place = settingsIn(documents, key);
  if (isScalar(place)) return inBlock(text, place, settings, lines);
  const changes = new Map<number, LineChange>();
  const rows = text.split('\n');
  const found = settings.map(({ name, value }) => ({ name, value, old: valueIn(place, name, text) }));
  // From the end on, so that what comes before on the same line stays where it is.
  const fromTheEnd = found.filter(({ old, value }) => !isSame(old, value)).toSorted((a, b) => startOf(b.old) - startOf(a.old));
  for (const { name, value, old } of fromTheEnd) {
    const written = writtenAs(value, old, format);
    if (written === undefined) throw new NotChanged(`cannot have the value of ${JSON.stringify(name)} on one line`);
    const { line, col } = lines.linePos(startOf(old));
    const before = rows[line - 1] ?? '';
    const now = changes.get(line)?.after ?? before;
    const after = now.slice(0, col - 1) + written + now.slice(col - 1 + endOf(old) - startOf(old));
    changes.set(line, { line, before, after });
  }
  const sorted = [...changes.values()].toSorted((a, b) => a.line - b.line);
  check(text, sorted, settings, { format, ...(key && { key }) });
  return sorted;
}

/** The same, of a block of text that is YAML itself, as a manifest has its parameters. */
function inBlock(text: string, block: Scalar, settings: readonly Setting[], lines: LineCounter): LineChange[] {
  if (block.type !== 'BLOCK_LITERAL') throw new NotChanged('has its settings in a text that is no block of lines ("|")');
  const inner = String(block.value);
  const rows = text.split('\n');
  const { line: head } = lines.linePos(startOf(block));
  return changed(inner, settings, { format: 'yaml', key: [] }).map(({ line, before, after }) => {
    const row = rows[head + line - 1] ?? '';
    const indent = row.slice(0, row.length - before.length);
    if (indent.trim() !== '' || indent + before !== row) throw new NotChanged('has a block of text whose lines cannot be told');
    return { line: head + line, before: row, after: indent + after };
  });
}

interface Parsed {
  documents: Document.Parsed[];
  lines: LineCounter;
}

function parse(text: string, format: SettingsPlace['format']): Parsed {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, logLevel: 'silent' });
  const documents = Array.isArray(parsed) ? (parsed as Document.Parsed[]) : [];
  const [error] = documents.flatMap(({ errors }) => errors);
  if (error) throw new NotChanged(`is not YAML: ${error.message.split('\n')[0] ?? ''}`);
  if (format === 'json') refuseNoJson(text);
  return { documents, lines };
}

function refuseNoJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new NotChanged(`is not JSON: ${(error as Error).message}`);
  }
}

/** The map that holds the settings, or a text that does. */
function settingsIn(documents: readonly Document.Parsed[], key: SettingsPlace['key']): YAMLMap | Scalar {
  const annotations = key
    ? []
    : documents.flatMap((document) => {
        const node = document.getIn(['metadata', 'annotations', defaultsAnnotation], true) as Node | undefined;
        return node ? [node] : [];
      });
  if (annotations.length > 1) throw new NotChanged(`has the annotation ${defaultsAnnotation} more than once`);
  const [annotation] = annotations;
  if (annotation) return own(annotation, defaultsAnnotation, isScalar);
  const [document, ...others] = documents;
  if (!document || others.length > 0) throw new NotChanged(`has ${documents.length} documents`);
  let node = own(document.contents, 'its top', isMap);
  for (const [index, name] of (key ?? []).entries()) {
    const inner = pairOf(node, name);
    if (index === (key?.length ?? 0) - 1 && isScalar(inner) && inner.type === 'BLOCK_LITERAL') return own(inner, name, isScalar);
    node = own(inner, name, isMap);
  }
  return node;
}

/** A node that nothing else in the file refers to: a change of it would be one elsewhere too. */
function own<T extends Node>(node: unknown, name: string, is: (node: unknown) => node is T): T {
  if (isAlias(node)) throw new NotChanged(`has an alias at ${JSON.stringify(name)}`);
  if (!is(node)) throw new NotChanged(`has ${node ? 'something else' : 'nothing'} at ${JSON.stringify(name)}`);
  const { anchor } = node as { anchor?: string };
  if (anchor !== undefined) throw new NotChanged(`has an anchor at ${JSON.stringify(name)}, which other places may refer to`);
  return node;
}

function pairOf(map: YAMLMap, name: string): unknown {
  return map.items.find(({ key }) => isScalar(key) && String(key.value) === name)?.value;
}

function valueIn(map: YAMLMap, name: string, text: string): Scalar {
  const node = own(pairOf(map, name), name, isScalar<unknown>);
  if (node.tag !== undefined) throw new NotChanged(`has a tag at ${JSON.stringify(name)}`);
  const source = text.slice(startOf(node), endOf(node));
  if (source === '') throw new NotChanged(`has no value at ${JSON.stringify(name)}`);
  if (source.includes('\n') || node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED')
    throw new NotChanged(`has a value of several lines at ${JSON.stringify(name)}`);
  return node;
}

function startOf({ range }: Scalar): number {
  return range?.[0] ?? 0;
}

function endOf({ range }: Scalar): number {
  return range?.[1] ?? 0;
}

/** The whole file, with its lines changed. */
export function withChanges(text: string, changes: readonly LineChange[]): string {
  const rows = text.split('\n');
  for (const { line, after } of changes) rows[line - 1] = after;
  return rows.join('\n');
}

/** Reads what was written: the settings are there, and all else is as it was. */
function check(text: string, changes: readonly LineChange[], settings: readonly Setting[], place: SettingsPlace): void {
  const [before, after] = [text, withChanges(text, changes)].map((one) => {
    const { documents } = parse(one, place.format);
    const map = settingsIn(documents, place.key) as YAMLMap;
    const values = settings.map(({ name }) => valueIn(map, name, one));
    const right = values.every((node, index) => isSame(node, settings[index]?.value ?? ''));
    for (const node of values) node.value = null;
    return { right, rest: writtenOut(documents) };
  });
  if (!after?.right || after.rest !== before?.rest) throw new NotChanged('cannot be changed line by line');
}

/** The documents as YAML. What can be read cannot always be written: a name of an anchor with control characters in it. */
function writtenOut(documents: readonly Document.Parsed[]): string {
  try {
    return documents.map(String).join('---\n');
  } catch (error) {
    throw new NotChanged(`is YAML that cannot be written again: ${(error as Error).message.split('\n')[0] ?? ''}`);
  }
}
