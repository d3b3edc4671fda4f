import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** How many tests ended how. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Builds every bundle, then runs jest.
 * @param config of jest, below the repository
 * @param environment what jest and the tests see
 */
export function buildAndTest(config: string, args: readonly string[], environment: NodeJS.ProcessEnv): Counts {
  const build = spawnSync(process.execPath, [join(root, 'scripts/build.ts')], { cwd: root, stdio: 'inherit' });
  if (build.status !== 0) {
    console.error('the bundles could not be built');
    return { passed: 0, failed: 1, skipped: 0 };
  }
  return runJest(config, args, environment);
}

/** Jest's summary as one plain line, for people and for .ci/run. */
export function countsLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function runJest(config: string, args: readonly string[], environment: NodeJS.ProcessEnv): Counts {
  const resultsFile = join(root, '.cache', `jest-${process.pid}.json`);
  mkdirSync(join(root, '.cache'), { recursive: true });
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const command = [...flags, jest, '--config', join(root, config), '--json', '--outputFile', resultsFile, ...args];
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], env: environment });
  let counts: Counts;
  try {
    counts = countsOf(JSON.parse(readFileSync(resultsFile, 'utf8')) as JestResults);
  } catch (error) {
    console.error('jest left no results:', error);
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(resultsFile, { force: true });
  }
  // Jest may fail without a failed test: no tests found, a handle that never closed, a coverage limit.
  return status === 0 || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

/** The part of `jest --json` that counts. */
interface JestResults {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  /** Files that could not even be loaded. */
  numRuntimeErrorTestSuites: number;
}

function countsOf(results: JestResults): Counts {
  return {
    passed: results.numPassedTests,
    failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
    skipped: results.numPendingTests + results.numTodoTests,
  };
}
