import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { kindFor } from '@slashtrain/core/kinds/index';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { startBundle } from '@slashtrain/testing/bundle/bundle';
import { startCluster } from '@slashtrain/testing/cluster/cluster';
import { startGitHub } from '@slashtrain/testing/github/github';
import { registryImages } from '@slashtrain/testing/registry/images';
import { startRegistry } from '@slashtrain/testing/registry/server';
import { keptLog } from '../support/kubernetes.ts';
import { succeeded } from '../support/steps.ts';
import { unique } from '../support/targets.ts';
import { median } from './measure.ts';
import { waitForRun } from './waiting.ts';

/*
 * How long after the API server tells it a run's end is seen: by wait-for-run, and by `kubectl wait` on the same Job. The
 * moment that counts is a watch's that this process holds, on the same machine and clock. wait-for-run says the end in the
 * moment in which it knows it, as kubectl does; then it reads the log to its end and writes record, check and summary,
 * which is shown beside it. Asserts nothing.
 *   node test/bench/lag.ts [--runs N] [--kubeconfig FILE --context NAME --image IMAGE]
 * On the embedded cluster, in a thread of its own, where none is named. IMAGE has Node; kubectl is on PATH; bundles are built.
 */
const options = { kubeconfig: { type: 'string' }, context: { type: 'string' }, image: { type: 'string' } } as const;
if (!isMainThread) {
  const registry = await startRegistry();
  await registry.pushBase('node:24');
  // kubectl shows a token over TLS alone.
  const { kubeconfig } = await startCluster({ images: registryImages(registry.host), tls: true });
  parentPort?.postMessage({ kubeconfig, context: 'embedded', image: `${registry.host}/node:24` });
  await new Promise(() => undefined);
}
const { values } = parseArgs({ options: { ...options, runs: { type: 'string', default: '15' } } });
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs is ${values.runs}; allowed: a whole number from 1`);
if (spawnSync('kubectl', ['version', '--client']).status !== 0) throw new Error('kubectl is not on PATH');
const named = [values.kubeconfig, values.context, values.image].filter((value) => value !== undefined).length;
if (named !== 0 && named !== 3) throw new Error('--kubeconfig, --context and --image are needed together; nothing ambient is used');
const worker = named === 0 ? new Worker(import.meta.filename) : undefined;
const given = worker ? ((await once(worker, 'message')) as [Record<keyof typeof options, string>])[0] : values;
const { kubeconfig = '', context = '', image = '' } = given;
// For kubectl, which takes a file.
const folder = mkdtempSync(join(tmpdir(), 'slashtrain-lag-'));
const file = join(folder, 'kubeconfig');
writeFileSync(file, existsSync(kubeconfig) ? readFileSync(kubeconfig) : kubeconfig, { mode: 0o600 });

const job = kindFor('batch/v1', 'Job');
if (!job) throw new Error('no kind Job');
const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
const namespace = unique('slashtrain-lag');
const client = await openKubernetes({ kubeconfig, context, environment: {}, log: keptLog() });
await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
const github = await startGitHub();
const shown = {
  kubectl: '`kubectl wait` says it',
  ours: 'wait-for-run says it',
  whole: 'wait-for-run has read the log to its end and written record and check',
};
type Who = keyof typeof shown;
const lags: Record<Who, number>[] = [];
try {
  // The first fills the file cache.
  for (let index = -1; index < runs; index++) {
    const one = await measure(index);
    if (index >= 0) lags.push(one);
  }
} finally {
  await client.delete(namespaces, '', namespace);
  await github.close();
  await worker?.terminate();
  rmSync(folder, { recursive: true });
}
console.log(
  `| from a Job's end at the API server, ${worker ? 'embedded' : context}, ${runs} runs | median, ms | least | ÷ kubectl | later than kubectl in the same run, median |`,
);
console.log('|---|---|---|---|---|');
const peer = median(lags.map(({ kubectl }) => kubectl));
for (const [who, words] of Object.entries(shown) as [Who, string][]) {
  const all = lags.map((lag) => lag[who]);
  const later = median(lags.map((lag) => lag[who] - lag.kubectl));
  console.log(
    `| ${words} | ${median(all).toFixed(1)} | ${Math.min(...all).toFixed(1)} | ${(median(all) / peer).toFixed(2)} | ${later.toFixed(1)} |`,
  );
}

async function measure(index: number): Promise<Record<Who, number>> {
  const repository = github.createRepository({ owner: 'acme', name: unique('lag') });
  const token = github.token({ contents: 'read', checks: 'write' }, { repository });
  const inputs = { kubeconfig, 'kube-context': context, namespace, token };
  const container = { name: 'main', image, command: ['node', '-e', 'setTimeout(() => {}, 4000)'] };
  const manifest = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'lag' },
    spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [container] } } },
  };
  const text = `# ${index}\n${JSON.stringify(manifest)}`;
  const submit = startBundle({
    action: 'submit-pipeline',
    github: { url: github.url, token, repository: { owner: 'acme', name: repository.name, id: repository.id } },
    inputs: { ...inputs, manifest: text, sha: repository.head() },
  });
  const { outputs } = await succeeded(submit.result);

  const seen = { server: 0, ours: 0, whole: 0, kubectl: 0 };
  const stop = new AbortController();
  const watching = watchEnd(outputs['name'] ?? '', stop.signal).then((at) => (seen.server = at));
  const program = waitForRun({ github, repository, inputs: { ...inputs, run: outputs['run'] ?? '', pipeline: 'default' } });
  const { PATH = '' } = process.env;
  const wait = spawn(program.command[0] ?? '', program.command.slice(1), {
    env: { PATH, HOME: folder, RUNNER_TEMP: folder, GITHUB_WORKSPACE: folder, ...program.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  wait.stdout.on('data', (chunk: Buffer) => {
    if (chunk.includes('the run has ended')) seen.ours = performance.now();
    if (chunk.includes('\nsucceeded') || chunk.indexOf('succeeded') === 0) seen.whole = performance.now();
  });
  const args = ['--kubeconfig', file, '--context', context, '-n', namespace, 'wait', '--for=condition=Complete', '--timeout=120s'];
  const kubectl = spawn('kubectl', [...args, `job/${outputs['name'] ?? ''}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  kubectl.stdout.once('data', () => (seen.kubectl = performance.now()));
  await Promise.all([watching, ended(wait), ended(kubectl)]);
  stop.abort();
  return { ours: seen.ours - seen.server, whole: seen.whole - seen.server, kubectl: seen.kubectl - seen.server };
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
    child.on('close', (code) => (code === 0 ? done() : fail(new Error(`${child.spawnfile} ended with ${String(code)}`)))),
  );
}
