/** One line of a log with the kubelet's stamp taken off. */
export interface StampedLine {
  /** RFC 3339 with nanoseconds. */
  time: string;
  text: string;
}

const zero = '0'.charCodeAt(0);
const lineFeed = '\n'.charCodeAt(0);
const letterT = 'T'.charCodeAt(0);
const minus = '-'.charCodeAt(0);

/** Takes the stamp off a line; undefined for one that has none. */
export function readStamp(line: string): StampedLine | undefined {
  const space = line.indexOf(' ');
  const isWhole = line.charCodeAt(line.length - 1) === lineFeed;
  const end = isWhole ? line.length - 1 : line.length;
  const length = space < 0 ? end : space;
  // Length and the signs between the digits are enough: what the kubelet writes is one of few forms.
  if (length < 20 || length > 40 || line.charCodeAt(10) !== letterT) return undefined;
  if (line.charCodeAt(4) !== minus || line.charCodeAt(7) !== minus || !(line.charCodeAt(0) - zero < 10)) return undefined;
  return { time: line.slice(0, length), text: space < 0 ? '' : line.slice(space + 1, end) };
}

const point = '.'.charCodeAt(0);

// stdout and stderr are stamped by two writers and can stand in the file the other way round, a little.
const slackSeconds = 1;

/**
 * Remembers where the reading of one log is, so that it can go on after a cut without a line lost or twice.
 *
 * The API takes whole seconds (`sinceTime`), so the lines of the last seconds come again. They are told by their stamps
 * in nanoseconds, each as often as it was seen; that holds where lines have equal stamps, where two streams are
 * interleaved out of order, and where the file was rotated meanwhile.
 */
export class LogResume {
  /** The nanoseconds of all lines that were read of the last seconds, by second since 1970. */
  readonly #seen = new Map<number, Numbers>();
  /** Those of seconds that have passed, to be used again: at 100 MB a second new memory for each would pile up. */
  readonly #spare: Numbers[] = [];
  /** What is still to be skipped in this reading. */
  #repeated: Multiset | undefined;
  #base = 0;
  /** Whole seconds since 1970; undefined before the first line. */
  #since: number | undefined;

  /** Begins a reading. @returns `sinceTime` for it; undefined for the whole log */
  begin(): string | undefined {
    this.#base = this.#since ?? 0;
    const keys: Float64Array[] = [];
    for (const [second, all] of this.#seen) keys.push(Float64Array.from(all.filled(), (nanoseconds) => this.#key(second, nanoseconds)));
    this.#repeated = keys.some(({ length }) => length > 0) ? new Multiset(keys) : undefined;
    return this.#since === undefined ? undefined : new Date(this.#since * 1000).toISOString().replace('.000Z', 'Z');
  }

  /** Whether this reading has passed everything that was read before. */
  get hasCaughtUp(): boolean {
    return this.#repeated === undefined;
  }

  /** Whether the next line with this stamp was read before. */
  isRepeated(time: string): boolean {
    return this.#repeated?.has(this.#key(secondOf(time), nanosecondsOf(time))) ?? false;
  }

  /** Takes a whole line of this reading. @returns whether it is new */
  take(time: string): boolean {
    const second = secondOf(time);
    const nanoseconds = nanosecondsOf(time);
    if (this.#repeated?.remove(this.#key(second, nanoseconds))) {
      if (this.#repeated.size === 0) this.#repeated = undefined;
      return false;
    }
    (this.#seen.get(second) ?? this.#startSecond(second)).add(nanoseconds);
    return true;
  }

  #startSecond(second: number): Numbers {
    const numbers = this.#spare.pop() ?? new Numbers();
    this.#seen.set(second, numbers);
    const since = second - slackSeconds;
    if (this.#since !== undefined && since <= this.#since) return numbers;
    this.#since = since;
    for (const [old, passed] of this.#seen) {
      if (old >= since) continue;
      this.#seen.delete(old);
      passed.clear();
      if (this.#spare.length === 0) this.#spare.push(passed);
    }
    return numbers;
  }

  #key(second: number, nanoseconds: number): number {
    // From a second near this one, so that the number is exact.
    return (second - this.#base) * 1e9 + nanoseconds;
  }
}

/** A growing list of whole numbers below 2^32, four bytes each. */
class Numbers {
  #values = new Uint32Array(32);
  #length = 0;

  add(value: number): void {
    if (this.#length === this.#values.length) {
      const wider = new Uint32Array(2 * this.#length);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.#length++] = value;
  }

  clear(): void {
    this.#length = 0;
  }

  filled(): Uint32Array {
    return this.#values.subarray(0, this.#length);
  }
}

/** Numbers, each as often as it was given, to be taken out. Mostly in rising order: then each is found at once. */
class Multiset {
  readonly #sorted: Float64Array;
  /** At the first place of each number, how often it was taken out. */
  readonly #taken: Uint32Array;
  #next = 0;
  size: number;

  constructor(lists: readonly Float64Array[]) {
    this.size = lists.reduce((sum, { length }) => sum + length, 0);
    this.#sorted = new Float64Array(this.size);
    this.#taken = new Uint32Array(this.size);
    let at = 0;
    for (const list of lists) {
      this.#sorted.set(list, at);
      at += list.length;
    }
    this.#sorted.sort();
  }

  has(value: number): boolean {
    const first = this.#find(value);
    return this.#sorted[first + (this.#taken[first] ?? 0)] === value;
  }

  /** @returns whether it was there */
  remove(value: number): boolean {
    const first = this.#find(value);
    const taken = this.#taken[first] ?? 0;
    if (this.#sorted[first + taken] !== value) return false;
    this.#taken[first] = taken + 1;
    this.#next = first + 1;
    this.size -= 1;
    return true;
  }

  /** The first place of `value`, or of what comes after it. */
  #find(value: number): number {
    const sorted = this.#sorted;
    if (sorted[this.#next] === value && sorted[this.#next - 1] !== value) return this.#next;
    let low = 0;
    for (let high = sorted.length; low < high;) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

// Lines come by thousands a second, so the last answer is remembered.
let cached = { second: Number.NaN, start: '?', zone: '?' };

/** Whole seconds since 1970 of a stamp such as `2026-11-21T11:44:37.123456789+01:00`. */
function secondOf(time: string): number {
  if (time.startsWith(cached.start) && time.endsWith(cached.zone)) return cached.second;
  const start = time.slice(0, 19);
  const zone = time.endsWith('Z') ? 'Z' : time.slice(-6);
  cached = { second: Math.floor(Date.parse(start + zone) / 1000), start, zone };
  return cached.second;
}

/** The fraction of a stamp's second. */
function nanosecondsOf(time: string): number {
  if (time.charCodeAt(19) !== point) return 0;
  let value = 0;
  let digits = 0;
  for (; digits < 9; digits += 1) {
    const digit = time.charCodeAt(20 + digits) - zero;
    if (!(digit >= 0 && digit <= 9)) break;
    value = value * 10 + digit;
  }
  return value * 10 ** (9 - digits);
}
