import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import { formatReference, parseReference } from '@slashtrain/core/run/reference';
import { runBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startCluster, type EmbeddedCluster } from '@slashtrain/testing/cluster/cluster';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { startKfp, type FakeKfp } from '@slashtrain/testing/kfp/kfp';
import { keptLog } from '../support/kubernetes.ts';
import { succeeded } from '../support/steps.ts';
import { unique } from '../support/targets.ts';

/*
 * Pipelines of Kubeflow Pipelines through the bundles: the records on the embedded cluster, the API a fake whose requests and answers
 * are those of the published description. No real server ran here.
 */
const compiled = (file: string): string =>
  readFileSync(resolve(import.meta.dirname, '../../packages/testing/src/kfp/pipelines', file), 'utf8');

let cluster: EmbeddedCluster;
let client: KubernetesClient;
let github: FakeGitHub;
let repository: Repository;
let kfp: FakeKfp;
const namespace = 'ml';

beforeAll(async () => {
  cluster = await startCluster();
  client = await openKubernetes({ kubeconfig: cluster.kubeconfig, environment: {}, log: keptLog() });
  const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  github = await startGitHub();
  repository = github.createRepository({ owner: 'acme', name: 'digits' });
});
afterAll(async () => {
  await cluster.stop();
  await github.close();
});
beforeEach(async () => {
  kfp = await startKfp({ multiUser: true });
});
afterEach(() => kfp.close());

type Inputs = Record<string, string>;

function stepOf(action: string, inputs: Inputs): Parameters<typeof runBundle>[0] {
  const token = github.token({ contents: 'read', checks: 'write', 'pull-requests': 'write' }, { repository });
  return {
    action,
    github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } },
    inputs: { kubeconfig: cluster.kubeconfig, namespace, token, ...inputs },
  };
}
const step = (action: string, inputs: Inputs): Promise<BundleResult> => runBundle(stepOf(action, inputs));
const wait = (run: string, inputs: Inputs = {}): Promise<BundleResult> => step('wait-for-run', { run, 'kfp-url': kfp.url, ...inputs });

/** A pull request with this pipeline. */
function pullRequest(file = 'digits.yaml'): { sha: string; number: number } {
  const branch = unique('change');
  const sha = repository.commit({ branch, files: { 'pipeline.yaml': compiled(file), 'NOTES.md': branch } });
  return { sha, number: repository.openPullRequest({ head: branch, author: 'ada' }) };
}
const submit = ({ sha, number }: { sha: string; number: number }, inputs: Inputs = {}): Promise<BundleResult> =>
  step('submit-pipeline', {
    manifest: 'pipeline.yaml',
    sha,
    'pr-number': String(number),
    pipeline: 'digits',
    parameters: 'name: first',
    'kfp-url': kfp.url,
    ...inputs,
  });
const recordOf = async (run: string): Promise<NonNullable<Awaited<ReturnType<ReturnType<typeof recordStore>['get']>>>['record']> =>
  (await recordStore(client).get(namespace, parseReference(run).name))!.record;

describe('a pipeline of Kubeflow Pipelines', () => {
  it('is submitted once with its parameters in their types, waited for with its tasks, and linked', async () => {
    kfp.play([
      { state: 'PENDING' },
      { state: 'RUNNING', tasks: { prepare: 'cached', train: 'RUNNING' } },
      { state: 'SUCCEEDED', tasks: { prepare: 'cached', train: 'SUCCEEDED', evaluate: 'SUCCEEDED' } },
    ]);
    const pull = pullRequest();
    const parameters = 'name: first\nepochs: "20"\nrate: 1e-2\nlayers: "[64, 32]"\noptions: {"optimizer": "sgd"}\nshuffle: "false"'.replace(
      '{"optimizer": "sgd"}',
      `'{"optimizer": "sgd"}'`,
    );
    const submitted = await succeeded(submit(pull, { parameters, 'kfp-pipeline-root': 's3://pipelines/digits', deadline: '2h' }));
    const run = submitted.outputs['run'] ?? '';
    expect(kfp.runs).toHaveLength(1);
    const [made] = kfp.runs;
    expect(run).toBe(formatReference({ plural: 'runs', group: 'kfp', namespace, name: made?.name ?? '', uid: made?.id ?? '' }));
    expect(submitted.outputs['run-url']).toBe(`${kfp.url}/#/runs/details/${made?.id}`);
    expect(kfp.experiments).toMatchObject([{ name: `acme/digits #${pull.number}`, namespace }]);
    expect(made?.body).toMatchObject({
      runtime_config: {
        pipeline_root: 's3://pipelines/digits',
        parameters: { name: 'first', epochs: 20, rate: 0.01, layers: [64, 32], options: { optimizer: 'sgd' }, shuffle: false },
      },
      pipeline_spec: {
        pipeline_spec: { pipelineInfo: { name: 'digits' } },
        platform_spec: { platforms: { kubernetes: { deploymentSpec: { executors: { 'exec-train': { activeDeadlineSeconds: 7200 } } } } } },
      },
      description: expect.stringContaining(pull.sha),
    });
    const again = await succeeded(submit(pull, { parameters, 'kfp-pipeline-root': 's3://pipelines/digits', deadline: '2h' }));
    expect(again.outputs).toMatchObject({ run, adopted: 'true' });
    expect(kfp.runs).toHaveLength(1);

    const waited = await succeeded(wait(run));
    expect(waited.outputs).toMatchObject({ state: 'succeeded', run });
    expect(waited.stdout).toContain('prepare done, train running; 1 from the cache');
    expect(repository.checks(pull.sha)).toMatchObject([{ name: 'train: digits', conclusion: 'success' }]);
    expect(repository.checks(pull.sha)[0]?.output?.summary).toContain(`${kfp.url}/#/runs/details/${made?.id}`);
    expect(await recordOf(run)).toMatchObject({ state: 'succeeded', kind: { plural: 'runs', group: 'kfp' } });
  });
});
