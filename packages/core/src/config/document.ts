import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument, type Document, type Node, type Pair } from 'yaml';
import { ActionError } from '../action/errors.ts';

/** A place in a file, both counted from 1. */
export interface Position {
  line: number;
  column: number;
}

/** YAML as plain data (maps without a prototype) with the places where it stands. */
export interface PositionedData {
  data: unknown;
  /** Of the value at a JSON pointer, `''` for the whole. */
  valueAt(pointer: string): Position;
  /** Of the key at a JSON pointer; the value's where it is an item of a list. */
  keyAt(pointer: string): Position;
}

const longestFile = 262_144;
const mostNodes = 20_000;
const deepest = 40;

/**
 * Reads one YAML 1.2 document (core schema, unique keys, a bounded size whatever its aliases say).
 * @throws ActionError `config` with file, line and column
 */
export function readDocument(text: string, file: string): PositionedData {
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  if (text.length > longestFile) {
    throw new ActionError('config', `${file} has ${text.length} characters; allowed: ${longestFile}`);
  }
  const document = parseDocument(text, { version: '1.2', schema: 'core', uniqueKeys: true, lineCounter: lines, prettyErrors: false });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) {
    const { line, column } = at(problem.pos[0]);
    throw new ActionError('config', `${file}:${line}:${column}: ${problem.message}`, { cause: problem });
  }
  return new Builder(document, file, at).build();
}

/** A part of a JSON pointer (RFC 6901). */
export function pointerPart(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

class Builder implements PositionedData {
  data: unknown;
  readonly #document: Document.Parsed;
  readonly #file: string;
  readonly #at: (offset: number) => Position;
  readonly #values = new Map<string, Position>();
  readonly #keys = new Map<string, Position>();
  #nodes = 0;

  constructor(document: Document.Parsed, file: string, at: (offset: number) => Position) {
    this.#document = document;
    this.#file = file;
    this.#at = at;
  }

  build(): this {
    this.data = this.#value(this.#document.contents, '', 0, { line: 1, column: 1 });
    return this;
  }

  valueAt(pointer: string): Position {
    return this.#values.get(pointer) ?? this.keyAt(pointer);
  }

  keyAt(pointer: string): Position {
    for (let place = pointer; place; place = place.slice(0, place.lastIndexOf('/'))) {
      const found = this.#keys.get(place) ?? this.#values.get(place);
      if (found) return found;
    }
    return this.#values.get('') ?? { line: 1, column: 1 };
  }

  #value(node: Node | null, pointer: string, depth: number, above: Position): unknown {
    const place = node?.range ? this.#at(node.range[0]) : above;
    this.#values.set(pointer, place);
    // An alias is followed each time it stands somewhere, so that a few lines could become millions of nodes.
    if (++this.#nodes > mostNodes || depth > deepest) {
      throw new ActionError(
        'config',
        `${this.#file}:${place.line}:${place.column}: too much in one file; allowed: ${mostNodes} values, ${deepest} levels`,
      );
    }
    if (isAlias(node)) return this.#value((node.resolve(this.#document) as Node | undefined) ?? null, pointer, depth + 1, place);
    if (isMap(node)) {
      const data = Object.create(null) as Record<string, unknown>;
      for (const pair of node.items as Pair<Node, Node | null>[]) {
        const key = isScalar(pair.key) ? String(pair.key.source ?? pair.key.value) : pair.key.toString();
        const child = `${pointer}/${pointerPart(key)}`;
        const keyPlace = pair.key.range ? this.#at(pair.key.range[0]) : place;
        if (!key.isWellFormed()) {
          throw new ActionError('config', `${this.#file}:${keyPlace.line}:${keyPlace.column}: a key with half a surrogate pair`);
        }
        this.#keys.set(child, keyPlace);
        data[key] = this.#value(pair.value, child, depth + 1, keyPlace);
      }
      return data;
    }
    if (isSeq(node)) return node.items.map((item, index) => this.#value(item as Node, `${pointer}/${index}`, depth + 1, place));
    return isScalar(node) ? node.value : null;
  }
}
