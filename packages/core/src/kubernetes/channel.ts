/** Many writers, one reader: batches in the order in which they come. Writers wait while `room` items are unread. */
export class Channel<T> {
  readonly #room: number;
  readonly #batches: T[][] = [];
  #unread = 0;
  #end: { error?: unknown } | undefined;
  #readable: (() => void) | undefined;
  readonly #writable: (() => void)[] = [];

  constructor(room: number) {
    this.#room = room;
  }

  async push(batch: T[]): Promise<void> {
    if (this.#end || batch.length === 0) return;
    this.#batches.push(batch);
    this.#unread += batch.length;
    this.#readable?.();
    if (this.#unread > this.#room) await new Promise<void>((done) => this.#writable.push(done));
  }

  /** Ends the reading after what is there; with an error, at once. Only the first call counts. */
  close(end: { error?: unknown } = {}): void {
    this.#end ??= end;
    this.#readable?.();
    for (const done of this.#writable.splice(0)) done();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      if (this.#end && 'error' in this.#end) throw this.#end.error;
      const batch = this.#batches.shift();
      if (batch) {
        this.#unread -= batch.length;
        if (this.#unread <= this.#room) for (const done of this.#writable.splice(0)) done();
        yield* batch;
        continue;
      }
      if (this.#end) return;
      await new Promise<void>((done) => (this.#readable = done));
      this.#readable = undefined;
    }
  }
}
