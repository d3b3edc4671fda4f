import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { ContainerLog } from './logs.ts';

/** How a process ended, as a container runtime tells it. */
export interface Exit {
  /** 128 and the signal's number where a signal ended it. */
  code: number;
}

/** A container's process, with everything that it starts. */
export interface Running {
  readonly exit: Promise<Exit>;
  /** Reaches the whole process group. */
  kill(signal: NodeJS.Signals): void;
}

// Groups that must not outlive this process, whatever ends it.
const groups = new Set<number>();
process.on('exit', () => {
  for (const group of groups) killGroup(group, 'SIGKILL');
});

/**
 * Starts a process in a group of its own. Its environment is `env` and nothing else.
 * @throws the error of the system where there is no such program
 */
export async function start(
  [command, ...args]: [string, ...string[]],
  options: { cwd: string; env: Record<string, string>; log: ContainerLog },
): Promise<Running> {
  const child = spawn(command, args, { cwd: options.cwd, env: options.env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.on('data', (chunk: Buffer) => options.log.write('stdout', chunk));
  child.stderr.on('data', (chunk: Buffer) => options.log.write('stderr', chunk));
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const group = child.pid!;
  groups.add(group);
  return { exit: ended(child, group, options.log), kill: (signal) => killGroup(group, signal) };
}

async function ended(child: ChildProcess, group: number, log: ContainerLog): Promise<Exit> {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const exit = await new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code: code ?? 128 + constants.signals[signal ?? 'SIGKILL'] }));
  });
  // A container ends with its first process: what that left behind goes too, and lets go of the streams.
  killGroup(group, 'SIGKILL');
  groups.delete(group);
  await closed;
  log.end();
  return exit;
}

function killGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    // It has ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
