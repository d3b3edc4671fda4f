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
  readonly #seen = new Map<number, number[]>();
  /** How often each stamp is still to be skipped in this reading, and how many lines that is. */
  #repeated = new Map<number, number>();
  #left = 0;
  #base = 0;
  /** Whole seconds since 1970; undefined before the first line. */
  #since: number | undefined;

  /** Begins a reading. @returns `sinceTime` for it; undefined for the whole log */
  begin(): string | undefined {
    this.#repeated = new Map();
    this.#left = 0;
    this.#base = this.#since ?? 0;
    for (const [second, all] of this.#seen) {
      this.#left += all.length;
      for (const nanoseconds of all) {
        const key = this.#key(second, nanoseconds);
        this.#repeated.set(key, (this.#repeated.get(key) ?? 0) + 1);
      }
    }
    return this.#since === undefined ? undefined : new Date(this.#since * 1000).toISOString().replace('.000Z', 'Z');
  }

  /** Whether this reading has passed everything that was read before. */
  get hasCaughtUp(): boolean {
    return this.#left === 0;
  }

  /** Whether the next line with this stamp was read before. */
  isRepeated(time: string): boolean {
    return this.#left > 0 && (this.#repeated.get(this.#key(secondOf(time), nanosecondsOf(time))) ?? 0) > 0;
  }

  /** Takes a whole line of this reading. @returns whether it is new */
  take(time: string): boolean {
    const second = secondOf(time);
    const nanoseconds = nanosecondsOf(time);
    if (this.#left > 0) {
      const key = this.#key(second, nanoseconds);
      const repeated = this.#repeated.get(key) ?? 0;
      if (repeated > 0) {
        this.#repeated.set(key, repeated - 1);
        this.#left -= 1;
        return false;
      }
    }
    const all = this.#seen.get(second);
    if (all) all.push(nanoseconds);
    else this.#startSecond(second, nanoseconds);
    return true;
  }

  #startSecond(second: number, nanoseconds: number): void {
    this.#seen.set(second, [nanoseconds]);
    const since = second - slackSeconds;
    if (this.#since !== undefined && since <= this.#since) return;
    this.#since = since;
    for (const old of this.#seen.keys()) if (old < since) this.#seen.delete(old);
  }

  #key(second: number, nanoseconds: number): number {
    // From a second near this one, so that the number is exact.
    return (second - this.#base) * 1e9 + nanoseconds;
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
