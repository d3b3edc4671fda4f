import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/** One way to start a program. */
export interface Program {
  command: string[];
  /** The environment besides PATH and HOME. */
  env?: Record<string, string>;
}

/** An action's bundle by itself, without a runner between it and who measures it. @param of the repository, or a copy of it */
export function bundle(action: string, env: Record<string, string> = {}, of = root): Program {
  return { command: [process.execPath, join(of, 'actions', action, 'dist/index.js')], env };
}

/** Inputs of an action as the environment has them. */
export function inputsOf(inputs: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(inputs).map(([input, value]) => [`INPUT_${input.toUpperCase()}`, value]));
}

/** What a runner says of the workflow. @param url of GitHub's API, and of all else */
export function runnerOf(url: string, repository = { id: 1, fullName: 'acme/digits' }): Record<string, string> {
  return {
    GITHUB_REPOSITORY: repository.fullName,
    GITHUB_REPOSITORY_ID: String(repository.id),
    GITHUB_API_URL: url,
    GITHUB_SERVER_URL: new URL(url).origin,
    GITHUB_RUN_ID: '1',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_ACTOR: 'ada',
    GITHUB_EVENT_NAME: 'workflow_dispatch',
  };
}

/** Builds bundles that are not fresh. */
export function build(...actions: string[]): void {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts/build.ts'), ...actions], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('the bundles could not be built');
}

/** Which of the programs are not on PATH. */
export function absent(...programs: string[]): string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return programs.filter((program) => !folders.some((folder) => existsSync(join(folder, program))));
}

/** The first line that a program prints. */
export function firstLine(program: string, ...args: string[]): string {
  const { stdout } = spawnSync(program, args, { encoding: 'utf8' });
  return stdout?.trim().split('\n')[0] ?? '';
}

/** kubectl's version, such as `v1.35.4`. */
export function kubectlVersion(): string {
  return firstLine('kubectl', 'version', '--client').replace('Client Version: ', '');
}

/** Milliseconds from the start of a program to its end, whatever its exit code. */
export async function timeToEnd(program: Program): Promise<number> {
  const start = performance.now();
  await run(program).ended;
  return performance.now() - start;
}

/**
 * Milliseconds from the start of a program to its first request to a server of ours.
 * @param programFor the program that asks the server at `url`
 */
export async function timeToFirstRequest(programFor: (url: string) => Program): Promise<number> {
  const asked = Promise.withResolvers<number>();
  const server = createServer((_, response) => {
    asked.resolve(performance.now());
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"Not Found"}');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const start = performance.now();
  const { child, ended } = run(programFor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  const output = ended.then((text) => {
    throw new Error(`it ended without a request:\n${text}`);
  });
  try {
    return (await Promise.race([asked.promise, output])) - start;
  } finally {
    output.catch(() => undefined);
    child.kill('SIGKILL');
    server.closeAllConnections();
    server.close();
  }
}

/** The most memory that a program of Node held, in MB, as the system counts it for the program alone. */
export async function peakMemory({ command: [node = '', ...rest], ...program }: Program): Promise<number> {
  // getrusage is no help: what it tells of a child begins with the most that its parent held before it was started.
  const hook = `import{readFileSync,writeSync}from'node:fs';process.on('exit',()=>writeSync(2,'peak:'+/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status','utf8'))[1]+';'))`;
  const { ended } = run({ ...program, command: [node, '--import', `data:text/javascript,${encodeURIComponent(hook)}`, ...rest] });
  return (Number(/peak:(\d+);/u.exec(await ended)?.[1]) * 1024) / 1e6;
}

/** The most memory that a process that still runs has held, in MB; NaN where the system does not tell. */
export function peakOf(pid: number | 'self'): number {
  try {
    return (Number(/^VmHWM:\s+(\d+) kB/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024) / 1e6;
  } catch {
    // Not Linux.
    return pid === 'self' ? (process.resourceUsage().maxRSS * 1024) / 1e6 : Number.NaN;
  }
}

/** Starts a program in a folder of its own, which goes with it. `ended` gives what it printed. */
export function run({ command: [file = '', ...args], env = {} }: Program): { child: ChildProcess; ended: Promise<string> } {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-bench-'));
  const child = spawn(file, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, RUNNER_TEMP: folder, GITHUB_WORKSPACE: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<string>((done, fail) => {
    child.on('error', fail);
    child.on('close', () => {
      rmSync(folder, { recursive: true, force: true });
      done(Buffer.concat(chunks).toString());
    });
  });
  return { child, ended };
}
