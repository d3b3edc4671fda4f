import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { Container, KubernetesObject, PodSpec } from '@slashtrain/core/kinds/kind';
import { runBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startCluster, type EmbeddedCluster } from '@slashtrain/testing/cluster/cluster';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { startRegistry, type TestRegistry } from '@slashtrain/testing/registry/server';
import { recordsOf } from '../support/records.ts';
import { unique } from '../support/targets.ts';

/*
 * What submit-pipeline's inputs make of a run, by the object that reached the API server; and what it refuses of them.
 */

let cluster: EmbeddedCluster;
let github: FakeGitHub;
let repository: Repository;
let registry: TestRegistry;
let sha: string;
let image: string;
let manifest: string;

beforeAll(async () => {
  cluster = await startCluster();
  github = await startGitHub();
  registry = await startRegistry();
  image = await registry.pushBase('digits:1');
  manifest = JSON.stringify({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'digits' },
    spec: { suspend: true, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'train', image, env }] } } },
  });
});
afterAll(async () => {
  await cluster.stop();
  await github.close();
  await registry.close();
});

const config = `
accelerators:
  a100:
    resource: example.com/tensor
    node-selector: {gpu: a100}
    tolerations: [{key: gpu, operator: Exists}]
    price-per-hour: 2.5
policy:
  service-accounts: [trainer]
`;
beforeEach(() => {
  repository = github.createRepository({ owner: 'acme', name: unique('digits') });
  sha = repository.commit({ files: { '.github/slashtrain.yml': config, 'train.yaml': manifest } });
});

const env = [
  { name: 'WANDB_NAME', value: 'mine' },
  { name: 'MLFLOW_RUN_CONTEXT', value: '{"team":"a"}' },
  { name: 'SLASHTRAIN_SHA', value: 'a lie' },
];
function submit(inputs: Record<string, string>): Promise<BundleResult> {
  const token = github.token({ contents: 'read', checks: 'write', 'pull-requests': 'read' }, { repository });
  return runBundle({
    action: 'submit-pipeline',
    github: { url: github.url, token, repository: { owner: 'acme', name: repository.name, id: repository.id } },
    inputs: { sha, pipeline: 'digits', kubeconfig: cluster.kubeconfig, ...inputs },
  });
}
const messages = ({ annotations }: BundleResult): string => annotations.map(({ message }) => message).join('\n');
function objectOf({ outputs }: BundleResult): KubernetesObject & { spec: { template: { spec: PodSpec }; [field: string]: unknown } } {
  return JSON.parse(readFileSync(outputs['manifest-file'] ?? '', 'utf8')) as ReturnType<typeof objectOf>;
}
const variables = (container: Container | undefined): Record<string, unknown> =>
  Object.fromEntries((container?.env ?? []).map(({ name, value, valueFrom }) => [name, value ?? valueFrom]));

describe('a manifest', () => {
  it('gets from the inputs what its pods need, and the record what others need of it', async () => {
    const result = await submit({
      manifest: 'train.yaml',
      env: 'SEED: 1',
      'env-from-secret': 'WANDB_API_KEY: wandb/api-key',
      accelerator: 'a100',
      gpus: '2',
      cpu: '500m',
      memory: '1Gi',
      queue: 'gpus',
      'service-account': 'trainer',
      'priority-class': 'low',
      artifacts: 's3://models/digits/',
      'data-version': 'v3',
      deadline: '2h',
    });
    expect(messages(result)).toBe('');
    const object = objectOf(result);
    const name = result.outputs['name'] ?? '';
    expect(object.metadata.labels).toMatchObject({ 'kueue.x-k8s.io/queue-name': 'gpus' });
    expect(object.spec['activeDeadlineSeconds']).toBe(7200);
    const { containers = [], ...pod } = object.spec.template.spec;
    expect(pod).toMatchObject({
      activeDeadlineSeconds: 7200,
      serviceAccountName: 'trainer',
      priorityClassName: 'low',
      nodeSelector: { gpu: 'a100' },
      tolerations: [{ key: 'gpu', operator: 'Exists' }],
    });
    const limits = { cpu: '500m', memory: '1Gi' };
    expect(containers[0]?.resources).toEqual({ requests: limits, limits: { ...limits, 'example.com/tensor': 2 } });
    const url = `${github.url}/acme/${repository.name}`;
    expect(variables(containers[0])).toEqual({
      SLASHTRAIN_RUN: name,
      SLASHTRAIN_SHA: sha,
      SLASHTRAIN_PIPELINE: 'digits',
      SLASHTRAIN_REPOSITORY: `acme/${repository.name}`,
      SLASHTRAIN_DATA_VERSION: 'v3',
      SLASHTRAIN_ARTIFACTS: `s3://models/digits/${name}`,
      WANDB_GIT_COMMIT: sha,
      WANDB_GIT_REMOTE_URL: url,
      WANDB_NAME: 'mine',
      WANDB_RUN_GROUP: name,
      WANDB_TAGS: 'slashtrain,digits',
      WANDB_NOTES: `${url}/commit/${sha}`,
      MLFLOW_RUN_CONTEXT: JSON.stringify({
        team: 'a',
        'mlflow.source.git.commit': sha,
        'mlflow.source.git.repoURL': url,
        'slashtrain.run': name,
        'slashtrain.pipeline': 'digits',
        'slashtrain.data-version': 'v3',
      }),
      SEED: '1',
      WANDB_API_KEY: { secretKeyRef: { name: 'wandb', key: 'api-key' } },
    });
    const stored = await (await recordsOf(cluster)).get('default', name);
    expect(stored?.record).toMatchObject({
      artifacts: `s3://models/digits/${name}`,
      price: { perHour: 2.5, accelerator: 'a100' },
      dataVersion: 'v3',
    });
    // 2 GPUs for 2 hours at 2.5 each.
    expect(result.summary).toContain('Until its deadline it can take 4 GPU-hours, which cost 10.00');
    expect(result.summary).toMatch(/\| Kind \| Job \(batch\/v1\) \|\n\| GPUs \| 2 \|\n\| Deadline \| 2 h \|/u);
  });

  it('that holds GPUs and has no deadline is warned of', async () => {
    const result = await submit({ manifest: 'train.yaml', gpus: '1' });
    expect(result.code).toBe(0);
    expect(messages(result)).toContain('this run can hold GPUs, and nobody ends it: set the input "deadline"');
  });

  it('is refused with an accelerator that nobody knows, and with what the policy forbids', async () => {
    const unknown = await submit({ manifest: 'train.yaml', accelerator: 'h100' });
    expect(messages(unknown)).toContain('input "accelerator" is "h100", which .github/slashtrain.yml does not have; it has a100');
    const result = await submit({ manifest: 'train.yaml', 'service-account': 'admin', 'priority-class': 'system-node-critical' });
    expect([unknown.code, result.code]).toEqual([1, 1]);
    expect(messages(result)).toMatch(/serviceAccountName is "admin"; allowed: one of trainer/u);
    expect(messages(result)).toMatch(/priorityClassName is "system-node-critical"; allowed: any but system-/u);
  });

  it('of a kind that the cluster does not have is refused, with what brings it', async () => {
    const pytorch = {
      apiVersion: 'kubeflow.org/v1',
      kind: 'PyTorchJob',
      spec: { pytorchReplicaSpecs: { Worker: { replicas: 1, template: { spec: { containers: [{ name: 'pytorch', image }] } } } } },
    };
    const result = await submit({ manifest: `${JSON.stringify(pytorch)}\n# two lines` });
    expect(result.code).toBe(1);
    expect(messages(result)).toMatch(/does not have the kind PyTorchJob \(kubeflow\.org\/v1\); install the Kubeflow training operator/u);
  });
});

describe('a program', () => {
  const program = (): Record<string, string> => ({ image, command: 'node train.js --epochs $(params.epochs)', parameters: 'epochs: 20' });

  it('needs no manifest: its Job is shown, and asking again adopts it', async () => {
    const asked = { ...program(), 'comment-id': '1', deadline: '1h' };
    const result = await submit(asked);
    expect(messages(result)).toBe('');
    expect(objectOf(result).spec.template.spec.containers).toMatchObject([{ image, command: ['node', 'train.js', '--epochs', '20'] }]);
    expect(result.summary).toMatch(/Made without a manifest: a Job \(batch\/v1\), the best for .*job.* that the cluster has/u);
    await expect(submit(asked)).resolves.toMatchObject({ code: 0, outputs: { adopted: 'true', run: result.outputs['run'] } });
    await expect(submit({ ...asked, cpu: '2' })).resolves.toMatchObject({ code: 0, outputs: { adopted: 'false' } });
  });

  it('whose image was built again from the same commit is the same request', async () => {
    const built = (content: string): Promise<string> =>
      registry.pushBase('digits:2', { files: { 'a.txt': content }, config: { Labels: { 'org.opencontainers.image.revision': sha } } });
    const [first, second] = [await built('one'), await built('two')];
    expect(first).not.toBe(second);
    const { outputs } = await submit({ ...program(), image: first, 'comment-id': '1' });
    await expect(submit({ ...program(), image: second, 'comment-id': '1' })).resolves.toMatchObject({
      outputs: { adopted: 'true', run: outputs['run'] },
    });
  });

  it('for which the cluster has nothing is refused with what to install; a failed check is all that is left', async () => {
    const result = await submit({ ...program(), framework: 'pytorch', workers: '2' });
    expect(result.code).toBe(1);
    expect(messages(result)).toMatch(
      /framework "pytorch" with 2 workers needs TrainJob .* or PyTorchJob .* or JobSet .*; install Kubeflow Trainer 2/u,
    );
    expect(repository.checks(sha)).toMatchObject([{ name: 'train: digits', conclusion: 'failure' }]);
  });

  it('may be tried dry without a cluster, which says what was not checked', async () => {
    const result = await submit({ ...program(), 'dry-run': 'true', framework: 'pytorch', kubeconfig: '' });
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/Not checked: fields, quota and rights.*no Kubernetes cluster is named/u);
    expect(result.stdout).toContain('Not checked: whether the token has "checks: write"');
    expect(result.summary).toMatch(/a PyTorchJob \(kubeflow.*\), assumed, since no cluster was asked/u);
    expect(repository.checks(sha)).toEqual([]);
  });

  it('is refused by the policy all the same when it is tried dry without a cluster', async () => {
    const result = await submit({ ...program(), 'dry-run': 'true', 'service-account': 'admin', kubeconfig: '' });
    expect(result.code).toBe(1);
    expect(messages(result)).toContain('serviceAccountName is "admin"');
  });
});
