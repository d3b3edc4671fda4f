import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { startGitHub } from '@slashtrain/testing/github/github';
import { kubeconfigFor } from '../support/kubernetes.ts';
import { unique } from '../support/targets.ts';
import { median, type Program } from './measure.ts';
import { waitForRun } from './waiting.ts';

/*
 * How fast a log is followed, and with how much memory: wait-for-run against `kubectl logs -f`, in turn, on the same
 * endless log. `kubectl get --raw`, which copies bytes and knows no lines, is shown beside them. A server of ours, in a
 * thread of its own, gives the log out as fast as it is taken: a kubelet rotates a log of 10 MB away from under its
 * readers, and then the disk is measured. CPU seconds depend less than MB/s on what else the machine does. Asserts nothing.
 *   node test/bench/logs.ts [--megabytes N] [--runs N]      kubectl is on PATH; the bundle is built
 */
const namespace = 'ml';
const name = 'default-1a2b3c4-9f8e7d6';
const uid = '0f0c7a52-3c1e-4d0e-9c77-6d1f0a2b3c4d';
const podName = `${name}-abcde`;
const lineBytes = 100;
const linesAtOnce = 1_000;
const followers = ['kubectl logs -f', 'wait-for-run', 'kubectl get --raw'] as const;
type Who = (typeof followers)[number];

interface Followed {
  /** MB of log a second, from the first line to the last. */
  speed: number;
  /** CPU seconds, of the user and of the system. */
  cpu: number;
  /** The most memory, in MB. */
  memory: number;
  lines: number;
}

/** What the server's thread is told. */
interface Given {
  megabytes: number;
  record: object;
}

if (isMainThread) await measure();
else serve(workerData as Given);

async function measure(): Promise<void> {
  const { values } = parseArgs({ options: { megabytes: { type: 'string', default: '1000' }, runs: { type: 'string', default: '1' } } });
  const [megabytes = 0, runs = 0] = [values.megabytes, values.runs].map(Number);
  for (const number of [megabytes, runs]) if (!Number.isInteger(number) || number < 1) throw new Error('allowed: whole numbers from 1');
  if (spawnSync('kubectl', ['version', '--client']).status !== 0) throw new Error('kubectl is not on PATH');

  const github = await startGitHub();
  const repository = github.createRepository({ owner: 'acme', name: unique('logs') });
  const sha = repository.head();
  const record = {
    version: 1,
    repository: { id: repository.id, fullName: repository.fullName },
    sha,
    tree: repository.tree(sha),
    pipeline: 'default',
    request: 'c'.repeat(64),
    asked: [],
    attempt: 1,
    actor: 'ada',
    createdAt: '2026-01-01T00:00:00Z',
    images: [],
    parameters: [],
    kind: { plural: 'jobs', group: 'batch' },
    run: `jobs.batch/${namespace}/${name}@${uid}`,
    state: 'queued',
  };
  const server = new Worker(import.meta.filename, { workerData: { megabytes, record } satisfies Given });
  const [url] = (await once(server, 'message')) as [string];
  const token = github.token({ checks: 'write' }, { repository });
  const inputs = { kubeconfig: kubeconfigFor(url), run: record.run, token, logs: 'all', pipeline: 'default' };
  const ours = waitForRun({ github, repository, inputs });
  const programs: Record<Who, Program> = {
    'kubectl logs -f': { command: ['kubectl', '--server', url, '-n', namespace, 'logs', '-f', '--timestamps', podName] },
    'kubectl get --raw': {
      command: [
        'kubectl',
        '--server',
        url,
        'get',
        '--raw',
        `/api/v1/namespaces/${namespace}/pods/${podName}/log?container=main&follow=true&timestamps=true`,
      ],
    },
    'wait-for-run': ours,
  };

  const followed = new Map<Who, Followed[]>(followers.map((who) => [who, []]));
  try {
    for (let run = 0; run < runs; run++)
      for (const who of followers) {
        const one = await follow(programs[who], megabytes);
        followed.get(who)?.push(one);
        if (one.lines < (megabytes * 1e6) / lineBytes) console.log(`${who}: NOT WHOLE, ${one.lines} lines`);
      }
  } finally {
    await server.terminate();
    await github.close();
  }
  show(followed, megabytes, runs);
}

function show(followed: ReadonlyMap<Who, Followed[]>, megabytes: number, runs: number): void {
  const of = (who: Who, what: keyof Followed): number => median((followed.get(who) ?? []).map((one) => one[what]));
  const peer = followers[0];
  console.log(
    `| ${megabytes} MB in lines of ${lineBytes} bytes, medians of ${runs} | MB/s | ÷ kubectl | CPU s | ÷ kubectl | peak RSS, MB |`,
  );
  console.log('|---|---|---|---|---|---|');
  for (const who of followers) {
    const [speed, cpu] = [of(who, 'speed'), of(who, 'cpu')];
    const most = Math.max(...(followed.get(who) ?? []).map(({ memory }) => memory));
    console.log(
      `| ${who} | ${speed.toFixed(1)} | ${(speed / of(peer, 'speed')).toFixed(2)} | ${cpu.toFixed(2)} | ${(cpu / of(peer, 'cpu')).toFixed(2)} | ${most.toFixed(0)} |`,
    );
  }
}

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
  const memory = Number(/^VmHWM:\s+(\d+) kB/mu.exec(of('status'))?.[1] ?? 0) / 1024;
  // User and system time are the 14th and 15th field, in hundredths (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
  const [user = 0, system = 0] = of('stat').split(') ')[1]?.split(' ').slice(11, 13).map(Number) ?? [];
  child.removeAllListeners('close');
  child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  return { speed, memory, cpu: (user + system) / 100, lines: count };
}

/** A cluster with one run, whose only pod writes a log without end. */
function serve({ megabytes, record }: Given): void {
  const metadata = { name, namespace, uid, resourceVersion: '1' };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name: podName },
    spec: { containers: [{ name: 'main', image: 'a' }] },
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'main', restartCount: 0, containerID: 'containerd://a', state: { running: {} } }],
    },
  };
  const objects: Record<string, object> = {
    jobs: { metadata, status: { active: 1, ready: 1, startTime: '2026-01-01T00:00:00Z' } },
    pods: pod,
    configmaps: { metadata, data: { record: JSON.stringify(record) } },
    // What kubectl asks before it knows what a pod is.
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
    '/api/v1': {
      kind: 'APIResourceList',
      groupVersion: 'v1',
      resources: [{ name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['get', 'list'] }],
    },
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server');
    response.setHeader('content-type', 'application/json');
    if (pathname.endsWith('/log')) return void flood(response, megabytes);
    if (searchParams.get('watch') === 'true') return void response.writeHead(200).flushHeaders();
    const [, plural = '', one] = /\/namespaces\/[^/]+\/([^/]+)(?:\/([^/]+))?$/u.exec(pathname) ?? [undefined, pathname, pathname];
    const object = objects[plural];
    if (one) return void response.writeHead(object ? 200 : 404).end(JSON.stringify(object ?? { kind: 'Status', code: 404 }));
    response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: object ? [object] : [] }));
  });
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
}

/** Lines with the kubelet's stamps: 100 a millisecond. Then one by which all know that it was all. */
async function flood(response: ServerResponse, megabytes: number): Promise<void> {
  const start = Date.parse('2026-01-01T00:00:00Z');
  const lines = Array.from({ length: linesAtOnce }, (_, index) => {
    const stamp = `2026-01-01T00:00:00.000${String((index % 100) * 10_000).padStart(6, '0')}Z `;
    return `${stamp}${'x'.repeat(lineBytes - stamp.length - 1)}\n`;
  });
  // One piece of memory: it is more than a stream holds unsent, so that it is sent before it is written to again.
  const chunk = Buffer.from(lines.join(''));
  for (let written = 0; written < (megabytes * 1e6) / lineBytes; written += linesAtOnce) {
    for (let index = 0; index < linesAtOnce; index += 100) {
      const millisecond = new Date(start + (written + index) / 100).toISOString().slice(0, -1);
      for (let line = index; line < index + 100; line += 1) chunk.write(millisecond, line * lineBytes, 'latin1');
    }
    if (!response.write(chunk)) await once(response, 'drain');
  }
  response.write('2026-01-01T23:00:00.000000000Z that was all\n');
}
