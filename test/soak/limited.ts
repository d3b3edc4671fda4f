import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCommandFiles, makeEnvironment, readAction } from '@slashtrain/testing/bundle/environment';
import type { BundleRun } from '@slashtrain/testing/bundle/bundle';

/** What a bundle came to under a limit. */
export interface Limited {
  /** Null where the system killed it for its memory. */
  code: number | null;
  /** The most that it held itself, in MB (VmHWM, https://man7.org/linux/man-pages/man5/proc_pid_status.5.html). */
  peak: number;
  /** Whether the system held it to the limit, or it was only measured. */
  isLimited: boolean;
  outputs: string;
  /** The end of what it wrote. */
  tail: string;
}

/** Runs a bundle where more than `megabytes` are refused, page cache included, and reads its log without keeping it. */
export async function runLimited(run: BundleRun, megabytes: number): Promise<Limited> {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-limited-'));
  const [home, workspace, peakFile] = [join(folder, 'home'), run.workspace ?? join(folder, 'workspace'), join(folder, 'peak')];
  for (const one of [home, workspace]) mkdirSync(one, { recursive: true });
  const files = makeCommandFiles(folder, 'limited');
  const action = readAction(run.action);
  const hook = `import{readFileSync as r,writeFileSync as w}from'node:fs';process.on('exit',()=>w(process.env.PEAK_FILE,/VmHWM:\\s+(\\d+)/.exec(r('/proc/self/status','utf8'))[1]))`;
  const env = {
    ...makeEnvironment(run, action, { temp: folder, workspace, home, files }),
    PEAK_FILE: peakFile,
    NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(hook)}`,
  };
  const group = makeGroup(megabytes);
  const child = spawn(process.execPath, [join(action.folder, action.main)], { cwd: workspace, env, stdio: ['ignore', 'pipe', 'pipe'] });
  if (group !== undefined) writeFileSync(join(group, 'cgroup.procs'), String(child.pid));
  let tail = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (tail = (tail + chunk.subarray(-2000).toString()).slice(-2000)));
  const code = await new Promise<number | null>((done) => child.on('close', done));
  const peak = existsSync(peakFile) ? (Number(readFileSync(peakFile, 'utf8')) * 1024) / 1e6 : Number.NaN;
  const outputs = readFileSync(files.output, 'utf8');
  rmSync(folder, { recursive: true, force: true });
  if (group !== undefined) rmdirSync(group);
  return { code, peak, isLimited: group !== undefined, outputs, tail };
}

/** A control group of either version (https://docs.kernel.org/admin-guide/cgroup-v2.html#memory), where this user may make one. */
function makeGroup(megabytes: number): string | undefined {
  const name = `slashtrain-${process.pid}`;
  for (const [root, limit] of [
    ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
    ['/sys/fs/cgroup', 'memory.max'],
  ] as const) {
    const group = join(root, name);
    try {
      mkdirSync(group);
      writeFileSync(join(group, limit), String(megabytes * 1024 * 1024));
      return group;
    } catch {
      // The other version, or not our machine.
      if (existsSync(group)) rmdirSync(group);
    }
  }
  return undefined;
}
