import shared from './jest.config.mjs';

/** What runs on a real cluster and registry: see scripts/real.ts. */
export default {
  ...shared,
  // What breaks the cluster runs by itself, and only on one whose programs it was told of.
  testMatch: [`<rootDir>/test/${process.env.SLASHTRAIN_PROCESSES ? 'broken' : '{contract,real}'}/**/*.test.ts`],
  // One cluster, often of one node, on which most of a test is waiting; each has a namespace and daemons of its own.
  maxWorkers: process.env.SLASHTRAIN_PROCESSES ? 1 : 2,
  testTimeout: 300_000,
};
