import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One way to start a program. */
export interface Program {
  command: string[];
  /** The environment besides PATH and HOME. */
  env?: Record<string, string>;
}

/** The middle of the values; of an even number the lower one of the two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** Milliseconds from the start of a program to its end. */
export async function timeToEnd(program: Program): Promise<number> {
  const start = performance.now();
  await run(program, []).ended;
  return performance.now() - start;
}

/** The most memory that a program held, in MB. */
export async function peakMemory({ command: [node = '', ...rest], ...program }: Program): Promise<number> {
  const hook = `import{writeSync}from'node:fs';process.on('exit',()=>writeSync(3,String(process.resourceUsage().maxRSS)))`;
  const { ended } = run({ ...program, command: [node, '--import', `data:text/javascript,${encodeURIComponent(hook)}`, ...rest] }, [3]);
  return Number(await ended) / 1024;
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
  const { child, ended } = run(programFor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), []);
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

function run(
  { command: [file = '', ...args], env = {} }: Program,
  extra: 3[],
): { child: ReturnType<typeof spawn>; ended: Promise<string> } {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-bench-'));
  const child = spawn(file, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, RUNNER_TEMP: folder, GITHUB_WORKSPACE: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe', ...extra.map(() => 'pipe' as const)],
  });
  const chunks: Buffer[] = [];
  const read = extra.length > 0 ? [child.stdio[3]] : [child.stdout, child.stderr];
  for (const stream of read) stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (extra.length > 0) for (const stream of [child.stdout, child.stderr]) stream?.resume();
  const ended = new Promise<string>((done, fail) => {
    child.on('error', fail);
    child.on('close', () => {
      rmSync(folder, { recursive: true, force: true });
      done(Buffer.concat(chunks).toString());
    });
  });
  return { child, ended };
}
