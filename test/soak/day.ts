import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http, { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { kubernetesBackend } from '@slashtrain/core/backend/kubernetes';
import { job } from '@slashtrain/core/kinds/job';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { systemTiming, type Timing } from '@slashtrain/core/kubernetes/timing';
import type { RunReference } from '@slashtrain/core/run/reference';
import { startCluster } from '@slashtrain/testing/cluster/cluster';
import { parse } from 'yaml';
import { waitForEnd } from '../../actions/wait-for-run/src/wait.ts';
import { keptLog } from '../support/kubernetes.ts';

/** A day of waiting goes by in two minutes. */
const speed = 720;
const hours = 24;
const cuts = 300;
const hour = 3_600_000 / speed;
const lineCount = 5_000;

/** What the thread that waits is given. */
interface Given {
  kubeconfig: string;
  run: RunReference;
}

/** What it tells at its end. */
interface Waited {
  state: string;
  lines: string[];
  /** Heap in MB, garbage collected. */
  begin: number;
  end: number;
}

/**
 * A day of one wait: a token lives an hour, so that 24 are needed, and every few minutes a watch or the log is cut, 300 times in all. The
 * end must be seen, every token renewed by itself, and each line of the log come once.
 */
export async function day(): Promise<string[]> {
  const cluster = await startCluster({ namespaces: ['soak'] });
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-day-'));
  const gate = await openGate(cluster.url, (parse(cluster.kubeconfig) as { users: { user: { token: string } }[] }).users[0]!.user.token);
  const credential = join(folder, 'credential.json');
  const renew = (number: number): void => {
    gate.token = `token-${number}`;
    const status = { token: gate.token, expirationTimestamp: new Date(Date.now() + hour).toISOString() };
    writeFileSync(`${credential}.new`, JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status }));
    renameSync(`${credential}.new`, credential);
  };
  renew(0);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'cat', args: [credential], interactiveMode: 'Never' };
  const kubeconfig = JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'day' },
    clusters: [{ name: 'day', cluster: { server: gate.url } }],
    users: [{ name: 'day', user: { exec } }],
    contexts: [{ name: 'day', context: { cluster: 'day', user: 'day' } }],
  });
  const program = `let i = 0; const t = setInterval(() => { console.log('numbered ' + ++i); if (i === ${lineCount}) clearInterval(t); }, ${(hours * hour) / lineCount});`;
  const image = `localhost:1/day@sha256:${'a'.repeat(64)}`;
  cluster.registerImage(image, folder);
  const direct = await openKubernetes({ kubeconfig: cluster.kubeconfig, environment: {}, log: keptLog() });
  const container = { name: 'train', image, command: ['node', '-e', program] };
  const made = await direct.create<KubernetesObject>(job.resource, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'day', namespace: 'soak' },
    spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [container] } } },
  });
  const run = { plural: 'jobs', group: 'batch', namespace: 'soak', name: 'day', uid: made?.metadata.uid ?? '' };
  const waiter = new Worker(import.meta.filename, { workerData: { kubeconfig, run } satisfies Given });
  const ended = once(waiter, 'message') as Promise<[Waited]>;
  let isOver = false;
  const over = ended.finally(() => (isOver = true));
  const renewing = async (): Promise<void> => {
    for (let number = 1; number < hours && !isOver; number += 1) {
      await pause(hour);
      renew(number);
    }
  };
  const cutting = async (): Promise<void> => {
    while (gate.cuts < cuts && !isOver) {
      await pause((hours * hour) / cuts);
      gate.cut();
    }
  };
  const [[waited]] = await Promise.all([over, renewing(), cutting()]);
  const numbered = waited.lines.filter((line) => line.startsWith('numbered '));
  const isWhole = numbered.length === lineCount && numbered.every((line, index) => line === `numbered ${index + 1}`);
  console.log(
    `a day of waiting at ${speed} times its speed: ${gate.used.size} tokens, ${gate.refused} requests with one that had ended, ${gate.cuts} ` +
      `streams cut; the end was "${waited.state}", ${numbered.length} of ${lineCount} lines, ${isWhole ? 'each once and in order' : 'NOT each once'}; ` +
      `the heap of its thread was ${waited.begin} MB at the begin and ${waited.end} MB at the end`,
  );
  await gate.close();
  await cluster.stop();
  rmSync(folder, { recursive: true });
  return [
    ...(waited.state === 'succeeded' ? [] : [`the end was ${waited.state}`]),
    ...(isWhole ? [] : ['lines of the log are missing, doubled or out of order']),
    ...(gate.used.size === hours ? [] : [`${gate.used.size} tokens were used, of ${hours}`]),
    ...(gate.cuts === cuts ? [] : [`${gate.cuts} streams were cut, of ${cuts}`]),
  ];
}

/** Stands before an API server, lets one token of the moment in, and cuts streams. */
async function openGate(target: string, ownToken: string) {
  const streams = new Set<ServerResponse>();
  const gate = {
    ...{ url: '', token: '', refused: 0, cuts: 0, used: new Set<string>() },
    cut: (): void => {
      const [first] = streams;
      if (!first) return;
      // The eldest, so that each gets its turn.
      streams.delete(first);
      gate.cuts += 1;
      first.destroy();
    },
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  const server = createServer((request, response) => {
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    if (token !== gate.token) {
      gate.refused += 1;
      const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'Unauthorized', reason: 'Unauthorized', code: 401 };
      return void response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify(status));
    }
    gate.used.add(token);
    const headers = { ...request.headers, authorization: `Bearer ${ownToken}` };
    const onward = http.request(new URL(request.url ?? '/', target), { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
      if (!/[?&](watch|follow)=true/u.test(request.url ?? '')) return;
      streams.add(response);
      response.on('close', () => streams.delete(response));
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  gate.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return gate;
}

/** The thread that waits, whose clock runs as fast as the day does. */
async function waitOut({ kubeconfig, run }: Given): Promise<Waited> {
  const started = performance.now();
  const base = systemTiming.now();
  const timing: Timing = {
    now: () => base + (performance.now() - started) * speed,
    random: systemTiming.random,
    pause: (milliseconds, signal) => systemTiming.pause(milliseconds / speed, signal),
  };
  const client = await openKubernetes({ kubeconfig, environment: { PATH: process.env['PATH'] }, log: keptLog(), timing });
  // A server's bookmarks are not faster than the day: what counts as silence is left to them.
  const backend = kubernetesBackend(client, { log: keptLog(), timing, watch: { silenceSeconds: 86_400 } });
  const signal = new AbortController().signal;
  const lines: string[] = [];
  const reading = (async () => {
    for await (const some of backend.logs(run, signal)) for (const { text } of some) lines.push(text);
  })();
  const begin = heap();
  const [{ status }] = await Promise.all([waitForEnd(run, backend, { signal, onChange: () => undefined }), reading]);
  return { state: status.state, lines, begin, end: heap() };
}

function heap(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return Math.round(process.memoryUsage().heapUsed / 1024 / 1024);
}

if (!isMainThread) parentPort?.postMessage(await waitOut(workerData as Given));
