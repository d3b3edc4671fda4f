/**
 * Many writers, one reader: batches in the order in which they come. Writers wait while `room` items are unread.
 * What is read is a batch, and what several writers left meanwhile comes as one: turns of the event loop for each of a
 * million lines cost more than the lines.
 */
export class Channel<T> {
  readonly #room: number;
  #batch: T[] = [];
  #end: { error?: unknown } | undefined;
  #readable: (() => void) | undefined;
  readonly #writable: (() => void)[] = [];

  constructor(room: number) {
    this.#room = room;
  }

  async push(batch: T[]): Promise<void> {
    if (this.#end || batch.length === 0) return;
    if (this.#batch.length === 0) this.#batch = batch;
    else for (const item of batch) this.#batch.push(item);
    this.#readable?.();
    if (this.#batch.length > this.#room) await new Promise<void>((done) => this.#writable.push(done));
  }

  /** Ends the reading after what is there; with an error, at once. Only the first call counts. */
  close(end: { error?: unknown } = {}): void {
    this.#end ??= end;
    this.#readable?.();
    for (const done of this.#writable.splice(0)) done();
  }

  async next(): Promise<IteratorResult<T[], undefined>> {
    for (;;) {
      if (this.#end && 'error' in this.#end) throw this.#end.error;
      if (this.#batch.length > 0) {
        const value = this.#batch;
        this.#batch = [];
        for (const done of this.#writable.splice(0)) done();
        return { done: false, value };
      }
      if (this.#end) return { done: true, value: undefined };
      await new Promise<void>((done) => (this.#readable = done));
      this.#readable = undefined;
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<T[], undefined> {
    return { next: () => this.next() };
  }
}

/** Items that are got with `next`; `stop` is called once, when they end, fail, or nobody wants more. */
export interface Source<T> {
  next(): Promise<IteratorResult<T, undefined>>;
  stop(): Promise<void>;
}

/** An iterable whose source is started when the iteration begins. As cheap for each item as the source's `next`. */
export function iterate<T>(start: () => Source<T>): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: () => {
      const source = start();
      let hasEnded = false;
      const end = async (): Promise<void> => {
        if (hasEnded) return;
        hasEnded = true;
        await source.stop();
      };
      return {
        next: async () => {
          if (hasEnded) return { done: true, value: undefined };
          let item: IteratorResult<T, undefined>;
          try {
            item = await source.next();
          } catch (error) {
            await end();
            throw error;
          }
          if (item.done) await end();
          return item;
        },
        return: async () => {
          await end();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
