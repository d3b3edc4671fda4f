import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe } from '@slashtrain/core/action/errors';
import { demo } from '@slashtrain/testing/demo/demo';
import { readOptions, usage, UsageError, type DemoOptions } from '@slashtrain/testing/demo/options';
import { Screen } from '@slashtrain/testing/demo/screen';

/*
 * Tells what Slashtrain is for, on this machine: pnpm demo --help
 */
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  let options: DemoOptions | 'help';
  try {
    options = readOptions(args, process.stdout.isTTY);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    return 2;
  }
  if (options === 'help') {
    console.log(usage);
    return 0;
  }
  const build = spawnSync(process.execPath, [join(import.meta.dirname, 'build.ts')], { stdio: 'inherit' });
  if (build.status !== 0) return 1;
  try {
    await demo({ options, screen: new Screen(process.stdout, process.env), environment: process.env, signal: stop.signal });
    return 0;
  } catch (error) {
    console.error(describe(error));
    return stop.signal.aborted ? 130 : 1;
  }
}
