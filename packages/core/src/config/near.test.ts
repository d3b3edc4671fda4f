import { expect, it } from '@jest/globals';
import { distance, nearest } from './near.ts';

it.each([
  ['train', 'train', 0],
  ['tarin', 'train', 1],
  ['trai', 'train', 1],
  ['trains', 'train', 1],
  ['brain', 'train', 1],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
])('%s and %s are %p apart', (a, b, off) => {
  expect(distance(a, b)).toBe(off);
  expect(distance(b, a)).toBe(off);
});

it.each([
  ['tarin', 'train'],
  ['TRAIN', 'train'],
  ['batch_size', 'batch-size'],
  ['bacth_sizes', 'batch-size'],
  ['test', undefined],
  ['train-all', undefined],
  ['rl', undefined],
  ['x'.repeat(100_000), undefined],
])('%s is meant for %p', (word, name) => {
  expect(nearest(word, ['train', 'deploy', 'batch-size', 'lr'])).toBe(name);
});
