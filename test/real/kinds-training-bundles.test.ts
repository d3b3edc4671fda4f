import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { startBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { keptLog } from '../support/kubernetes.ts';
import { succeeded } from '../support/steps.ts';
import { openTarget, unique } from '../support/targets.ts';

/*
 * The training operator's kinds from a manifest to the end of the wait, through the bundles. How the kinds behave is
 * kinds-training.test.ts's.
 */
const target = await openTarget('real');
const client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
const namespace = unique('kinds-bundles');
const operator = await client.discover('kubeflow.org', 'v1');

let github: FakeGitHub;
let repository: Repository;
beforeAll(async () => {
  await client.create<KubernetesObject>(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  github = await startGitHub();
  repository = github.createRepository({ owner: 'acme', name: 'digits' });
});
afterAll(async () => {
  await client.delete(namespaces, '', namespace);
  await github.close();
  await target.close();
});

/** Submits a manifest under a pipeline of its own, and waits for its end. */
async function train(pipeline: string, manifest: object, more: Record<string, string> = {}): Promise<BundleResult> {
  const token = github.token({ contents: 'read', checks: 'write', 'pull-requests': 'read' }, { repository });
  const sha = repository.commit({ files: { 'train.yaml': JSON.stringify(manifest) }, message: pipeline });
  const common = { github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } } };
  const inputs = { kubeconfig: target.kubeconfig, 'kube-context': target.context, namespace, token };
  const submitted = await succeeded(
    startBundle({ action: 'submit-pipeline', ...common, inputs: { ...inputs, manifest: 'train.yaml', sha, pipeline, ...more } }).result,
  );
  return startBundle({ action: 'wait-for-run', ...common, inputs: { ...inputs, run: submitted.outputs['run'] ?? '' } }).result;
}

const replica = (container: string, script: string, more: object = {}): object => ({
  replicas: 1,
  ...more,
  template: {
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: container, image: target.base, command: ['/bin/sh', '-c', script] }] },
  },
});

if (operator?.some(({ kind }) => kind === 'PyTorchJob')) {
  it('a TFJob is trained, its parameter server goes with it, and both are heard', async () => {
    const spec = {
      tfReplicaSpecs: {
        Chief: replica('tensorflow', 'echo "$(params.epochs) epochs for $SLASHTRAIN_PIPELINE"; sleep 3'),
        PS: replica('tensorflow', 'echo "a parameter server"; sleep 600'),
      },
    };
    const manifest = { apiVersion: 'kubeflow.org/v1', kind: 'TFJob', metadata: { name: 'digits' }, spec };
    const result = await train('tensorflow', manifest, { parameters: 'epochs: 3', deadline: '10m' });
    expect(result).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
    // Live with a short prefix, then folded by pod.
    expect(result.stdout).toMatch(/^(chief-0|ps-0) \| /mu);
    expect(result.stdout).toMatch(/^::group::The last 1 log lines of chief-0\n3 epochs for tensorflow\n::endgroup::/mu);
    expect(result.stdout).toMatch(/^::group::The last 1 log lines of ps-0\na parameter server\n::endgroup::/mu);
  });

  it('a PyTorchJob that fails too often says how its program ended, although the operator has deleted its pods', async () => {
    const spec = {
      runPolicy: { backoffLimit: 1 },
      pytorchReplicaSpecs: { Master: replica('pytorch', 'echo "no data"; exit 3', { restartPolicy: 'OnFailure' }) },
    };
    const manifest = { apiVersion: 'kubeflow.org/v1', kind: 'PyTorchJob', metadata: { name: 'digits' }, spec };
    const result = await train('backoff', manifest, { deadline: '10m' });
    expect(result).toMatchObject({ code: 1, outputs: { state: 'failed', reason: 'crash' } });
    expect(result.outputs['message']).toContain('exited with code 3');
    expect(result.stdout).toContain('no data');
  });

  it('a PyTorchJob ends at the deadline that it was submitted with', async () => {
    const spec = { pytorchReplicaSpecs: { Master: replica('pytorch', 'echo begun; sleep 600', { restartPolicy: 'OnFailure' }) } };
    const manifest = { apiVersion: 'kubeflow.org/v1', kind: 'PyTorchJob', metadata: { name: 'digits' }, spec };
    const result = await train('deadline', manifest, { deadline: '10s' });
    expect(result).toMatchObject({ code: 1, outputs: { state: 'failed', reason: 'deadline' } });
  });
}

it('an MPIJob of the version that the cluster does not have is refused by its name', async () => {
  const missing = operator?.some(({ kind }) => kind === 'MPIJob') ? 'v2beta1' : 'v1';
  const spec = { mpiReplicaSpecs: { Launcher: replica('mpi', 'true') } };
  const manifest = { apiVersion: `kubeflow.org/${missing}`, kind: 'MPIJob', metadata: { name: 'digits' }, spec };
  await expect(train('mpi', manifest, { deadline: '10m' })).rejects.toThrow(/mpijobs\.kubeflow\.org|MPIJob/u);
});
