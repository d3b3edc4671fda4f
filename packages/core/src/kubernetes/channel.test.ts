import { describe, expect, it } from '@jest/globals';
import { Channel } from './channel.ts';
import { Slots } from './slots.ts';

describe('a channel', () => {
  it('gives what was written, in order, and ends after it', async () => {
    const channel = new Channel<number>(10);
    void channel.push([1, 2]);
    void channel.push([3]);
    channel.close();
    void channel.push([4]);
    const read: number[] = [];
    for await (const value of channel) read.push(value);
    expect(read).toEqual([1, 2, 3]);
  });

  it('lets writers wait while there is no room', async () => {
    const channel = new Channel<number>(2);
    let written = false;
    const writing = channel.push([1, 2, 3]).then(() => (written = true));
    await Promise.resolve();
    expect(written).toBe(false);
    await channel[Symbol.asyncIterator]().next();
    await writing;
    expect(written).toBe(true);
  });

  it('throws an error at once, and lets no writer wait then', async () => {
    const channel = new Channel<number>(0);
    const writing = channel.push([1]);
    channel.close({ error: new Error('no right') });
    channel.close();
    await writing;
    await expect(channel[Symbol.asyncIterator]().next()).rejects.toThrow('no right');
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
