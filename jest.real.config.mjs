import shared from './jest.config.mjs';

/** What runs on a real cluster and registry: see scripts/real.ts. */
export default {
  ...shared,
  testMatch: ['<rootDir>/test/{contract,real}/**/*.test.ts'],
  // One cluster, often of one node: files one after the other.
  maxWorkers: 1,
  testTimeout: 300_000,
};
