import { describe, expect, it } from '@jest/globals';
import { checkPolicy } from '@slashtrain/core/policy/check';
import { demandOf } from '@slashtrain/core/policy/gpus';
import { defaultPolicy } from '@slashtrain/core/policy/policy';
import { generate, type ClusterKinds } from './generate.ts';
import type { Program } from './program.ts';

/*
 * The objects themselves are checked by the API server, and run, in test/real/submit-generated.test.ts.
 */
const program = (more: Partial<Program> = {}): Program => ({
  framework: 'job',
  image: `ghcr.io/acme/digits@sha256:${'a'.repeat(64)}`,
  command: ['python', 'train.py'],
  workers: 1,
  ...more,
});

const torch = [{ name: 'torch-distributed', framework: 'torch' }];
/** A cluster with these kinds beside a Job, as `group/version Kind`. */
function cluster(kinds: string[], runtimes: Awaited<ReturnType<ClusterKinds['runtimes']>> = []): ClusterKinds {
  const served = new Set(['batch/v1 Job', ...kinds]);
  return {
    server: 'https://cluster',
    serves: async (apiVersion, kind) => served.has(`${apiVersion} ${kind}`),
    runtimes: async () => runtimes,
  };
}
const trainer = 'trainer.kubeflow.org/v1alpha1 TrainJob';
const jobSet = 'jobset.x-k8s.io/v1alpha2 JobSet';
const legacy = ['PyTorchJob', 'TFJob', 'XGBoostJob', 'MPIJob'].map((kind) => `kubeflow.org/v1 ${kind}`);

describe('the kind', () => {
  it.each<[string, Partial<Program>, ClusterKinds | undefined, string]>([
    ['of one worker', {}, cluster([jobSet]), 'batch/v1 Job'],
    ['of workers', { workers: 2 }, cluster([jobSet]), jobSet],
    ['of workers without JobSet', { workers: 2 }, cluster([]), 'batch/v1 Job'],
    ['for PyTorch', { framework: 'pytorch' }, cluster([trainer, jobSet, ...legacy], torch), trainer],
    ['for PyTorch without a runtime', { framework: 'pytorch' }, cluster([trainer, jobSet, ...legacy]), 'kubeflow.org/v1 PyTorchJob'],
    [
      'for PyTorch with unknown runtimes',
      { framework: 'pytorch' },
      { ...cluster([trainer, ...legacy]), runtimes: async () => undefined },
      'kubeflow.org/v1 PyTorchJob',
    ],
    ['for PyTorch without operators', { framework: 'pytorch', workers: 2 }, cluster([jobSet]), jobSet],
    ['for one PyTorch worker without operators', { framework: 'pytorch' }, cluster([jobSet]), 'batch/v1 Job'],
    ['for TensorFlow', { framework: 'tensorflow', workers: 2 }, cluster([trainer, ...legacy], torch), 'kubeflow.org/v1 TFJob'],
    ['for XGBoost', { framework: 'xgboost', workers: 2 }, cluster([trainer], [{ name: 'xgb', framework: 'xgboost' }]), trainer],
    ['for MPI', { framework: 'mpi', workers: 2 }, cluster(legacy), 'kubeflow.org/v1 MPIJob'],
    ['for MPI with its own operator', { framework: 'mpi' }, cluster(['kubeflow.org/v2beta1 MPIJob']), 'kubeflow.org/v2beta1 MPIJob'],
    ['for Ray', { framework: 'ray' }, cluster(['ray.io/v1 RayJob']), 'ray.io/v1 RayJob'],
    ['for a runtime by name', { framework: 'pytorch', runtime: 'mine' }, cluster([trainer, ...legacy], torch), trainer],
    ['without a cluster', { framework: 'pytorch' }, undefined, 'kubeflow.org/v1 PyTorchJob'],
  ])('%s', async (_, more, kinds, expected) => {
    const { object, kind, why } = await generate(program(more), kinds);
    expect(`${object.apiVersion} ${object.kind}`).toBe(expected);
    expect(kind.resource.kind).toBe(object.kind);
    expect(why).not.toBe('');
    expect(checkPolicy([object], defaultPolicy)).toEqual([]);
  });

  it.each<[string, Partial<Program>, ClusterKinds, RegExp, RegExp]>([
    [
      'PyTorch workers without anything',
      { framework: 'pytorch', workers: 2 },
      cluster([]),
      /framework "pytorch" with 2 workers needs TrainJob \(.*with a torch runtime\) or PyTorchJob .* or JobSet .*, and https:\/\/cluster has none/u,
      /install Kubeflow Trainer 2 .* or write a manifest/u,
    ],
    [
      'TensorFlow workers without an operator',
      { framework: 'tensorflow', workers: 2 },
      cluster([jobSet]),
      /needs TrainJob .* or TFJob/u,
      /training operator/u,
    ],
    ['Ray without KubeRay', { framework: 'ray' }, cluster([]), /needs RayJob/u, /KubeRay/u],
    ['MPI without a command', { framework: 'mpi', command: [] }, cluster(legacy), /framework "mpi" needs input "command"/u, /mpirun/u],
    [
      'a TrainJob of one of several runtimes',
      { framework: 'trainer' },
      cluster(
        [trainer],
        [
          { name: 'a', framework: 'jax' },
          { name: 'b', framework: 'mlx' },
        ],
      ),
      /needs input "runtime"/u,
      /it has a, b/u,
    ],
    ['a TrainJob without Trainer', { framework: 'trainer' }, cluster([]), /needs TrainJob/u, /Kubeflow Trainer 2/u],
  ])('of %s is refused', async (_, more, kinds, message, remedy) => {
    await expect(generate(program(more), kinds)).rejects.toMatchObject({
      message: expect.stringMatching(message),
      remedy: expect.stringMatching(remedy),
    });
  });
});

describe('all workers together', () => {
  const all = cluster([trainer, jobSet, ...legacy, 'ray.io/v1 RayJob'], []);
  it.each<[Program['framework'], number]>([
    ['job', 1],
    ['job', 3],
    ['pytorch', 1],
    ['pytorch', 3],
    ['tensorflow', 3],
    ['xgboost', 3],
    ['mpi', 3],
    ['ray', 1],
    ['ray', 3],
  ])('have the GPUs that were asked for: %s × %d', async (framework, workers) => {
    const { object } = await generate(program({ framework, workers, gpus: 2, gpuResource: 'amd.com/gpu', cpu: '4', memory: '8Gi' }), all);
    expect(demandOf(object).gpus).toBe(workers * 2);
  });

  it('have as many in a TrainJob, and none where none were asked for', async () => {
    const withTorch = cluster([trainer], torch);
    expect(demandOf((await generate(program({ framework: 'pytorch', workers: 3, gpus: 2 }), withTorch)).object).gpus).toBe(6);
    expect(demandOf((await generate(program({ framework: 'pytorch', workers: 3, gpus: 0 }), withTorch)).object).gpus).toBe(0);
  });
});

it('a word for Ray is one word for its shell', async () => {
  const command = ['python', '-c', `print("it's")`, '--lr=$(params.lr)'];
  const { object } = await generate(program({ framework: 'ray', command }), cluster(['ray.io/v1 RayJob']));
  expect(object['spec']).toMatchObject({ entrypoint: `python -c 'print("it'\\''s")' '--lr=$(params.lr)'` });
});
