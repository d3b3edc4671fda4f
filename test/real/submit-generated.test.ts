import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { kubernetesBackend } from '@slashtrain/core/backend/kubernetes';
import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { Registries } from '@slashtrain/core/registry/registries';
import { runBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { kindsOf } from '../../actions/submit-pipeline/src/generate/discover.ts';
import { generate, type ClusterKinds } from '../../actions/submit-pipeline/src/generate/generate.ts';
import type { Framework } from '../../actions/submit-pipeline/src/generate/program.ts';
import { prepare } from '../../actions/submit-pipeline/src/prepare.ts';
import { keptLog } from '../support/kubernetes.ts';
import { succeeded } from '../support/steps.ts';
import { openTarget, unique } from '../support/targets.ts';

/*
 * Programs without a manifest: what the API server says of the objects that are made for them, and how they run. What
 * the cluster does not have is left out, and said.
 */
const target = await openTarget('real');
const client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
const cluster = kindsOf(client, keptLog());
const namespaces: Resource = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
const runtimes: Resource = {
  group: 'trainer.kubeflow.org',
  version: 'v1alpha1',
  plural: 'clustertrainingruntimes',
  kind: 'ClusterTrainingRuntime',
};
const namespace = unique('submit-generated');
const runtime = unique('runtime');

const jobSet = 'jobset.x-k8s.io/v1alpha2 JobSet';
const trainJob = 'trainer.kubeflow.org/v1alpha1 TrainJob';
const ways: [Framework, number, string][] = [
  ['job', 1, 'batch/v1 Job'],
  ['job', 2, 'batch/v1 Job'],
  ['job', 2, jobSet],
  ['pytorch', 2, jobSet],
  ['pytorch', 2, 'kubeflow.org/v1 PyTorchJob'],
  ['tensorflow', 2, 'kubeflow.org/v1 TFJob'],
  ['xgboost', 2, 'kubeflow.org/v1 XGBoostJob'],
  ['mpi', 2, 'kubeflow.org/v1 MPIJob'],
  ['mpi', 2, 'kubeflow.org/v2beta1 MPIJob'],
  ['ray', 1, 'ray.io/v1 RayJob'],
  ['ray', 2, 'ray.io/v1 RayJob'],
  ['trainer', 2, trainJob],
];
async function isServed(kind: string): Promise<boolean> {
  const [apiVersion = '', name = ''] = kind.split(' ');
  return cluster.serves(apiVersion, name);
}
const served: typeof ways = [];
for (const way of ways) {
  if (await isServed(way[2])) served.push(way);
  else process.stdout.write(`skipped: framework ${way[0]} as ${way[2]}, which the cluster does not have\n`);
}
const hasTrainer = await isServed(trainJob);

let github: FakeGitHub;
let repository: Repository;
let image: string;
beforeAll(async () => {
  await client.create<KubernetesObject>(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  if (hasTrainer) await client.create<KubernetesObject>(runtimes, runtimeOf(target.base));
  github = await startGitHub();
  repository = github.createRepository({ owner: 'acme', name: 'digits' });
  const digest = await new Registries().of({ registry: target.registry }).manifestDigest('node', '24');
  image = `${target.registry}/node@${digest ?? ''}`;
});
afterAll(async () => {
  await client.delete(namespaces, '', namespace);
  if (hasTrainer) await client.delete(runtimes, '', runtime);
  await github.close();
  await target.close();
});

/** As Trainer's own torch-distributed, under a name that nothing else has. */
function runtimeOf(base: string): KubernetesObject {
  const node = { template: { spec: { containers: [{ name: 'node', image: base }] } } };
  const labels = { 'trainer.kubeflow.org/trainjob-ancestor-step': 'trainer' };
  const replicatedJobs = [{ name: 'node', template: { metadata: { labels }, spec: node } }];
  return {
    apiVersion: 'trainer.kubeflow.org/v1alpha1',
    kind: 'ClusterTrainingRuntime',
    metadata: { name: runtime, labels: { 'trainer.kubeflow.org/framework': 'slashtrain-test' } },
    spec: { mlPolicy: { numNodes: 1, torch: {} }, template: { spec: { replicatedJobs } } },
  };
}

describe('the API server accepts, with strict field validation', () => {
  const only = (kind: string): ClusterKinds => ({
    server: target.context,
    serves: async (apiVersion, name) => `${apiVersion} ${name}` === kind,
    runtimes: async () => [{ name: runtime, framework: 'torch' }],
  });

  it.each(served)('%s of %d as %s', async (framework, workers, kind) => {
    const program = {
      framework,
      workers,
      image,
      command: ['node', '-e', '1'],
      gpus: 1,
      gpuResource: 'nvidia.com/gpu',
      cpu: '100m',
      memory: '64Mi',
    };
    const made = await generate(program, only(kind));
    const secrets = { all: [], variables: new Map([['KEY', { secret: 'wandb', key: 'api-key' }]]) };
    const pods = {
      env: new Map([['A', 'b']]),
      secrets,
      serviceAccount: 'default',
      priorityClass: undefined,
      accelerator: 'a100',
      gpus: 1,
      cpu: '100m',
      memory: '64Mi',
    };
    const accelerator = {
      resource: 'nvidia.com/gpu',
      nodeSelector: { gpu: 'a100' },
      tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' as const }],
    };
    const record = { repository: { id: 7, fullName: 'acme/digits' }, pullRequest: 42, sha: 'a'.repeat(40), pipeline: 'digits' };
    const object = prepare(
      made,
      { parameters: new Map(), images: new Map(), pods, accelerator, deadlineSeconds: 600, ttlSeconds: 86_400 },
      { name: unique('digits'), namespace, record, repositoryUrl: 'https://github.com/acme/digits' },
    );
    await kubernetesBackend(client, { log: keptLog() }).check(made.kind, object);
  });
});

describe('a program', () => {
  // Looks for the first worker until its name is known, as torch does, and says so.
  const lookFor = (name: string, say: string): string =>
    `const e = process.env; const look = () => require('node:dns').lookup(${name}, (error) => error ? setTimeout(look, 200) : console.log(${say})); look();`;
  const find = lookFor("e.SLASHTRAIN_RUN + '-worker-0-0.' + e.SLASHTRAIN_RUN", "'worker ' + e.JOB_COMPLETION_INDEX + ' sees the first'");
  const rank = lookFor(
    'e.MASTER_ADDR',
    "'rank ' + (e.RANK ?? e.PET_NODE_RANK) + ' of ' + (e.WORLD_SIZE ?? e.PET_NNODES) + ' for ' + e.SLASHTRAIN_SHA",
  );
  const nodes = `const e = process.env; console.log('node ' + e.PET_NODE_RANK + ' of ' + e.PET_NNODES + ', run ' + e.WANDB_NAME + ', ' + e.MLFLOW_RUN_CONTEXT);`;

  const cases: [string, Record<string, string>, string, (sha: string) => RegExp[]][] = [
    [
      'of two workers',
      { framework: 'job', command: JSON.stringify(['node', '-e', find]) },
      jobSet,
      () => [/worker 0 sees the first/u, /worker 1 sees the first/u],
    ],
    [
      'with PyTorch',
      { framework: 'pytorch', command: JSON.stringify(['node', '-e', rank]) },
      'kubeflow.org/v1 PyTorchJob',
      (sha) => [new RegExp(`rank 0 of 2 for ${sha}`, 'u'), new RegExp(`rank 1 of 2 for ${sha}`, 'u')],
    ],
    [
      'with a runtime',
      { framework: 'trainer', runtime, command: JSON.stringify(['node', '-e', nodes]) },
      trainJob,
      (sha) => [/node 0 of 2, run digits-/u, /node 1 of 2/u, new RegExp(`"mlflow.source.git.commit":"${sha}"`, 'u')],
    ],
  ];
  const at = (): { github: Parameters<typeof runBundle>[0]['github']; token: string } => {
    const token = github.token({ contents: 'read', checks: 'write', 'pull-requests': 'read' }, { repository });
    return { token, github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } } };
  };

  it.each(cases.filter(([, , kind]) => served.some((way) => way[2] === kind)))('%s runs to its end', async (name, inputs, _, expected) => {
    const sha = repository.commit({ branch: unique('change'), files: { 'NOTES.md': name } });
    const { token, ...common } = at();
    const shared = { kubeconfig: target.kubeconfig, 'kube-context': target.context, namespace, token };
    const asked = { image, workers: '2', cpu: '50m', memory: '64Mi', deadline: '4m', sha, pipeline: 'digits' };
    const submitted: BundleResult = await succeeded(
      runBundle({ action: 'submit-pipeline', ...common, inputs: { ...shared, ...asked, ...inputs } }),
    );
    expect(submitted.summary).toContain('Made without a manifest');
    const object = JSON.parse(readFileSync(submitted.outputs['manifest-file'] ?? '', 'utf8')) as KubernetesObject;
    process.stdout.write(`${name}: a ${object.kind}\n`);

    const run = submitted.outputs['run'] ?? '';
    const waited = await succeeded(runBundle({ action: 'wait-for-run', ...common, inputs: { ...shared, run, timeout: '4m' } }));
    expect(waited.outputs['state']).toBe('succeeded');
    for (const words of expected(sha)) expect(waited.stdout).toMatch(words);
  });
});
