import { expect, it } from '@jest/globals';
import { Concurrency, type Member } from './concurrency.ts';

const never = new AbortController().signal;
const member = (more: Partial<Member> = {}): Member => ({
  group: 'g',
  cancelInProgress: false,
  queue: 'single',
  cancel: () => undefined,
  ...more,
});

it('lets one run, keeps the newest who waits, and drops the one before', async () => {
  const groups = new Concurrency();
  const leave = await groups.enter(member(), never);
  const second = groups.enter(member({ group: 'G' }), never);
  const third = groups.enter(member(), never);
  expect(await second).toBeUndefined();
  leave?.();
  expect(await third).toBeDefined();
});

it('keeps all who wait with queue: max, in order', async () => {
  const groups = new Concurrency();
  const order: number[] = [];
  const first = await groups.enter(member(), never);
  const others = [1, 2].map(async (number) => {
    const leave = await groups.enter(member({ queue: 'max' }), never);
    order.push(number);
    leave?.();
  });
  first?.();
  await Promise.all(others);
  expect(order).toEqual([1, 2]);
});

it('cancels the one that runs, and starts when it has ended', async () => {
  const groups = new Concurrency();
  const ends: (() => void)[] = [];
  const leave = await groups.enter(member({ cancel: () => ends.forEach((end) => end()) }), never);
  if (leave) ends.push(leave);
  expect(await groups.enter(member({ cancelInProgress: true }), never)).toBeDefined();
});

it('stops waiting when it is cancelled', async () => {
  const groups = new Concurrency();
  const leave = await groups.enter(member(), never);
  const stop = new AbortController();
  const second = groups.enter(member(), stop.signal);
  stop.abort();
  expect(await second).toBeUndefined();
  leave?.();
  expect(await groups.enter(member(), never)).toBeDefined();
});

it('does not know other groups', async () => {
  const groups = new Concurrency();
  await groups.enter(member(), never);
  expect(await groups.enter(member({ group: 'h' }), never)).toBeDefined();
});
