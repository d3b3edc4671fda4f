import { ActionError } from '@slashtrain/core/action/errors';
import { pointerPart, readDocument, type PositionedData } from '@slashtrain/core/config/document';
import { nearest } from '@slashtrain/core/config/near';

/** A value of a YAML document and where it stands. It is read strictly: what is not allowed is refused with line, column and what is. */
export class Place {
  readonly value: unknown;
  /** The key or index that it stands at; empty for the whole. */
  readonly name: string;
  readonly #document: PositionedData;
  readonly #where: string;
  readonly #pointer: string;

  /**
   * @param where the input, or its file
   * @throws ActionError `config`
   */
  static read(text: string, where: string): Place {
    const document = readDocument(text, where);
    return new Place(document.data, '', document, where, '');
  }

  private constructor(value: unknown, name: string, document: PositionedData, where: string, pointer: string) {
    this.value = value;
    this.name = name;
    this.#document = document;
    this.#where = where;
    this.#pointer = pointer;
  }

  /** @throws ActionError `config` */
  fail(words: string, cause?: unknown): never {
    const { line, column } = this.#document.keyAt(this.#pointer);
    throw new ActionError('config', `${this.#where}:${line}:${column}: ${words}`, cause === undefined ? {} : { cause });
  }

  /** Fails with the value and what is allowed. */
  refuse(allowed: string): never {
    return this.fail(`${this.name === '' ? 'it' : this.name} is ${shown(this.value)}; allowed: ${allowed}`);
  }

  /** The fields of a map that has no others than these. */
  fields<Key extends string>(what: string, allowed: readonly Key[]): Fields<Key> {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.fail(`${what} is a map; allowed: ${allowed.join(', ')}`);
    }
    for (const key of Object.keys(value)) {
      if ((allowed as readonly string[]).includes(key)) continue;
      const near = nearest(key, allowed);
      this.#at(key).fail(
        `unknown key ${shown(key)} in ${what}${near === undefined ? '' : `; did you mean ${near}?`}; allowed: ${allowed.join(', ')}`,
      );
    }
    return { get: (key) => (Object.hasOwn(value, key) ? this.#at(key) : undefined), has: (key) => Object.hasOwn(value, key) };
  }

  /** The entries of a map with any keys. */
  entries(what: string): Place[] {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.refuse(`a map of ${what}`);
    return Object.keys(value).map((key) => this.#at(key));
  }

  /** The items of a list of 1 to `most`. */
  items(what: string, most: number): Place[] {
    const { value } = this;
    if (!Array.isArray(value) || value.length === 0) return this.refuse(`a list of ${what}`);
    if (value.length > most) this.fail(`${value.length} ${what}; allowed: ${most}`);
    return value.map((item, index) => new Place(item, `item ${index + 1}`, this.#document, this.#where, `${this.#pointer}/${index}`));
  }

  text(allowed = 'a text', most = 10_000): string {
    const { value } = this;
    return typeof value === 'string' && value !== '' && value.length <= most ? value : this.refuse(allowed);
  }

  oneOf<T extends string>(values: readonly T[]): T {
    return (values as readonly unknown[]).includes(this.value) ? (this.value as T) : this.refuse(values.join(', '));
  }

  number(allowed = 'a number', { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, whole = false } = {}): number {
    const { value } = this;
    const holds =
      typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max && (!whole || Number.isInteger(value));
    return holds ? value : this.refuse(allowed);
  }

  /** Seconds, from `200ms`, `1.5s`, `2m`. */
  seconds(): number {
    const match = /^(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)$/u.exec(typeof this.value === 'string' ? this.value : '');
    const seconds = match ? Number(match[1]) * units[match[2] as keyof typeof units] : 0;
    return seconds > 0 ? seconds : this.refuse('a time with its unit, such as 200ms, 1.5s or 2m');
  }

  /** From 0 to 1, from `2%` or 0. */
  share(): number {
    if (this.value === 0) return 0;
    const match = /^(\d{1,3}(?:\.\d{1,6})?)%$/u.exec(typeof this.value === 'string' ? this.value : '');
    const share = match ? Number(match[1]) / 100 : Number.NaN;
    return share <= 1 ? share : this.refuse('a share such as 2%, or 0');
  }

  #at(key: string): Place {
    const value = (this.value as Record<string, unknown>)[key];
    return new Place(value, key, this.#document, this.#where, `${this.#pointer}/${pointerPart(key)}`);
  }
}

/** The fields of a map. */
export interface Fields<Key extends string> {
  get(key: Key): Place | undefined;
  has(key: Key): boolean;
}

const units = { ms: 0.001, s: 1, m: 60 } as const;

/** A value for an error: short, on one line. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a map';
  if (value === null || value === undefined) return 'empty';
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? '');
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
