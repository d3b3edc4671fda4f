import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { portsDescriptor, settledDescriptor } from './first-process.ts';
import type { ContainerLog } from './logs.ts';
import type { Ports } from './ports.ts';

/** How a process ended, as a container runtime tells it. */
export interface Exit {
  /** 128 and the signal's number where a signal ended it. */
  code: number;
}

/** A container's process, with everything that it starts. */
export interface Running {
  readonly exit: Promise<Exit>;
  /** Asks its first process to end, which that may not hear. */
  terminate(): void;
  /** Ends it with all that it has started. */
  kill(): void;
}

// Groups that must not outlive this process, whatever ends it.
const groups = new Set<number>();
process.on('exit', () => {
  for (const group of groups) killGroup(group);
});

/**
 * Starts a process in a group of its own. Its environment is `env` and nothing else.
 * @param options.first where it is a Node with the preload: until that has settled no signal to end reaches it, and it tells its ports
 * @throws the error of the system where there is no such program
 */
export async function start(
  [command, ...args]: [string, ...string[]],
  options: { cwd: string; env: Record<string, string>; log: ContainerLog; first?: Ports },
): Promise<Running> {
  const { cwd, env, first } = options;
  const stdio = ['ignore', 'pipe', 'pipe', ...(first ? (['pipe', 'pipe'] as const) : [])] as const;
  const child = spawn(command, args, { cwd, env, detached: true, stdio: [...stdio] }) as ChildProcessByStdio<null, Readable, Readable>;
  child.stdout.on('data', (chunk: Buffer) => options.log.write('stdout', chunk));
  child.stderr.on('data', (chunk: Buffer) => options.log.write('stderr', chunk));
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const group = child.pid!;
  groups.add(group);
  let settled = !first;
  const settling = child.stdio[settledDescriptor] as Readable | undefined;
  settling?.resume().once('close', () => (settled = true));
  (child.stdio[portsDescriptor] as Readable | undefined)?.on('data', (chunk: Buffer) => first?.read(chunk));
  return {
    exit: ended(child, group, options.log),
    terminate: () => {
      if (settled) terminate(group);
    },
    kill: () => killGroup(group),
  };
}

async function ended(child: ChildProcess, group: number, log: ContainerLog): Promise<Exit> {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const exit = await new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code: code ?? 128 + constants.signals[signal ?? 'SIGKILL'] }));
  });
  // A container ends with its first process: what that left behind goes too, and lets go of the streams.
  killGroup(group);
  groups.delete(group);
  await closed;
  log.end();
  return exit;
}

/**
 * In a container the first process is number 1, which gets no signal that it does not catch
 * (https://man7.org/linux/man-pages/man7/pid_namespaces.7.html), and nobody else gets this one.
 */
function terminate(pid: number): void {
  if (catches(pid, constants.signals.SIGTERM)) send(pid, 'SIGTERM');
}

function catches(pid: number, signal: number): boolean {
  try {
    const mask = /^SigCgt:\s*([0-9a-f]+)$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return mask === undefined || ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
  } catch (error) {
    // No such file: the system has no /proc, and cannot tell.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}

function killGroup(group: number): void {
  send(-group, 'SIGKILL');
}

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    // It has ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
