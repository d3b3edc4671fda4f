import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { pods } from '@slashtrain/core/kubernetes/client';
import { forwardTo } from '@slashtrain/core/kubernetes/port-forward';
import { keptLog } from '../support/kubernetes.ts';
import { unique } from '../support/targets.ts';
import { median } from './measure.ts';

/*
 * How many requests a second a pod answers through our port-forward, and through `kubectl port-forward`, one connection kept and
 * eight at once. Both are asked in turn, by the same client of node:http. Asserts nothing.
 *   node test/bench/port-forward.ts --kubeconfig FILE --context NAME --image IMAGE [--rounds N]    IMAGE has Node; kubectl is on PATH
 */
const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    context: { type: 'string' },
    image: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
  },
});
const { kubeconfig, context, image } = values;
if (!kubeconfig || !context || !image) throw new Error('--kubeconfig, --context and --image are needed; nothing ambient is used');
readFileSync(kubeconfig);
if (spawnSync('kubectl', ['version', '--client']).status !== 0) throw new Error('kubectl is not on PATH');
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];

const body = JSON.stringify({ instances: [Array.from({ length: 64 }, (_, index) => index / 64)] });
const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
const namespace = unique('slashtrain-forward');
const stop = new AbortController();
const client = await openKubernetes({ kubeconfig, context, environment: {}, log: keptLog() });
await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
try {
  await measure();
} finally {
  stop.abort();
  await client.delete(namespaces, '', namespace);
}

async function measure(): Promise<void> {
  const program = `require('node:http').createServer((request, response) => {
    request.resume().on('end', () => response.end('{"predictions":[7]}'));
  }).listen(8080, () => console.log('listens'))`;
  const container = { name: 'main', image, command: ['node', '-e', program] };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'model', namespace }, spec: { containers: [container] } };
  await client.create(pods, pod);
  await listens();

  const ours = forwardTo(client, { namespace, pod: 'model', port: 8080 }, stop.signal);
  const kubectl = spawn('kubectl', [
    ...['--kubeconfig', kubeconfig ?? '', '--context', context ?? '', '-n', namespace],
    ...['port-forward', 'pod/model', ':8080', '--address', '127.0.0.1'],
  ]);
  try {
    const [line] = (await once(createInterface(kubectl.stdout), 'line')) as [string];
    const port = Number(/127\.0\.0\.1:(\d+)/u.exec(line)?.[1]);
    kubectl.stdout.resume();
    const theirs = new Agent({ keepAlive: true });
    console.log(`| requests a second, median of ${rounds} rounds of ${seconds} s | ours | kubectl port-forward | ratio |`);
    console.log('|---|---|---|---|');
    for (const crowd of [1, 8]) {
      const samples: { ours: number; theirs: number }[] = [];
      for (let round = -1; round < rounds; round++) {
        const sample = { ours: await rate(ours, 8080, crowd), theirs: await rate(theirs, port, crowd) };
        // The first round opens the connections.
        if (round >= 0) samples.push(sample);
      }
      const [we, they] = [median(samples.map((sample) => sample.ours)), median(samples.map((sample) => sample.theirs))];
      console.log(`| ${crowd} at once | ${we.toFixed(0)} | ${they.toFixed(0)} | ${(we / they).toFixed(2)} |`);
    }
    theirs.destroy();
  } finally {
    ours.destroy();
    kubectl.kill();
  }
}

async function listens(): Promise<void> {
  for (;;) {
    const found = await client.get(pods, namespace, 'model');
    if ((found?.['status'] as { phase?: string } | undefined)?.phase === 'Running') break;
    await new Promise((done) => setTimeout(done, 100));
  }
  for await (const lines of client.log(namespace, 'model', { container: 'main', follow: true }, stop.signal)) {
    if (lines.some((line) => line.includes('listens'))) return;
  }
}

/** Requests a second by so many clients at once, each with its next request as soon as it has its answer. */
async function rate(agent: Agent, port: number, crowd: number): Promise<number> {
  const start = performance.now();
  const end = start + seconds * 1000;
  let answered = 0;
  const one = async (): Promise<void> => {
    while (performance.now() < end) {
      await ask(agent, port);
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: crowd }, one));
  return answered / ((performance.now() - start) / 1000);
}

function ask(agent: Agent, port: number): Promise<void> {
  return new Promise((done, fail) => {
    const sent = request({
      agent,
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/v1/models/digits:predict',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    sent.on('response', (response) => response.resume().on('end', done).on('error', fail));
    sent.on('error', fail);
    sent.end(body);
  });
}
