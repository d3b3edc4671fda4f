import { afterEach, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from './log.ts';
import { asFullDisk, runnerFiles } from './runner-files.ts';

const names = ['GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY'] as const;
const before = names.map((name) => process.env[name]);
afterEach(() => {
  for (const [index, name] of names.entries()) {
    const value = before[index];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

function files(output: string): { at: ReturnType<typeof runnerFiles>; warnings: string[] } {
  for (const name of names) process.env[name] = output;
  const warnings: string[] = [];
  return { at: runnerFiles(process.env, { warning: (text: string) => void warnings.push(text) } as Partial<Log> as Log), warnings };
}

// https://man7.org/linux/man-pages/man4/full.4.html: every write to it fails with ENOSPC.
it('a full disk interrupts nothing, and fails the step at its end with the names of what is lost', async () => {
  const { at, warnings } = files('/dev/full');
  at.setOutput('run', 'jobs.batch/ml/digits@1');
  at.setOutput('name', 'digits');
  at.saveState('rollout', 'digits-1');
  await at.summarise('# A summary');
  expect(warnings).toEqual([
    expect.stringMatching(/^output "run" cannot be written now: .*ENOSPC/u),
    expect.stringMatching(/^the step's summary is missing: .*ENOSPC/u),
  ]);
  expect(() => at.settle()).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(
        /^the runner does not get output "run", output "name", state "rollout": .*ENOSPC/u,
      ) as unknown as string,
      remedy: 'make room on its disk and run this step again; what it did is done, and is found',
    }),
  );
});

it('what was lost is written at the end, where there is room by then', () => {
  const { at } = files('/dev/full');
  at.setOutput('run', 'first');
  at.setOutput('run', 'second');
  const file = join(mkdtempSync(join(tmpdir(), 'runner-files-')), 'output');
  writeFileSync(file, '');
  process.env['GITHUB_OUTPUT'] = file;
  at.settle();
  expect(readFileSync(file, 'utf8')).toMatch(/^run<<(ghadelimiter_[^\n]+)\nsecond\n\1\n$/u);
});

it('a disk that is full is said as such, and no other error is', () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, mkdtemp '/t'"), { code: 'ENOSPC' });
  expect(asFullDisk(full)).toMatchObject({ message: `the runner's disk is full: ${full.message}`, cause: full });
  const other = new Error('x');
  expect(asFullDisk(other)).toBe(other);
});
