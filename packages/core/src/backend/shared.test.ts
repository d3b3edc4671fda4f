import { describe, expect, it } from '@jest/globals';
import { Shared } from './shared.ts';

/** A source that is fed by hand, and counts how often it was started and stopped. */
function handFed(): {
  source: (stop: AbortSignal) => AsyncGenerator<number>;
  feed(value: number): void;
  end(error?: Error): void;
  starts: number;
  stops: number;
} {
  let queue: (number | { end: Error | undefined })[] = [];
  let wake: () => void = () => undefined;
  const fed = {
    starts: 0,
    stops: 0,
    feed: (value: number) => {
      queue.push(value);
      wake();
    },
    end: (error?: Error) => {
      queue.push({ end: error });
      wake();
    },
    async *source(stop: AbortSignal): AsyncGenerator<number> {
      fed.starts += 1;
      queue = [...queue];
      stop.addEventListener('abort', () => {
        fed.stops += 1;
        wake();
      });
      while (!stop.aborted) {
        const next = queue.shift();
        if (typeof next === 'number') yield next;
        else if (next?.end) throw next.end;
        else if (next) return;
        else await new Promise<void>((done) => (wake = done));
      }
    },
  };
  return fed;
}

const never = new AbortController().signal;

describe('a shared source', () => {
  it('is started once for two readers; the later one begins with the latest value', async () => {
    const fed = handFed();
    const shared = new Shared(fed.source);
    const first = shared.subscribe(never);
    fed.feed(1);
    expect((await first.next()).value).toBe(1);
    fed.feed(2);
    expect((await first.next()).value).toBe(2);
    const second = shared.subscribe(never);
    expect((await second.next()).value).toBe(2);
    fed.feed(3);
    expect((await second.next()).value).toBe(3);
    expect((await first.next()).value).toBe(3);
    expect([fed.starts, fed.stops]).toEqual([1, 0]);
    await first.return(undefined);
    expect(fed.stops).toBe(0);
    await second.return(undefined);
    expect(fed.stops).toBe(1);
  });

  it('is started again for who comes after the last has gone', async () => {
    const fed = handFed();
    const shared = new Shared(fed.source);
    fed.feed(1);
    for await (const value of shared.subscribe(never)) {
      expect(value).toBe(1);
      break;
    }
    fed.feed(2);
    const again = shared.subscribe(never);
    expect((await again.next()).value).toBe(2);
    expect(fed.starts).toBe(2);
    await again.return(undefined);
  });

  it('ends for all when it ends, and for who comes then, after the latest value', async () => {
    const fed = handFed();
    const shared = new Shared(fed.source);
    const first = shared.subscribe(never);
    fed.feed(1);
    await first.next();
    fed.end();
    const second = shared.subscribe(never);
    expect((await second.next()).value).toBe(1);
    expect((await second.next()).done).toBe(true);
    expect((await first.next()).done).toBe(true);
  });

  it('throws for all what it throws', async () => {
    const fed = handFed();
    const shared = new Shared(fed.source);
    const readers = [shared.subscribe(never), shared.subscribe(never)];
    const reads = readers.map((reader) => reader.next());
    fed.end(new Error('no right'));
    for (const read of reads) await expect(read).rejects.toThrow('no right');
  });

  it('ends for one reader when that one is told to', async () => {
    const fed = handFed();
    const shared = new Shared(fed.source);
    const stop = new AbortController();
    const other = shared.subscribe(never);
    const read = shared.subscribe(stop.signal).next();
    const otherRead = other.next();
    stop.abort();
    expect((await read).done).toBe(true);
    fed.feed(1);
    expect((await otherRead).value).toBe(1);
    await other.return(undefined);
  });
});
