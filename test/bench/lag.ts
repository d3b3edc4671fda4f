import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { kindFor } from '@slashtrain/core/kinds/index';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { startBundle } from '@slashtrain/testing/bundle/bundle';
import { startGitHub } from '@slashtrain/testing/github/github';
import { keptLog } from '../support/kubernetes.ts';
import { succeeded } from '../support/steps.ts';
import { unique } from '../support/targets.ts';
import { median } from './measure.ts';

/*
 * How long after the API server knows it a run's end is seen: by wait-for-run, and by `kubectl wait` on the same Job.
 * The API server's own moment is taken from a third watch, on the same machine and clock. Asserts nothing.
 *   node test/bench/lag.ts --kubeconfig FILE --context NAME --image IMAGE [--runs N]      IMAGE has Node; kubectl is on PATH
 */
const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    context: { type: 'string' },
    image: { type: 'string' },
    runs: { type: 'string', default: '9' },
  },
});
const { kubeconfig, context, image } = values;
if (!kubeconfig || !context || !image) throw new Error('--kubeconfig, --context and --image are needed; nothing ambient is used');
readFileSync(kubeconfig);
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs is ${values.runs}; allowed: a whole number from 1`);
if (spawnSync('kubectl', ['version', '--client']).status !== 0) throw new Error('kubectl is not on PATH');

const job = kindFor('batch/v1', 'Job');
if (!job) throw new Error('no kind Job');
const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
const namespace = unique('slashtrain-lag');
const client = await openKubernetes({ kubeconfig, context, environment: {}, log: keptLog() });
await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
const github = await startGitHub();
const lags: { ours: number; kubectl: number }[] = [];
try {
  for (let index = 0; index < runs; index++) lags.push(await measure(index));
} finally {
  await client.delete(namespaces, '', namespace);
  await github.close();
}
const ours = median(lags.map((lag) => lag.ours));
const kubectl = median(lags.map((lag) => lag.kubectl));
console.log(`| from the end of a Job until it is seen | median of ${runs}, ms |`);
console.log('|---|---|');
console.log(`| wait-for-run | ${ours.toFixed(1)} |\n| kubectl wait | ${kubectl.toFixed(1)} |\n| ratio | ${(ours / kubectl).toFixed(2)} |`);

async function measure(index: number): Promise<{ ours: number; kubectl: number }> {
  const repository = github.createRepository({ owner: 'acme', name: unique('lag') });
  const token = github.token({ contents: 'read', checks: 'write' }, { repository });
  const common = { github: { url: github.url, token, repository: { owner: 'acme', name: repository.name, id: repository.id } } };
  const inputs = { kubeconfig: kubeconfig ?? '', 'kube-context': context ?? '', namespace, token };
  const container = { name: 'main', image, command: ['node', '-e', 'setTimeout(() => {}, 4000)'] };
  const manifest = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'lag' },
    spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [container] } } },
  };
  const text = `# ${index}\n${JSON.stringify(manifest)}`;
  const submit = startBundle({ action: 'submit-pipeline', ...common, inputs: { ...inputs, manifest: text, sha: repository.head() } });
  const { outputs } = await succeeded(submit.result);

  const seen = { server: 0, ours: 0, kubectl: 0 };
  const stop = new AbortController();
  const watching = watchEnd(outputs['name'] ?? '', stop.signal).then((at) => (seen.server = at));
  const wait = startBundle({
    action: 'wait-for-run',
    ...common,
    inputs: { ...inputs, run: outputs['run'] ?? '' },
    onLine: (line) => {
      if (line.startsWith('succeeded') && seen.ours === 0) seen.ours = performance.now();
    },
  });
  const args = [
    '--kubeconfig',
    kubeconfig ?? '',
    '--context',
    context ?? '',
    '-n',
    namespace,
    'wait',
    '--for=condition=Complete',
    '--timeout=120s',
  ];
  const peer = spawn('kubectl', [...args, `job/${outputs['name'] ?? ''}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  peer.stdout.once('data', () => (seen.kubectl = performance.now()));
  await Promise.all([watching, succeeded(wait.result), ended(peer)]);
  stop.abort();
  return { ours: seen.ours - seen.server, kubectl: seen.kubectl - seen.server };
}

/** The moment at which the API server says that the Job is complete. */
async function watchEnd(name: string, signal: AbortSignal): Promise<number> {
  const { resource } = job as NonNullable<typeof job>;
  const selection = { fieldSelector: `metadata.name=${name}` };
  const { resourceVersion } = await client.list(resource, namespace, selection);
  for await (const event of client.watch(resource, namespace, resourceVersion, selection, signal)) {
    if (event.type !== 'bookmark' && isComplete(event.object)) return performance.now();
  }
  throw new Error(`the watch of ${name} ended before the Job did`);
}

function isComplete(object: KubernetesObject): boolean {
  const { conditions = [] } = (object['status'] ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions.some(({ type, status }) => type === 'Complete' && status === 'True');
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((done, fail) =>
    child.on('close', (code) => (code === 0 ? done() : fail(new Error(`kubectl wait ended with ${String(code)}`)))),
  );
}
