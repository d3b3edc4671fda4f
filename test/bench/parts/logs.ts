import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { startGitHub } from '@slashtrain/testing/github/github';
import { kubeconfigFor } from '../../support/kubernetes.ts';
import { unique } from '../../support/targets.ts';
import { lineBytes, run, type Given } from '../log-thread.ts';
import type { Part, Row } from '../part.ts';
import { absent, bundle, inputsOf, kubectlVersion, peakOf, runnerOf, type Program } from '../programs.ts';
import { inTurn } from '../samples.ts';

/** How fast a log is followed, and with how much memory and CPU: wait-for-run beside `kubectl logs -f`, on one endless log. */
type Who = 'ours' | 'kubectl';

interface Followed {
  /** MB of log a second, from the first line to the last. */
  speed: number;
  /** CPU seconds, of the user and of the system. */
  cpu: number;
  /** The most memory, in MB. */
  memory: number;
}

export const part: Part = {
  rounds: { full: 3, quick: 5 },
  missing: () =>
    absent('kubectl').length > 0 ? 'kubectl is not on PATH; install it (https://kubernetes.io/docs/tasks/tools/)' : undefined,
  async run({ rounds, quick }) {
    const megabytes = quick ? 50 : 1000;
    const github = await startGitHub();
    const repository = github.createRepository({ owner: 'acme', name: unique('logs') });
    const sha = repository.head();
    const record = {
      ...{ version: 1, repository: { id: repository.id, fullName: repository.fullName }, sha, tree: repository.tree(sha) },
      ...{ pipeline: 'default', request: 'c'.repeat(64), asked: [], attempt: 1, actor: 'ada', createdAt: '2026-01-01T00:00:00Z' },
      ...{ images: [], parameters: [], kind: { plural: 'jobs', group: 'batch' }, state: 'queued' },
      run: `jobs.batch/${run.namespace}/${run.name}@${run.uid}`,
    };
    const server = new Worker(new URL('../log-thread.ts', import.meta.url), { workerData: { megabytes, record } satisfies Given });
    const [url] = (await once(server, 'message')) as [string];
    const token = github.token({ checks: 'write' }, { repository });
    const inputs = { kubeconfig: kubeconfigFor(url), run: record.run, token, logs: 'all', pipeline: 'default' };
    const commands: Record<Who, Program> = {
      ours: bundle('wait-for-run', { ...runnerOf(`${github.url}/api/v3`, repository), ...inputsOf(inputs) }),
      kubectl: { command: ['kubectl', '--server', url, '-n', run.namespace, 'logs', '-f', '--timestamps', run.pod] },
    };
    const all: Record<Who, Followed[]> = { ours: [], kubectl: [] };
    const measure = (who: Who) => async (): Promise<number> => {
      const one = await follow(commands[who], megabytes);
      all[who].push(one);
      return one.speed;
    };
    try {
      // Of a large log no round is thrown away: nothing is cold for long.
      const speeds = await inTurn(rounds, { ours: measure('ours'), kubectl: measure('kubectl') }, { warmUp: quick });
      const memory = { ours: Math.max(...all.ours.map((one) => one.memory)), peer: Math.max(...all.kubectl.map((one) => one.memory)) };
      const peer = { name: 'kubectl logs -f', version: kubectlVersion() };
      const cpu = (who: Who): number[] => all[who].slice(-rounds).map((one) => one.cpu);
      const [size, issues] = [megabytes === 1000 ? '1 GB' : `${megabytes} MB`, [6]];
      const rows: Row[] = [
        {
          ...{ id: 'logs/speed', what: `a log of ${size} is followed`, issues, unit: 'MB/s', better: 'higher', ours: speeds.ours },
          peer: { ...peer, samples: speeds.kubectl },
          memory,
          limits: [
            { of: 'ratio', least: 0.8 },
            { of: 'memory', most: 150 },
          ],
        },
        {
          ...{ id: 'logs/cpu', what: `the same, seconds of CPU`, issues, unit: 's', better: 'lower', ours: cpu('ours') },
          peer: { ...peer, samples: cpu('kubectl') },
        },
      ];
      return rows;
    } finally {
      await server.terminate();
      await github.close();
    }
  },
};

async function follow({ command: [file = '', ...args], env }: Program, megabytes: number): Promise<Followed> {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-logs-'));
  const child = spawn(file, args, {
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, RUNNER_TEMP: folder, GITHUB_WORKSPACE: folder, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let first = 0;
  let count = 0;
  let end = '';
  const speed = await new Promise<number>((done, fail) => {
    child.on('close', (code) => fail(new Error(`${file} ended with ${String(code)}: ${end}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      if (first === 0 && chunk.includes('xxxx')) first = performance.now();
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count += 1;
      end = (end + chunk.subarray(-500).toString('latin1')).slice(-500);
      if (end.includes('that was all')) done((megabytes * 1000) / (performance.now() - first));
    });
  });
  const of = (what: string): string => readFileSync(`/proc/${child.pid ?? 0}/${what}`, 'utf8');
  const memory = peakOf(child.pid ?? 0);
  // User and system time are the 14th and 15th field, in hundredths (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
  const [user = 0, system = 0] = of('stat').split(') ')[1]?.split(' ').slice(11, 13).map(Number) ?? [];
  child.removeAllListeners('close');
  child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  if (count < (megabytes * 1e6) / lineBytes) throw new Error(`${file} gave ${count} lines, which is not all`);
  return { speed, memory, cpu: (user + system) / 100 };
}
