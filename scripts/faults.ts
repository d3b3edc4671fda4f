import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

/*
 * Everything under fire that takes longer than a test may: the whole matrix of actions, faults and moments, and more of the fuzzing.
 *   node scripts/faults.ts [ARGUMENT OF test/faults/main.ts...]      e.g. --seed 7, --case 523, --subject wait-for-run
 */
const root = resolve(import.meta.dirname, '..');
const args = process.argv.slice(2);

function run(command: string[], environment: NodeJS.ProcessEnv = {}): number {
  return spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit', env: { ...process.env, ...environment } }).status ?? 1;
}

process.exitCode = run([join(root, 'scripts/build.ts')]) || run([join(root, 'test/faults/main.ts'), ...args]);
// Who repeats a case wants that case alone.
if (args.length === 0) {
  const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', join(root, 'node_modules/jest/bin/jest.js')];
  const fuzz = run([...jest, 'test/contract/fuzz', '--testTimeout=600000'], { SLASHTRAIN_FUZZ_RUNS: '2000' });
  process.exitCode ||= fuzz;
}
