import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { pods } from '@slashtrain/core/kubernetes/client';
import { forwardTo } from '@slashtrain/core/kubernetes/port-forward';
import { missingForReal, openReal, type RealPlace } from '../kubectl.ts';
import type { Part, Row } from '../part.ts';
import { kubectlVersion } from '../programs.ts';
import { inTurn } from '../samples.ts';

/*
 * How many requests a second a pod answers through our port-forward, and through `kubectl port-forward`, one connection kept and
 * eight at once. Both are asked in turn, by the same client of node:http.
 */
const body = JSON.stringify({ instances: [Array.from({ length: 64 }, (_, index) => index / 64)] });

export const part: Part = {
  rounds: { full: 9, quick: 5 },
  missing: missingForReal,
  async run(options) {
    const place = await openReal('forward', options);
    const stop = new AbortController();
    try {
      return await measure(place, options.rounds, stop.signal);
    } finally {
      stop.abort();
      await place.close();
    }
  },
};

async function measure(place: RealPlace, rounds: number, signal: AbortSignal): Promise<Row[]> {
  const { client, namespace, image } = place;
  const program = `require('node:http').createServer((request, response) => {
    request.resume().on('end', () => response.end('{"predictions":[7]}'));
  }).listen(8080, () => console.log('listens'))`;
  const container = { name: 'main', image, command: ['node', '-e', program] };
  const spec = { terminationGracePeriodSeconds: 0, containers: [container] };
  await client.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'model', namespace }, spec });
  await listens(place);

  const ours = forwardTo(client, { namespace, pod: 'model', port: 8080 }, signal);
  const kubectl = place.kubectl('port-forward', 'pod/model', ':8080', '--address', '127.0.0.1');
  const rows: Row[] = [];
  try {
    const [line] = (await once(createInterface(kubectl.stdout!), 'line')) as [string];
    const port = Number(/127\.0\.0\.1:(\d+)/u.exec(line)?.[1]);
    kubectl.stdout?.resume();
    const theirs = new Agent({ keepAlive: true });
    for (const crowd of [1, 8]) {
      const rates = await inTurn(rounds, { ours: () => rate(ours, 8080, crowd), kubectl: () => rate(theirs, port, crowd) });
      rows.push({
        ...{ id: `forward/${crowd}`, what: `requests through port-forward, ${crowd} at once`, issues: [10], unit: 'requests/s' },
        ...{ better: 'higher', ours: rates.ours },
        peer: { name: 'kubectl port-forward', version: kubectlVersion(), samples: rates.kubectl },
        limits: [{ of: 'ratio', least: 0.8 }],
      });
    }
    theirs.destroy();
    return rows;
  } finally {
    ours.destroy();
    kubectl.kill();
  }
}

async function listens({ client, namespace }: RealPlace): Promise<void> {
  for (;;) {
    const found = await client.get(pods, namespace, 'model');
    if ((found?.['status'] as { phase?: string } | undefined)?.phase === 'Running') break;
    await new Promise((done) => setTimeout(done, 100));
  }
  for await (const lines of client.log(namespace, 'model', { container: 'main', follow: true }, new AbortController().signal)) {
    if (lines.some((line) => line.includes('listens'))) return;
  }
}

/** Requests in a second by so many clients at once, each with its next request as soon as it has its answer. */
async function rate(agent: Agent, port: number, crowd: number): Promise<number> {
  const start = performance.now();
  const end = start + 1000;
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
