const minute = 60_000;

/**
 * The time on the demo's GitHub. It began a few minutes ago, and people take their time: a commit that is pushed in the
 * second of a comment would rightly be refused, since nobody can have looked at it.
 */
export class StoryClock {
  #behind = 10 * minute;

  /** Milliseconds since 1970. */
  now(): number {
    return Date.now() - this.#behind;
  }

  /** Half a minute goes by. */
  pass(): void {
    this.#behind -= minute / 2;
  }
}
