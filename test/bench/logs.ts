import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startGitHub } from '@slashtrain/testing/github/github';
import { kubeconfigFor } from '../support/kubernetes.ts';
import { unique } from '../support/targets.ts';

/*
 * How fast a log is followed, and with how much memory: wait-for-run against kubectl, in turn, on the same endless log.
 * A server of ours gives it out as fast as it is taken: a kubelet rotates a log of 10 MB away from under its readers, and
 * then the disk is measured. Asserts nothing.
 *   node test/bench/logs.ts [--megabytes N] [--runs N]      kubectl is on PATH; the bundle is built
 */
const { values } = parseArgs({ options: { megabytes: { type: 'string', default: '1000' }, runs: { type: 'string', default: '1' } } });
const [megabytes = 0, runs = 0] = [values.megabytes, values.runs].map(Number);
for (const number of [megabytes, runs]) if (!Number.isInteger(number) || number < 1) throw new Error('allowed: whole numbers from 1');
if (spawnSync('kubectl', ['version', '--client']).status !== 0) throw new Error('kubectl is not on PATH');

const namespace = 'ml';
const name = 'default-1a2b3c4-9f8e7d6';
const uid = '0f0c7a52-3c1e-4d0e-9c77-6d1f0a2b3c4d';
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
const metadata = { name, namespace, uid, resourceVersion: '1' };
const pod = {
  metadata: { ...metadata, name: `${name}-abcde` },
  status: {
    phase: 'Running',
    containerStatuses: [{ name: 'main', restartCount: 0, containerID: 'containerd://a', state: { running: {} } }],
  },
};
const objects: Record<string, object> = {
  jobs: { metadata, status: { active: 1, ready: 1, startTime: '2026-01-01T00:00:00Z' } },
  pods: pod,
  configmaps: { metadata, data: { 'record.json': JSON.stringify(record), record: JSON.stringify(record) } },
};

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server');
  response.setHeader('content-type', 'application/json');
  if (pathname.endsWith('/log')) return void flood(response);
  if (searchParams.get('watch') === 'true') return void response.writeHead(200).flushHeaders();
  const [, plural = '', one] = /\/namespaces\/[^/]+\/([^/]+)(?:\/([^/]+))?$/u.exec(pathname) ?? [];
  const object = objects[plural];
  if (one) return void response.writeHead(object ? 200 : 404).end(JSON.stringify(object ?? { kind: 'Status', code: 404 }));
  response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: object ? [object] : [] }));
});
await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const line = `${'x'.repeat(68)}\n`;
/** Lines of 100 bytes with the kubelet's stamps: 100 a millisecond. Then one by which both know that it was all. */
async function flood(response: ServerResponse): Promise<void> {
  const start = Date.parse('2026-01-01T00:00:00Z');
  let stamp = '';
  for (let written = 0; written < megabytes * 10_000; written += 1000) {
    let chunk = '';
    for (let index = 0; index < 1000; index += 1) {
      // Of a thousand lines the first hundred share a millisecond, and so on.
      if (index % 100 === 0) stamp = new Date(start + (written + index) / 100).toISOString().slice(0, -1);
      chunk += `${stamp}${String((index % 100) * 10_000).padStart(6, '0')}Z ${line}`;
    }
    if (!response.write(chunk)) await new Promise((done) => response.once('drain', done));
  }
  response.write('2026-01-01T23:00:00.000000000Z that was all\n');
}

interface Followed {
  /** MB of log a second, from the first line to the last. */
  speed: number;
  memory: number;
  lines: number;
}

const followed: { kubectl: Followed; ours: Followed }[] = [];
try {
  for (let run = 0; run < runs; run++) followed.push({ kubectl: await follow('kubectl'), ours: await follow('wait-for-run') });
} finally {
  server.closeAllConnections();
  server.close();
  await github.close();
}
console.log(
  `| ${megabytes} MB in lines of 100 bytes | kubectl, MB/s | wait-for-run, MB/s | ratio | kubectl's peak RSS, MB | wait-for-run's |`,
);
console.log('|---|---|---|---|---|---|');
for (const { kubectl, ours } of followed) {
  const numbers = [kubectl.speed, ours.speed].map((speed) => speed.toFixed(1));
  console.log(
    `| ${ours.lines - kubectl.lines >= 0 ? 'whole' : 'NOT WHOLE'} | ${numbers.join(' | ')} | ${(ours.speed / kubectl.speed).toFixed(2)} | ${kubectl.memory.toFixed(0)} | ${ours.memory.toFixed(0)} |`,
  );
}

async function follow(who: 'kubectl' | 'wait-for-run'): Promise<Followed> {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-logs-'));
  const path = `/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}/log?container=main&follow=true&timestamps=true`;
  const [file = '', ...args] =
    who === 'kubectl'
      ? ['kubectl', '--server', url, 'get', '--raw', path]
      : [process.execPath, join(import.meta.dirname, '../../actions/wait-for-run/dist/index.js')];
  const inputs = {
    kubeconfig: kubeconfigFor(url),
    run: record.run,
    token: github.token({ checks: 'write' }, { repository }),
    logs: 'all',
    pipeline: 'default',
  };
  const child = spawn(file, args, {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      RUNNER_TEMP: folder,
      GITHUB_WORKSPACE: folder,
      GITHUB_REPOSITORY: repository.fullName,
      GITHUB_REPOSITORY_ID: String(repository.id),
      GITHUB_API_URL: `${github.url}/api/v3`,
      GITHUB_SERVER_URL: github.url,
      GITHUB_RUN_ID: '1',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_ACTOR: 'ada',
      GITHUB_EVENT_NAME: 'workflow_dispatch',
      ...Object.fromEntries(Object.entries(inputs).map(([input, value]) => [`INPUT_${input.toUpperCase()}`, value])),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let first = 0;
  let count = 0;
  let end = '';
  const speed = await new Promise<number>((done, fail) => {
    child.on('close', (code) => fail(new Error(`${who} ended with ${String(code)}: ${end}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      if (first === 0 && chunk.includes('xxxx')) first = performance.now();
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count += 1;
      end = (end + chunk.subarray(-500).toString('latin1')).slice(-500);
      if (end.includes('that was all')) done((megabytes * 1000) / (performance.now() - first));
    });
  });
  const memory = Number(/^VmHWM:\s+(\d+) kB/mu.exec(readFileSync(`/proc/${child.pid ?? 0}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  child.removeAllListeners('close');
  child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  return { speed, memory, lines: count };
}
