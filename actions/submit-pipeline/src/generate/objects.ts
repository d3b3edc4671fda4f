import { setResources } from '@slashtrain/core/kinds/pods';
import type { Container, EnvVar, KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { Program } from './program.ts';

// A failed run says so at once: the next attempt is somebody's comment, with a record of its own.
const noRetries = { backoffLimit: 0 };

/** One pod, or several that do not talk to each other: an indexed Job, each with its JOB_COMPLETION_INDEX. */
export function job(program: Program): KubernetesObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {},
    spec: { ...noRetries, ...indexed(program.workers), template: podOf(trainer('trainer', program)) },
  };
}

/** Pods that find each other by name: worker N is `<run>-worker-0-N.<run>`. */
export function jobSet(program: Program, env: EnvVar[] = []): KubernetesObject {
  const container = trainer('trainer', program);
  return {
    apiVersion: 'jobset.x-k8s.io/v1alpha2',
    kind: 'JobSet',
    metadata: {},
    spec: {
      failurePolicy: { maxRestarts: 0 },
      replicatedJobs: [
        {
          name: 'worker',
          replicas: 1,
          template: {
            spec: {
              ...noRetries,
              completions: program.workers,
              parallelism: program.workers,
              completionMode: 'Indexed',
              template: podOf({ ...container, ...withEnv(env) }),
            },
          },
        },
      ],
    },
  };
}

export function torchJobSet(program: Program): KubernetesObject {
  const first = '$(SLASHTRAIN_RUN)-worker-0-0.$(SLASHTRAIN_RUN)';
  return jobSet(program, torchEnv(program, first, "metadata.annotations['batch.kubernetes.io/job-completion-index']"));
}

/**
 * What torchrun and torch.distributed read (https://docs.pytorch.org/docs/stable/elastic/run.html).
 * @param first the first worker's host name
 * @param index the field of a pod that says which worker it is
 */
function torchEnv({ workers, gpus = 1 }: Program, first: string, index: string): EnvVar[] {
  const rank = { fieldRef: { fieldPath: index } };
  return [
    { name: 'MASTER_ADDR', value: first },
    { name: 'MASTER_PORT', value: '29400' },
    { name: 'PET_MASTER_ADDR', value: first },
    { name: 'PET_MASTER_PORT', value: '29400' },
    { name: 'PET_NNODES', value: String(workers) },
    { name: 'PET_NPROC_PER_NODE', value: String(Math.max(1, gpus)) },
    { name: 'PET_NODE_RANK', valueFrom: rank },
    // Without torchrun each pod is one process; torchrun sets both itself.
    { name: 'WORLD_SIZE', value: String(workers) },
    { name: 'RANK', valueFrom: rank },
  ];
}

/** https://github.com/kubeflow/trainer/blob/v2.3.0/pkg/apis/trainer/v1alpha1/trainjob_types.go */
export function trainJob(program: Program, runtime: string): KubernetesObject {
  const { image, command, workers, gpus, gpuResource = 'nvidia.com/gpu' } = program;
  const { resources } = trainer('node', program);
  // What a TrainJob does not say is the runtime's: no GPUs are said, too.
  const none = gpus === 0 ? { limits: { ...resources?.limits, [gpuResource]: 0 } } : {};
  const resourcesPerNode = { ...resources, ...none };
  return {
    apiVersion: 'trainer.kubeflow.org/v1alpha1',
    kind: 'TrainJob',
    metadata: {},
    spec: {
      runtimeRef: { name: runtime },
      trainer: {
        image,
        ...(command.length > 0 ? { command: [...command] } : {}),
        numNodes: workers,
        ...(Object.keys(resourcesPerNode).length > 0 ? { resourcesPerNode } : {}),
      },
    },
  };
}

/**
 * Workers alone, the first of which is the master. The operator would tell them who is who if one of them were its
 * "Master", and have the others wait in a container whose image not every cluster can pull
 * (https://github.com/kubeflow/training-operator/blob/v1.9.3/pkg/controller.v1/pytorch/initcontainer.go).
 */
export function pytorchJob(program: Program): KubernetesObject {
  const env = torchEnv(program, '$(SLASHTRAIN_RUN)-worker-0', "metadata.labels['training.kubeflow.org/replica-index']");
  return replicas('PyTorchJob', 'pytorchReplicaSpecs', { Worker: replica('pytorch', program, program.workers, env) });
}

/** Workers alone: TF_CONFIG makes the first of them the chief. */
export function tfJob(program: Program): KubernetesObject {
  return replicas('TFJob', 'tfReplicaSpecs', { Worker: replica('tensorflow', program, program.workers) });
}

/** The first worker is the master. */
export function xgboostJob(program: Program): KubernetesObject {
  const rest = program.workers - 1;
  const workers = rest > 0 ? { Worker: replica('xgboost', program, rest) } : {};
  return replicas('XGBoostJob', 'xgbReplicaSpecs', { Master: replica('xgboost', program, 1), ...workers });
}

/** The command is the launcher's, such as `mpirun -n 4 python train.py`; the workers run what the image or the operator says. */
export function mpiJob(program: Program, version: 'v1' | 'v2beta1'): KubernetesObject {
  const { image, command } = program;
  const launcher = { spec: { containers: [{ name: 'mpi', image, ...(command.length > 0 ? { command: [...command] } : {}) }] } };
  const spec = {
    slotsPerWorker: Math.max(1, program.gpus ?? 1),
    mpiReplicaSpecs: {
      Launcher: { replicas: 1, restartPolicy: 'Never', template: launcher },
      Worker: replica('mpi', { ...program, command: [] }, program.workers),
    },
  };
  return { apiVersion: `kubeflow.org/${version}`, kind: 'MPIJob', metadata: {}, spec: { runPolicy, ...spec } };
}

/** One worker is the head itself; of several the head trains nothing. */
export function rayJob(program: Program): KubernetesObject {
  const { image, workers } = program;
  const alone = workers === 1;
  const pod = (container: Container): object => ({ spec: { containers: [container] } });
  const group = {
    groupName: 'workers',
    replicas: workers,
    minReplicas: workers,
    maxReplicas: workers,
    rayStartParams: {},
    template: pod(trainer('ray-worker', { ...program, command: [] })),
  };
  return {
    apiVersion: 'ray.io/v1',
    kind: 'RayJob',
    metadata: {},
    spec: {
      entrypoint: program.command.map(shellWord).join(' '),
      ...noRetries,
      rayClusterSpec: {
        headGroupSpec: {
          rayStartParams: alone ? {} : { 'num-cpus': '0' },
          template: pod(alone ? trainer('ray-head', { ...program, command: [] }) : { name: 'ray-head', image }),
        },
        ...(alone ? {} : { workerGroupSpecs: [group] }),
      },
    },
  };
}

// What still runs when the run has ended is ended, too.
const runPolicy = { cleanPodPolicy: 'Running' };

function replicas(kind: string, field: string, specs: object): KubernetesObject {
  return { apiVersion: 'kubeflow.org/v1', kind, metadata: {}, spec: { runPolicy, [field]: specs } };
}

function replica(container: string, program: Program, count: number, env: EnvVar[] = []): object {
  return {
    replicas: count,
    restartPolicy: 'Never',
    template: { spec: { containers: [{ ...trainer(container, program), ...withEnv(env) }] } },
  };
}

function withEnv(env: EnvVar[]): { env?: EnvVar[] } {
  return env.length > 0 ? { env } : {};
}

function indexed(workers: number): object {
  return workers > 1 ? { completions: workers, parallelism: workers, completionMode: 'Indexed' } : {};
}

function podOf(container: Container): object {
  return { spec: { restartPolicy: 'Never', containers: [container] } };
}

function trainer(name: string, { image, command, ...resources }: Program): Container {
  const container: Container = { name, image, ...(command.length > 0 ? { command: [...command] } : {}) };
  const { cpu, memory, gpus, gpuResource } = resources;
  setResources(container, {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
    ...(gpus === undefined ? {} : { gpus }),
    ...(gpuResource === undefined ? {} : { gpuResource }),
  });
  return container;
}

/** A word as a shell reads it back. What a parameter may put in there is the kind's to check. */
function shellWord(word: string): string {
  return /^[\w./:=@%+,-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
