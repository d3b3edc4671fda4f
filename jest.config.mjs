import { availableParallelism } from 'node:os';

/** Pure rules stand beside their source; what needs bundles, the contract and the examples stand in test/. */
export default {
  testEnvironment: 'node',
  // Bundles that are being built come and go there.
  modulePathIgnorePatterns: ['<rootDir>/.cache/', '/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024', experimental: { keepImportAttributes: true } },
        module: { type: 'es6' },
      },
    ],
  },
  testMatch: [
    '<rootDir>/actions/*/src/**/*.test.ts',
    '<rootDir>/packages/*/src/**/*.test.ts',
    '<rootDir>/test/{contract,workflows,repository}/**/*.test.ts',
  ],
  // Most of the time of bundles and contracts is waiting for a server, a pod or a child process: two workers and more a core.
  maxWorkers: Math.ceil(availableParallelism() * 2.5),
  testSequencer: '<rootDir>/jest.sequencer.mjs',
  // Bundles start as child processes and pods as processes: on two cores that takes longer than jest's 5 s.
  testTimeout: 60_000,
};
