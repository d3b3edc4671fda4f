import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configPath } from '@slashtrain/core/config/types';
import { job } from '@slashtrain/core/kinds/job';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { watchObject } from '@slashtrain/core/kubernetes/watch';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import { runBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startCluster, type EmbeddedCluster } from '@slashtrain/testing/cluster/cluster';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { keptLog } from '../support/kubernetes.ts';
import { succeeded } from '../support/steps.ts';

/*
 * Sweeps that the cluster ends by their budget of GPU-hours and of money, with nobody waiting: sync-runs concludes them, and reads
 * no more logs than it needs.
 */
const namespace = 'ml';
const image = `localhost:1/digits@sha256:${'b'.repeat(64)}`;
const config = `
accelerators: { a100: { resource: nvidia.com/gpu, price-per-hour: 3600 } }
policy: { kinds: [Job.batch, ConfigMap], max-gpus: 1, max-deadline: 1h }
`;
// Two end at once, and say what they came to; the third would go on.
const program = `
const width = Number(process.argv[1]);
console.log('slashtrain-metric {"name":"accuracy","value":' + width / 10 + ',"step":1}');
require('node:fs').writeFileSync((process.env.SLASHTRAIN_ROOT ?? '') + '/dev/termination-log', JSON.stringify({ accuracy: width / 10 }));
if (width === 3) setInterval(() => {}, 1000);
`;
const manifest = JSON.stringify({
  apiVersion: 'batch/v1',
  kind: 'Job',
  spec: {
    template: {
      spec: {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'train',
            image,
            command: ['node', '-e', program],
            args: ['$(params.width)'],
            resources: { limits: { 'nvidia.com/gpu': 1 } },
          },
        ],
      },
    },
  },
});
let cluster: EmbeddedCluster;
let client: KubernetesClient;
let github: FakeGitHub;
let repository: Repository;

beforeAll(async () => {
  cluster = await startCluster({ gpus: 2 });
  cluster.registerImage(image, mkdtempSync(join(tmpdir(), 'sweep-image-')));
  client = await openKubernetes({ kubeconfig: cluster.kubeconfig, environment: {}, log: keptLog() });
  const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  github = await startGitHub();
  repository = github.createRepository({ owner: 'acme', name: 'digits', files: { [configPath]: config } });
});
afterAll(async () => {
  await cluster.stop();
  await github.close();
});

function step(action: string, inputs: Record<string, string>): Promise<BundleResult> {
  const token = github.token({ contents: 'read', checks: 'write', 'pull-requests': 'write' }, { repository });
  return succeeded(
    runBundle({
      action,
      github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } },
      inputs: { kubeconfig: cluster.kubeconfig, namespace, token, ...inputs },
    }),
  );
}

it('ends by GPU-hours and by money, and reads the best trial’s log alone', async () => {
  const sha = repository.commit({ branch: 'change', files: { 'NOTES.md': '1' } });
  const pull = repository.openPullRequest({ head: 'change', author: 'ada' });
  const which = { sha, 'pr-number': String(pull) };
  const sweep = (budget: object): string =>
    JSON.stringify({
      method: 'grid',
      metric: 'accuracy',
      goal: 'maximize',
      'max-trials': 3,
      parallel: 1,
      parameters: { width: [1, 2, 3] },
      budget,
    });
  const submit = (pipeline: string, budget: object, more: Record<string, string> = {}): Promise<BundleResult> =>
    step('submit-pipeline', { manifest: `${manifest}\n\n`, pipeline, ...which, sweep: sweep(budget), ...more });
  // Fifteen seconds of one GPU, at one a second.
  const submitted = await Promise.all([
    submit('by-hours', { 'gpu-hours': 15 / 3600 }),
    submit('by-money', { cost: 15 }, { accelerator: 'a100' }),
  ]);
  const names = submitted.map(({ outputs }) => outputs['name'] ?? '');
  for (const name of names) {
    for await (const { object } of watchObject(client, job.resource, namespace, name, { signal: AbortSignal.timeout(50_000) })) {
      expect(object?.['spec']).toMatchObject({ activeDeadlineSeconds: 15, completions: 3, parallelism: 1 });
      if (object && job.status(object).state === 'failed') break;
    }
  }
  const before = cluster.requests.length;
  await step('sync-runs', {});
  const records = await Promise.all(names.map((name) => recordStore(client).get(namespace, name)));
  const words = /^stopped by its budget of (\S+ GPU-hours|a cost of 15), after 2 of 3 trials had ended$/u;
  for (const stored of records) {
    expect(stored?.record).toMatchObject({ state: 'succeeded', result: { message: expect.stringMatching(words) } });
    const metrics = await recordStore(client).readMetrics(stored!);
    expect(metrics?.trials?.map(({ state, metrics: [metric] }) => [state, metric?.last])).toEqual([
      ['succeeded', 0.1],
      ['succeeded', 0.2],
      ['not-run', undefined],
    ]);
    expect(metrics?.series).toEqual([{ name: 'accuracy', points: [{ step: 1, value: 0.2 }] }]);
  }
  const costs = records.map((stored) => stored?.record.result?.cost);
  expect(costs[0]).toBeUndefined();
  expect(costs[1]).toBeLessThanOrEqual(15.5);
  const logs = cluster.requests.slice(before).flatMap(({ path }) => /pods\/([^/]+)\/log/u.exec(path)?.[1] ?? []);
  expect([...new Set(logs)].toSorted()).toEqual(names.toSorted().map((name): unknown => expect.stringContaining(`${name}-1-`)));

  const { outputs } = await step('fetch-metrics', { run: submitted[1].outputs['run'] ?? '', ...which, pipeline: 'by-money' });
  await step('report-pr', {
    run: submitted[1].outputs['run'] ?? '',
    ...which,
    pipeline: 'by-money',
    'metrics-file': outputs['metrics-file'] ?? '',
  });
  expect(repository.comments(pull).at(-1)?.body).toMatch(
    /of a cost of 15 used\n\n\*\*Not all was tried:\*\* stopped by its budget of a cost of 15/u,
  );
});
