import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { waitUntilReady } from '../../actions/deploy-model/src/rollout/wait.ts';
import { kindsFor } from '../../actions/deploy-model/src/targets/kinds/index.ts';
import { keptLog } from '../support/kubernetes.ts';
import { unique } from '../support/targets.ts';
import { median } from './measure.ts';

/*
 * How long a rollout takes until deploy-model sees that it is ready, and until `kubectl rollout status` and `kubectl wait` do: all three watch
 * one rollout, from the moment in which it was applied; all start then. Asserts nothing.
 *   node test/bench/ready.ts --kubeconfig FILE --context NAME --image IMAGE [--rounds N]    IMAGE has Node; kubectl is on PATH
 */
const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    context: { type: 'string' },
    image: { type: 'string' },
    rounds: { type: 'string', default: '9' },
  },
});
const { kubeconfig, context, image } = values;
if (!kubeconfig || !context || !image) throw new Error('--kubeconfig, --context and --image are needed; nothing ambient is used');
readFileSync(kubeconfig);
if (spawnSync('kubectl', ['version', '--client']).status !== 0) throw new Error('kubectl is not on PATH');
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds is ${values.rounds}; allowed: a whole number from 1`);

const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
const deployments = { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment' };
const namespace = unique('slashtrain-ready');
const stop = new AbortController();
const client = await openKubernetes({ kubeconfig, context, environment: {}, log: keptLog() });
await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
const shown = { ours: 'deploy-model', status: '`kubectl rollout status`', wait: '`kubectl wait` for the condition Available' };
type Who = keyof typeof shown;
const samples: Record<Who, number>[] = [];
try {
  // The first pulls the image.
  for (let round = -1; round < rounds; round++) {
    const sample = await measure(round);
    if (round >= 0) samples.push(sample);
  }
} finally {
  stop.abort();
  await client.delete(namespaces, '', namespace);
}
console.log(`| a new Deployment of one pod is seen ready, ${rounds} rounds | median, ms | least | ratio of ours, paired median |`);
console.log('|---|---|---|---|');
for (const [who, words] of Object.entries(shown) as [Who, string][]) {
  const all = samples.map((sample) => sample[who]);
  const ratio = median(samples.map((sample) => sample.ours / sample[who]));
  console.log(`| ${words} | ${median(all).toFixed(0)} | ${Math.min(...all).toFixed(0)} | ${ratio.toFixed(2)} |`);
}

async function measure(round: number): Promise<Record<Who, number>> {
  const name = `ready-${round + 1}`;
  const labels = { app: name };
  const program = "require('node:http').createServer((_, response) => response.end()).listen(8080)";
  const container = {
    name: 'model',
    image,
    command: ['node', '-e', program],
    readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
  };
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } };
  const object: KubernetesObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { selector: { matchLabels: labels }, template },
  };
  const kinds = await kindsFor([object], new Map(), client);
  const applied = await client.apply(deployments, object, {});
  const start = performance.now();
  const kubectl = async (...args: string[]): Promise<number> => {
    const child = spawn('kubectl', ['--kubeconfig', kubeconfig ?? '', '--context', context ?? '', '-n', namespace, ...args], {
      stdio: 'ignore',
    });
    const code = await new Promise<number | null>((done, fail) => child.on('close', done).on('error', fail));
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${String(code)}`);
    return performance.now() - start;
  };
  const ours = async (): Promise<number> => {
    await waitUntilReady([applied], { client, kinds, signal: stop.signal, timeout: 120, say: () => undefined });
    return performance.now() - start;
  };
  const [we, status, wait] = await Promise.all([
    ours(),
    kubectl('rollout', 'status', `deployment/${name}`, '--timeout=120s'),
    kubectl('wait', `deployment/${name}`, '--for=condition=Available', '--timeout=120s'),
  ]);
  await client.delete(deployments, namespace, name);
  return { ours: we, status, wait };
}
