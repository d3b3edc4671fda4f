import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './repository.ts';

/*
 * How .ci/run adds up, with a pnpm that says what the test wants. There is nothing beside the checkout here.
 */
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ci-run-'));
  mkdirSync(join(folder, 'checkout/.ci'), { recursive: true });
  mkdirSync(join(folder, 'bin'));
  copyFileSync(join(root, '.ci/run'), join(folder, 'checkout/.ci/run'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(parts: { test: string; lint: string }): { last: string; status: number | null; stdout: string } {
  const script = ['#!/bin/sh', 'shift 2', `case "$1" in`, `test) ${parts.test} ;;`, `lint) ${parts.lint} ;;`, '*) exit 9 ;;', 'esac'];
  writeFileSync(join(folder, 'bin/npx'), `${script.join('\n')}\n`);
  chmodSync(join(folder, 'bin/npx'), 0o755);
  const env = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, HOME: folder };
  const { stdout, status } = spawnSync(join(folder, 'checkout/.ci/run'), { env, encoding: 'utf8', cwd: tmpdir() });
  return { last: stdout.trimEnd().split('\n').at(-1) ?? '', status, stdout };
}

describe('.ci/run', () => {
  it('adds the parts up, and says what it skipped and why', () => {
    const { last, status, stdout } = run({
      test: "echo '30 passed, 0 failed, 2 skipped'",
      lint: "echo '1 passed, 9 failed in a log'; echo '7 passed, 0 failed'",
    });
    expect(last).toBe('37 passed, 0 failed');
    expect(status).toBe(0);
    expect(stdout).toContain('real: skipped, since there is no shared/real beside the checkout');
  });

  it.each([
    ['a failed test', "echo '3 passed, 2 failed'; echo ' ELIFECYCLE  Test failed.'; exit 1", '10 passed, 2 failed'],
    ['a part that fails without a failed test', "echo '3 passed, 0 failed'; exit 1", '10 passed, 1 failed'],
    ['a part that says nothing', 'exit 0', '7 passed, 1 failed'],
    ['a part that reads what nobody types', "read -r answer || echo '3 passed, 1 failed'", '10 passed, 1 failed'],
  ])('fails for %s', (_, test, total) => {
    const { last, status } = run({ test, lint: "echo '7 passed, 0 failed'" });
    expect(last).toBe(total);
    expect(status).toBe(1);
  });
});
