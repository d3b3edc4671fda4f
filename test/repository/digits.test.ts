import { expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './repository.ts';

it("the digits' own tests pass", () => {
  const { status, stdout } = spawnSync(process.execPath, ['--test'], { cwd: join(root, 'examples/digits'), encoding: 'utf8' });
  expect(stdout).toMatch(/pass [1-9]/u);
  expect([status, status === 0 ? '' : stdout]).toEqual([0, '']);
});
