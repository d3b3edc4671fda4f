/** One line of a log with the kubelet's stamp taken off. */
export interface StampedLine {
  /** RFC 3339 with nanoseconds. */
  time: string;
  text: string;
}

/** Takes the stamp off a line; undefined for one that has none. */
export function readStamp(line: string): StampedLine | undefined {
  const space = line.indexOf(' ');
  const time = space < 0 ? line.replace(/\n$/u, '') : line.slice(0, space);
  // Length and the first digits are enough: what the kubelet writes is one of few forms.
  if (time.length < 20 || time.length > 40 || !/^\d{4}-\d\d-\d\dT/u.test(time)) return undefined;
  return { time, text: space < 0 ? '' : line.slice(space + 1, line.endsWith('\n') ? -1 : undefined) };
}

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
  /** How often each stamp of the seconds from `#since` on was seen. */
  readonly #seen = new Map<string, number>();
  /** What is still to be skipped of them in this reading. */
  #repeated = new Map<string, number>();
  /** Whole seconds since 1970; undefined before the first line. */
  #since: number | undefined;
  #newest = -Infinity;

  /** Begins a reading. @returns `sinceTime` for it; undefined for the whole log */
  begin(): string | undefined {
    this.#repeated = new Map(this.#seen);
    return this.#since === undefined ? undefined : new Date(this.#since * 1000).toISOString().replace('.000Z', 'Z');
  }

  /** Whether this reading has passed everything that was read before. */
  get hasCaughtUp(): boolean {
    for (const count of this.#repeated.values()) if (count > 0) return false;
    return true;
  }

  /** Whether the next line with this stamp was read before. */
  isRepeated(time: string): boolean {
    return (this.#repeated.get(time) ?? 0) > 0;
  }

  /** Takes a whole line of this reading. @returns whether it is new */
  take(time: string): boolean {
    const repeated = this.#repeated.get(time);
    if (repeated) {
      this.#repeated.set(time, repeated - 1);
      return false;
    }
    this.#seen.set(time, (this.#seen.get(time) ?? 0) + 1);
    this.#advance(time);
    return true;
  }

  #advance(time: string): void {
    const second = secondOf(time);
    if (!(second > this.#newest)) return;
    this.#newest = second;
    const since = second - slackSeconds;
    if (this.#since !== undefined && since <= this.#since) return;
    this.#since = since;
    for (const stamp of this.#seen.keys()) if (secondOf(stamp) < since) this.#seen.delete(stamp);
  }
}

let cached: { text: string; second: number } = { text: '', second: Number.NaN };

/** Whole seconds since 1970. Lines come by thousands a second, so the last answer is remembered. */
function secondOf(time: string): number {
  // "2026-11-21T11:44:37", and the zone at the end.
  const zone = time.endsWith('Z') ? 'Z' : time.slice(-6);
  const text = time.slice(0, 19) + zone;
  if (text !== cached.text) cached = { text, second: Math.floor(Date.parse(text) / 1000) };
  return cached.second;
}
