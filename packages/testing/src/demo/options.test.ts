import { expect, it } from '@jest/globals';
import { readOptions, UsageError } from './options.ts';

it.each([
  [[], true, { once: false }],
  [[], false, { once: true }],
  [['--once'], true, { once: true }],
  [['--', '--once'], true, { once: true }],
  [['--help'], true, 'help'],
  [['--context', 'a', '--registry', 'b:5000'], true, { once: false, real: { context: 'a', registry: 'b:5000', base: 'b:5000/node:24' } }],
  [
    ['--context', 'a', '--registry', 'b', '--kubeconfig', 'k', '--base', 'c'],
    false,
    { once: true, real: { context: 'a', registry: 'b', base: 'c', kubeconfig: 'k' } },
  ],
])('%j, terminal %j', (args, isTerminal, options) => {
  expect(readOptions(args, isTerminal)).toEqual(options);
});

it.each([
  [['--onec'], "Unknown option '--onec'"],
  [['once'], "Unexpected argument 'once'"],
  [['--context', 'a'], '--context needs --registry'],
  [['--registry', 'a'], '--registry means nothing without --context'],
  [['--kubeconfig', 'a'], '--kubeconfig means nothing without --context'],
])('refuses %j', (args, message) => {
  expect(() => readOptions(args, true)).toThrow(UsageError);
  expect(() => readOptions(args, true)).toThrow(message);
});
