/**
 * One source for several readers: started with the first, stopped with the last; each reader gets the latest value (of
 * each key, where there are keys) and all that follow.
 */
export class Shared<T> {
  readonly #source: (stop: AbortSignal) => AsyncIterable<T>;
  readonly #readers = new Set<Reader<T>>();
  #stop: AbortController | undefined;
  readonly #keyOf: (value: T) => string;
  readonly #latest = new Map<string, T>();
  #outcome: { failure?: { error: unknown } } | undefined;

  constructor(source: (stop: AbortSignal) => AsyncIterable<T>, keyOf: (value: T) => string = () => '') {
    this.#source = source;
    this.#keyOf = keyOf;
  }

  /** Ends when the source does, or `signal` aborts; throws what the source throws. */
  async *subscribe(signal: AbortSignal): AsyncGenerator<T> {
    const reader = new Reader<T>();
    for (const value of this.#latest.values()) reader.push(value);
    if (this.#outcome) reader.end(this.#outcome.failure);
    this.#readers.add(reader);
    const end = (): void => reader.end();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) reader.end();
    try {
      if (!this.#stop) void this.#run((this.#stop = new AbortController()));
      yield* reader.read();
    } finally {
      signal.removeEventListener('abort', end);
      this.#readers.delete(reader);
      if (this.#readers.size === 0) this.#halt();
    }
  }

  #halt(): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#latest.clear();
    this.#outcome = undefined;
  }

  async #run(stop: AbortController): Promise<void> {
    let failure: { error: unknown } | undefined;
    try {
      for await (const value of this.#source(stop.signal)) {
        if (stop.signal.aborted) return;
        this.#latest.set(this.#keyOf(value), value);
        for (const reader of this.#readers) reader.push(value);
      }
    } catch (error) {
      failure = { error };
    }
    if (stop.signal.aborted) return;
    this.#outcome = failure ? { failure } : {};
    for (const reader of this.#readers) reader.end(failure);
  }
}

class Reader<T> {
  readonly #queue: T[] = [];
  #ended = false;
  #failure: { error: unknown } | undefined;
  #wake: (() => void) | undefined;

  push(value: T): void {
    if (!this.#ended) this.#queue.push(value);
    this.#wake?.();
  }

  end(failure?: { error: unknown }): void {
    this.#ended = true;
    this.#failure ??= failure;
    this.#wake?.();
  }

  async *read(): AsyncGenerator<T> {
    for (;;) {
      while (this.#queue.length > 0) yield this.#queue.shift() as T;
      if (this.#failure) throw this.#failure.error;
      if (this.#ended) return;
      await new Promise<void>((wake) => (this.#wake = wake));
      this.#wake = undefined;
    }
  }
}
