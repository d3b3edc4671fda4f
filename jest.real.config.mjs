import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import shared from './jest.config.mjs';

// What `test` has run already and what no real part changes: it knows neither the targets nor a part that the environment names.
const onFakesAlone = globSync('test/contract/*.test.ts', { cwd: import.meta.dirname }).filter(
  (file) => !/support\/(targets|mlflow|kinds)|SLASHTRAIN_(?!FUZZ)/u.test(readFileSync(join(import.meta.dirname, file), 'utf8')),
);

/** What runs on a real cluster and registry: see scripts/real.ts. */
export default {
  ...shared,
  // What breaks the cluster runs by itself, and only on one whose programs it was told of.
  testMatch: [`<rootDir>/test/${process.env.SLASHTRAIN_PROCESSES ? 'broken' : '{contract,real}'}/**/*.test.ts`],
  testPathIgnorePatterns: onFakesAlone.map((file) => `/${file.replaceAll('.', '\\.')}$`),
  // One cluster, often of one node, on which most of a test is waiting; each has a namespace and daemons of its own.
  maxWorkers: process.env.SLASHTRAIN_PROCESSES ? 1 : 2,
  testTimeout: 300_000,
};
