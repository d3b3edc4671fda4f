/** One line as the container runtime keeps it. */
export interface LogEntry {
  /** RFC 3339 with nanoseconds, always nine digits: of equal lengths, they sort as text. */
  time: string;
  /** Without its line end. */
  text: Buffer;
  /** The process ended before it ended the line. */
  partial: boolean;
}

// The wall clock has milliseconds; the monotonic one adds what is below them.
const epoch = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

/** RFC 3339 with nine digits of a second. */
export function preciseTime(): string {
  const at = epoch + process.hrtime.bigint();
  const milliseconds = Number(at / 1_000_000n);
  return `${new Date(milliseconds).toISOString().slice(0, 19)}.${(at % 1_000_000_000n).toString().padStart(9, '0')}Z`;
}

/**
 * The log of one run of one container: both its streams, line by line, in the order in which the lines ended. Beyond
 * its limit it is begun anew, as the kubelet rotates files: who follows goes on, who comes sees the new part alone.
 * https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-rotation
 */
export class ContainerLog {
  ended = false;
  #entries: LogEntry[] = [];
  /** How many lines the parts before had. */
  #before = 0;
  #size = 0;
  readonly #limit: number;
  readonly #listeners = new Set<() => void>();
  readonly #open = new Map<string, Buffer>();

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes what a stream brought. */
  write(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    let rest = Buffer.concat([this.#open.get(stream) ?? Buffer.alloc(0), chunk]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      // A carriage return before the line feed is a part of the line's end, as containerd reads it.
      const text = rest.subarray(0, rest[end - 1] === 13 ? end - 1 : end);
      this.#add({ time: preciseTime(), text, partial: false });
      rest = rest.subarray(end + 1);
    }
    this.#open.set(stream, rest);
    this.#tell();
    this.#rotate();
  }

  /** The number that the next line gets. */
  get next(): number {
    return this.#before + this.#entries.length;
  }

  /** The lines from that number on, as far as they are there. */
  from(line: number): LogEntry[] {
    return this.#entries.slice(Math.max(0, line - this.#before));
  }

  /** The last lines of the present part. */
  last(lines: number): LogEntry[] {
    return lines === 0 ? [] : this.#entries.slice(-lines);
  }

  #add(entry: LogEntry): void {
    this.#entries.push(entry);
    this.#size += entry.text.length + 1;
  }

  #rotate(): void {
    if (this.#size <= this.#limit) return;
    this.#before += this.#entries.length;
    this.#entries = [];
    this.#size = 0;
  }

  /** The process has ended; what it left of a line is a line. */
  end(): void {
    for (const rest of this.#open.values()) {
      if (rest.length > 0) this.#add({ time: preciseTime(), text: rest, partial: true });
    }
    this.#open.clear();
    this.ended = true;
    this.#tell();
  }

  /** @returns a function that ends it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The last lines, at most so many bytes of them: what becomes a termination message. */
  tail(lines: number, bytes: number): string {
    const text = Buffer.concat(this.last(lines).map(format));
    return text.subarray(Math.max(0, text.length - bytes)).toString();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** A line as `pods/log` shows it. */
export function format(entry: LogEntry): Buffer {
  return entry.partial ? entry.text : Buffer.concat([entry.text, newline]);
}

const newline = Buffer.from('\n');
