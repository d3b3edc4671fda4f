/** Who wants to be in a group. */
export interface Member {
  group: string;
  cancelInProgress: boolean;
  /** `max` keeps all who wait; `single`, the default, only the newest. */
  queue: 'single' | 'max';
  /** Ends this member, running or waiting. */
  cancel: () => void;
}

interface Waiting {
  member: Member;
  go: (admitted: boolean) => void;
}

/**
 * Concurrency groups of one repository: one member runs, the others wait
 * (https://docs.github.com/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency).
 */
export class Concurrency {
  readonly #groups = new Map<string, { running: Member; waiting: Waiting[] }>();

  /**
   * Waits for its turn.
   * @param signal gives up waiting
   * @returns what to call at the end, or undefined where a newer member took its place, or it gave up
   */
  async enter(member: Member, signal: AbortSignal): Promise<(() => void) | undefined> {
    // Group names do not tell upper and lower case apart.
    const key = member.group.toLowerCase();
    const group = this.#groups.get(key);
    if (!group) {
      this.#groups.set(key, { running: member, waiting: [] });
      return () => this.#leave(key);
    }
    const displaced = member.queue === 'max' && !member.cancelInProgress ? [] : group.waiting.splice(0);
    const admitted = new Promise<boolean>((go) => group.waiting.push({ member, go }));
    for (const other of displaced) other.go(false);
    if (member.cancelInProgress) group.running.cancel();
    const giveUp = (): void => {
      const index = group.waiting.findIndex((other) => other.member === member);
      if (index >= 0) group.waiting.splice(index, 1)[0]?.go(false);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    const turn = await admitted;
    signal.removeEventListener('abort', giveUp);
    return turn ? () => this.#leave(key) : undefined;
  }

  #leave(key: string): void {
    const group = this.#groups.get(key);
    const next = group?.waiting.shift();
    if (!group || !next) {
      this.#groups.delete(key);
      return;
    }
    group.running = next.member;
    next.go(true);
  }
}
