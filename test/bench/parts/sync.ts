import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Host } from '@slashtrain/core/action/host';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { configMaps } from '@slashtrain/core/kubernetes/client';
import { recordAnnotation, recordLabels, runLabels, type RunRecord } from '@slashtrain/core/run/record';
import { main } from '../../../actions/sync-runs/src/main.ts';
import { keptLog } from '../../support/kubernetes.ts';
import type { Part } from '../part.ts';
import { inTurn, timeOf } from '../samples.ts';

/** sync-runs over 1,000 records of runs that go on, beside the bare lists of records and runs, on the embedded cluster in a thread of its own. */
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

/** sync-runs itself, over a cluster. */
function syncing(kubeconfig: string, log: ReturnType<typeof keptLog>): () => Promise<void> {
  const nothing = (): undefined => undefined;
  const { signal } = new AbortController();
  const host = { log, environment: {}, workspace: '/', signal, now: Date.now, setOutput: nothing, summarise: async () => {} };
  const none = { kfp: undefined, argo: undefined, namespace: undefined, context: undefined };
  const inputs = { token: 'a', maxAge: 604_800, limit: 50, dryRun: false, kubeconfig, ...none };
  const parts = { host: host as unknown as Host, context: { repositoryId: 1 } as GitHubContext, github: {} as GitHub };
  return () => main(inputs, parts);
}

export const part: Part = {
  rounds: { full: 9, quick: 7 },
  async run({ rounds }) {
    const worker = new Worker(new URL('../cluster-thread.ts', import.meta.url));
    try {
      const [{ kubeconfig }] = (await once(worker, 'message')) as [{ kubeconfig: string }];
      await fill(kubeconfig);
      const log = keptLog();
      const sync = syncing(kubeconfig, log);
      const lists = async (): Promise<void> => {
        const client = await openKubernetes({ kubeconfig, environment: {}, log });
        await client.list(configMaps, 'default');
        await client.list(jobs, 'default');
      };
      const times = await inTurn(rounds, { ours: () => timeOf(sync), lists: () => timeOf(lists) });
      const goOn = log.lines.filter((line) => line.endsWith('goes on (suspended)')).length;
      if (goOn !== count * (rounds + 1)) throw new Error(`${goOn} runs were looked at, and not ${count * (rounds + 1)}`);
      return [
        {
          ...{ id: 'sync/records', what: '1,000 records of runs are synced', issues: [6], unit: 'ms', better: 'lower', ours: times.ours },
          peer: { name: 'the bare lists', version: 'of the same client', samples: times.lists },
          limits: [{ of: 'ratio', most: 2 }],
        },
      ];
    } finally {
      await worker.terminate();
    }
  },
};
