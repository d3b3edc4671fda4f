import { describe, expect, it } from '@jest/globals';
import { Channel, iterate } from './channel.ts';
import { Slots } from './slots.ts';

describe('a channel', () => {
  it('gives what was written, in order, and ends after it', async () => {
    const channel = new Channel<number>(10);
    void channel.push([1, 2]);
    void channel.push([3]);
    channel.close();
    void channel.push([4]);
    const read: number[] = [];
    for await (const values of channel) read.push(...values);
    expect(read).toEqual([1, 2, 3]);
  });

  it('lets writers wait while there is no room', async () => {
    const channel = new Channel<number>(2);
    let written = false;
    const writing = channel.push([1, 2, 3]).then(() => (written = true));
    await Promise.resolve();
    expect(written).toBe(false);
    await channel.next();
    await writing;
    expect(written).toBe(true);
  });

  it('throws an error at once, and lets no writer wait then', async () => {
    const channel = new Channel<number>(0);
    const writing = channel.push([1]);
    channel.close({ error: new Error('no right') });
    channel.close();
    await writing;
    await expect(channel.next()).rejects.toThrow('no right');
  });
});

describe('an iteration', () => {
  function source(
    items: number[],
    failure?: Error,
  ): { stops: number; start: () => { next(): Promise<IteratorResult<number, undefined>>; stop(): Promise<void> } } {
    const counted = {
      stops: 0,
      start: () => ({
        next: (): Promise<IteratorResult<number, undefined>> => {
          const value = items.shift();
          if (value !== undefined) return Promise.resolve({ done: false, value });
          return failure ? Promise.reject(failure) : Promise.resolve({ done: true, value: undefined });
        },
        stop: () => {
          counted.stops += 1;
          return Promise.resolve();
        },
      }),
    };
    return counted;
  }

  it('stops its source once when that ends', async () => {
    const from = source([1, 2]);
    const read: number[] = [];
    for await (const value of iterate(from.start)) read.push(value);
    expect([read, from.stops]).toEqual([[1, 2], 1]);
  });

  it('stops its source when nobody wants more', async () => {
    const from = source([1, 2]);
    for await (const _ of iterate(from.start)) break;
    expect(from.stops).toBe(1);
  });

  it('stops its source when that fails', async () => {
    const from = source([], new Error('no right'));
    await expect(iterate(from.start)[Symbol.asyncIterator]().next()).rejects.toThrow('no right');
    expect(from.stops).toBe(1);
  });

  it('starts no source that nobody reads', () => {
    iterate(() => {
      throw new Error('started');
    });
  });
});

describe('slots', () => {
  it('are given to so many at once, then in the order of asking', async () => {
    const slots = new Slots(1);
    const order: string[] = [];
    const release = await slots.take();
    const waiting = ['a', 'b'].map(async (name) => {
      const give = await slots.take();
      order.push(name);
      give();
      give();
    });
    expect([order, slots.hasWaiters]).toEqual([[], true]);
    release();
    await Promise.all(waiting);
    expect([order, slots.hasWaiters]).toEqual([['a', 'b'], false]);
    (await slots.take())();
  });
});
