import { steadyNow } from '../action/clock.ts';

/** Time and chance, as parameters: a test passes its own. */
export interface Timing {
  /** Milliseconds since 1970, by a clock that nobody sets. */
  now(): number;
  /** From 0 to below 1. */
  random(): number;
  /** Ends after so many milliseconds, or at once when `signal` aborts; it never throws. */
  pause(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemTiming: Timing = {
  now: steadyNow,
  random: Math.random,
  pause: (milliseconds, signal) =>
    new Promise((done) => {
      if (signal?.aborted) return done();
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        done();
      };
      const timer = setTimeout(finish, milliseconds);
      signal?.addEventListener('abort', finish, { once: true });
    }),
};

/** How long to wait before try `attempt` (1 for the first repetition): doubles from `first` up to `most`, with half of it at random. */
export function backoff(attempt: number, random: () => number, { first = 250, most = 10_000 } = {}): number {
  const whole = Math.min(most, first * 2 ** Math.min(attempt - 1, 30));
  return whole / 2 + (whole / 2) * random();
}
