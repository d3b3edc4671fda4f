import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import type { Host } from '@slashtrain/core/action/host';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { configMaps } from '@slashtrain/core/kubernetes/client';
import { recordAnnotation, recordLabels, runLabels, type RunRecord } from '@slashtrain/core/run/record';
import { startCluster } from '@slashtrain/testing/cluster/cluster';
import { main } from '../../actions/sync-runs/src/main.ts';
import { keptLog } from '../support/kubernetes.ts';
import { median } from './measure.ts';

/*
 * Measures, and asserts nothing: sync-runs over 1,000 records of runs that go on, divided by the bare lists of records and runs.
 *   node test/bench/sync.ts [ROUNDS]
 * The server is the embedded cluster, in a thread of its own.
 */
const count = 1000;
const jobs: Resource = { group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job' };
const image = `ghcr.io/acme/digits@sha256:${'c'.repeat(64)}`;

/** A record as submit-pipeline leaves it, and its Job, which is held back. */
function objectsOf(index: number) {
  const name = `digits-pr${index}-1a2b3c4-9f8e7d6`;
  const record: RunRecord = {
    version: 1,
    repository: { id: 1, fullName: 'acme/digits' },
    pullRequest: index + 1,
    sha: '1a2b3c4'.padEnd(40, '0'),
    tree: 'b'.repeat(40),
    pipeline: 'digits',
    request: '9f8e7d6'.padEnd(64, '0'),
    asked: [{ id: `comment:${index}`, runAttempt: 1 }],
    attempt: 1,
    actor: 'ada',
    createdAt: new Date().toISOString(),
    images: [image],
    parameters: Array.from({ length: 5 }, (_, parameter) => ({ name: `parameter-${parameter}`, value: '0.001' })),
    kind: { plural: 'jobs', group: 'batch' },
    checkRunId: index + 1,
    state: 'queued',
  };
  const labels = runLabels(record);
  const container = { name: 'train', image, command: ['python', 'train.py'], resources: { limits: { 'nvidia.com/gpu': '8' } } };
  const metadata = { name, namespace: 'default' };
  return {
    record: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, labels: recordLabels(record) },
      data: { record: JSON.stringify(record) },
    },
    job: (uid: string): KubernetesObject => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { ...metadata, labels, annotations: { [recordAnnotation]: uid } },
      spec: { suspend: true, template: { metadata: { labels }, spec: { restartPolicy: 'Never', containers: [container] } } },
    }),
  };
}

/** Fills a cluster of our own. */
async function fill(kubeconfig: string): Promise<void> {
  const client = await openKubernetes({ kubeconfig, environment: {}, log: keptLog() });
  for (let index = 0; index < count; index++) {
    const { record, job } = objectsOf(index);
    const made = await client.create<KubernetesObject>(configMaps, record);
    const run = await client.create<KubernetesObject>(jobs, job(made?.metadata.uid ?? ''));
    const reference = `jobs.batch/default/${record.metadata.name}@${run?.metadata.uid ?? ''}`;
    const content = { ...(JSON.parse(record.data.record) as RunRecord), run: reference };
    await client.patch(configMaps, 'default', record.metadata.name, { data: { record: JSON.stringify(content) } });
  }
}

async function measure(kubeconfig: string, rounds: number): Promise<void> {
  const log = keptLog();
  const lists = async (): Promise<void> => {
    const client = await openKubernetes({ kubeconfig, environment: {}, log });
    await client.list(configMaps, 'default');
    await client.list(jobs, 'default');
  };
  const nothing = (): undefined => undefined;
  const host = {
    log,
    environment: {},
    workspace: '/',
    signal: new AbortController().signal,
    now: Date.now,
    setOutput: nothing,
    summarise: async () => {},
  };
  const inputs = {
    token: 'a',
    maxAge: 604_800,
    limit: 50,
    dryRun: false,
    kfp: undefined,
    argo: undefined,
    namespace: undefined,
    kubeconfig,
    context: undefined,
  };
  const parts = { host: host as unknown as Host, context: { repositoryId: 1 } as GitHubContext, github: {} as GitHub };
  const sync = (): Promise<void> => main(inputs, parts);
  const times = { lists: [] as number[], sync: [] as number[] };
  const cpu = { lists: [] as number[], sync: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    for (const [name, run] of [
      ['lists', lists],
      ['sync', sync],
    ] as const) {
      const start = performance.now();
      const before = process.threadCpuUsage();
      await run();
      const { user, system } = process.threadCpuUsage(before);
      // The first of each warms up.
      if (round === 0) continue;
      times[name].push(performance.now() - start);
      cpu[name].push((user + system) / 1000);
    }
  }
  const goOn = log.lines.filter((line) => line.endsWith('goes on (suspended)')).length;
  if (goOn !== count * (rounds + 1)) throw new Error(`${goOn} runs were looked at, and not ${count * (rounds + 1)}`);
  console.log(`| 1,000 records, ${rounds} rounds | bare lists, ms | sync-runs, ms | ratio (at most 2) |\n|---|---|---|---|`);
  const least = (all: readonly number[]): number => Math.min(...all);
  for (const [what, of, all] of [
    ['median', median, times],
    ['least, which a busy machine disturbs least', least, times],
    ['CPU of this side alone, median', median, cpu],
  ] as const) {
    const [bare, whole] = [of(all.lists), of(all.sync)];
    console.log(`| ${what} | ${bare.toFixed(0)} | ${whole.toFixed(0)} | ${(whole / bare).toFixed(2)} |`);
  }
}

if (isMainThread) {
  const worker = new Worker(import.meta.filename);
  const kubeconfig = await new Promise<string>((done, fail) => worker.once('message', done).once('error', fail));
  await fill(kubeconfig);
  await measure(kubeconfig, Number(process.argv[2] ?? '9'));
  await worker.terminate();
} else {
  parentPort?.postMessage((await startCluster()).kubeconfig);
}
