import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { kindFor } from '@slashtrain/core/kinds/index';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { startBundle } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub } from '@slashtrain/testing/github/github';
import { keptLog } from '../../support/kubernetes.ts';
import { succeeded } from '../../support/steps.ts';
import { unique } from '../../support/targets.ts';
import type { Part, Row } from '../part.ts';
import { absent, bundle, inputsOf, kubectlVersion, runnerOf } from '../programs.ts';

/*
 * How long after the API server tells it a run's end is seen: by wait-for-run, and by `kubectl wait` on the same Job. The
 * moment that counts is a watch's that this process holds, on the same machine and clock. wait-for-run says the end in the
 * moment in which it knows it, as kubectl does; then it reads the log to its end and writes record, check and summary.
 * On the embedded cluster where no real one is named.
 */
const job = kindFor('batch/v1', 'Job')!;
const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };

interface Place {
  kubeconfig: string;
  context: string;
  image: string;
}

/** Milliseconds from the end. */
interface Lag {
  ours: number;
  /** Until record, check and summary are written. */
  whole: number;
  kubectl: number;
}

interface Bench extends Place {
  client: KubernetesClient;
  github: FakeGitHub;
  namespace: string;
  /** With the kubeconfig as a file, for kubectl. */
  folder: string;
}

export const part: Part = {
  rounds: { full: 9, quick: 5 },
  missing: () =>
    absent('kubectl').length > 0 ? 'kubectl is not on PATH; install it (https://kubernetes.io/docs/tasks/tools/)' : undefined,
  async run({ rounds, cluster, registry }) {
    const isReal = cluster !== undefined && registry !== undefined;
    const worker = isReal ? undefined : new Worker(new URL('../cluster-thread.ts', import.meta.url));
    const place: Place = isReal ? { ...cluster, image: `${registry}/node:24` } : ((await once(worker!, 'message')) as [Place])[0];
    const { kubeconfig, context } = place;
    const folder = mkdtempSync(join(tmpdir(), 'slashtrain-lag-'));
    writeFileSync(join(folder, 'kubeconfig'), existsSync(kubeconfig) ? readFileSync(kubeconfig) : kubeconfig, { mode: 0o600 });
    const client = await openKubernetes({ kubeconfig, context, environment: {}, log: keptLog() });
    const namespace = unique('slashtrain-lag');
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const github = await startGitHub();
    const lags: Lag[] = [];
    try {
      // The first fills the file cache.
      for (let round = -1; round < rounds; round++) {
        const one = await measure({ ...place, client, github, namespace, folder }, round);
        if (round >= 0) lags.push(one);
      }
    } finally {
      await client.delete(namespaces, '', namespace);
      await github.close();
      await worker?.terminate();
      rmSync(folder, { recursive: true });
    }
    const peer = { name: 'kubectl wait', version: kubectlVersion(), samples: lags.map(({ kubectl }) => kubectl) };
    const where = isReal ? 'a real API server' : 'the embedded cluster';
    const common: Pick<Row, 'issues' | 'unit' | 'better' | 'peer'> = { issues: [3, 6], unit: 'ms', better: 'lower', peer };
    return [
      {
        ...{ id: 'lag/end', what: `a Job's end is seen, from ${where}'s event on`, ...common, ours: lags.map(({ ours }) => ours) },
        limits: [{ of: 'ratio', most: 1.2 }],
      },
      {
        ...{ id: 'lag/whole', what: 'the same, until its log was read to the end and record and check are written', ...common },
        ours: lags.map(({ whole }) => whole),
      },
    ];
  },
};

async function measure({ client, github, namespace, folder, kubeconfig, context, image }: Bench, round: number): Promise<Lag> {
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
  const submit = startBundle({
    action: 'submit-pipeline',
    github: { url: github.url, token, repository: { owner: 'acme', name: repository.name, id: repository.id } },
    inputs: { ...inputs, manifest: `# ${round}\n${JSON.stringify(manifest)}`, sha: repository.head() },
  });
  const { outputs } = await succeeded(submit.result);

  const seen = { server: 0, ours: 0, whole: 0, kubectl: 0 };
  const stop = new AbortController();
  const watching = watchEnd(client, namespace, outputs['name'] ?? '', stop.signal).then((at) => (seen.server = at));
  const runner = runnerOf(`${github.url}/api/v3`, repository);
  const program = bundle('wait-for-run', { ...runner, ...inputsOf({ ...inputs, run: outputs['run'] ?? '', pipeline: 'default' }) });
  const { PATH = '' } = process.env;
  const wait = spawn(program.command[0] ?? '', program.command.slice(1), {
    env: { PATH, HOME: folder, RUNNER_TEMP: folder, GITHUB_WORKSPACE: folder, ...program.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  wait.stdout.on('data', (chunk: Buffer) => {
    if (chunk.includes('the run has ended')) seen.ours = performance.now();
    if (chunk.includes('\nsucceeded') || chunk.indexOf('succeeded') === 0) seen.whole = performance.now();
  });
  const file = join(folder, 'kubeconfig');
  const args = ['--kubeconfig', file, '--context', context, '-n', namespace, 'wait', '--for=condition=Complete', '--timeout=120s'];
  const kubectl = spawn('kubectl', [...args, `job/${outputs['name'] ?? ''}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  kubectl.stdout.once('data', () => (seen.kubectl = performance.now()));
  await Promise.all([watching, ended(wait), ended(kubectl)]);
  stop.abort();
  return { ours: seen.ours - seen.server, whole: seen.whole - seen.server, kubectl: seen.kubectl - seen.server };
}

/** The moment at which the API server says that the Job is complete. */
async function watchEnd(client: KubernetesClient, namespace: string, name: string, signal: AbortSignal): Promise<number> {
  const { resource } = job;
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
