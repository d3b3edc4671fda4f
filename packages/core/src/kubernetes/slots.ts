/** At most so many at once; the others wait their turn, first come, first served. */
export class Slots {
  #free: number;
  readonly #queue: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  get hasWaiters(): boolean {
    return this.#queue.length > 0;
  }

  /** @returns what gives the slot back */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((done) => this.#queue.push(done));
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const next = this.#queue.shift();
      if (next) next();
      else this.#free += 1;
    };
  }
}
