import { ActionError } from '@slashtrain/core/action/errors';
import { kindFor } from '@slashtrain/core/kinds/index';
import type { Kind, KubernetesObject } from '@slashtrain/core/kinds/kind';
import * as objects from './objects.ts';
import type { Framework, Program } from './program.ts';

/** A ClusterTrainingRuntime, which says how a TrainJob's pods are. */
export interface Runtime {
  name: string;
  /** Its label `trainer.kubeflow.org/framework`, such as `torch`. */
  framework: string;
}

/** What a cluster has. */
export interface ClusterKinds {
  /** For messages. */
  server: string;
  serves(apiVersion: string, kind: string): Promise<boolean>;
  /** Undefined where we may not list them. */
  runtimes(): Promise<readonly Runtime[] | undefined>;
}

/** A run's object, made without a manifest. */
export interface Generated {
  object: KubernetesObject;
  kind: Kind;
  /** Why it is this kind, for people. */
  why: string;
}

/** One way to run a framework's programs, where the cluster has the kind. */
interface Way {
  apiVersion: string;
  kind: string;
  make(program: Program): KubernetesObject;
  /** For so many workers at most. */
  most?: number;
  note?: string;
}

const alone = { apiVersion: 'batch/v1', kind: 'Job', make: objects.job, most: 1 };
const legacy = (kind: string, make: Way['make']): Way => ({ apiVersion: 'kubeflow.org/v1', kind, make });
const jobSet = { apiVersion: 'jobset.x-k8s.io/v1alpha2', kind: 'JobSet' };

/** The ways of each framework, the best first, after a TrainJob. */
const ways: Readonly<Record<Exclude<Framework, 'trainer'>, readonly Way[]>> = {
  job: [
    alone,
    { ...jobSet, make: (program) => objects.jobSet(program), note: 'worker N is reached as <run>-worker-0-N.<run>' },
    { ...alone, most: Infinity, note: 'without JobSet its pods do not find each other by name' },
  ],
  pytorch: [legacy('PyTorchJob', objects.pytorchJob), alone, { ...jobSet, make: objects.torchJobSet }],
  tensorflow: [legacy('TFJob', objects.tfJob), alone],
  xgboost: [legacy('XGBoostJob', objects.xgboostJob), alone],
  mpi: [
    { apiVersion: 'kubeflow.org/v2beta1', kind: 'MPIJob', make: (program) => objects.mpiJob(program, 'v2beta1') },
    legacy('MPIJob', (program) => objects.mpiJob(program, 'v1')),
  ],
  ray: [{ apiVersion: 'ray.io/v1', kind: 'RayJob', make: objects.rayJob }],
};

/** A runtime's word for a framework; those without have no TrainJob. */
const runtimeFrameworks: Readonly<Partial<Record<Framework, string>>> = {
  pytorch: 'torch',
  tensorflow: 'tensorflow',
  xgboost: 'xgboost',
  mpi: 'mpi',
};

const trainJob = { apiVersion: 'trainer.kubeflow.org/v1alpha1', kind: 'TrainJob' };

/**
 * Makes the object that runs a program: a TrainJob where the cluster has a runtime for its framework, else the
 * framework's own kind, else a JobSet or a Job.
 * @param cluster absent where no cluster can be asked: then the framework's first kind is assumed
 * @throws ActionError `not-found` where the cluster has none of them, with what to install; `input` where the runtime has to be named
 */
export async function generate(program: Program, cluster: ClusterKinds | undefined): Promise<Generated> {
  checkProgram(program);
  const label = runtimeFrameworks[program.framework];
  if (program.framework === 'trainer' || program.runtime !== undefined) return byTrainer(program, cluster);
  if (label !== undefined && (await cluster?.serves(trainJob.apiVersion, trainJob.kind))) {
    const runtimes = await cluster?.runtimes();
    const runtime = fitting(runtimes ?? [], label);
    if (runtime) return made(trainJob, objects.trainJob(program, runtime.name), `the cluster has the runtime ${runtime.name} for it`);
  }
  const possible = ways[program.framework].filter(({ most = Infinity }) => program.workers <= most);
  for (const way of possible) {
    if (cluster && !(await cluster.serves(way.apiVersion, way.kind))) continue;
    const reason = cluster ? `the best for "${program.framework}" that the cluster has` : 'assumed, since no cluster was asked';
    return made(way, way.make(program), way.note === undefined ? reason : `${reason}; ${way.note}`);
  }
  throw lacking(
    program,
    label === undefined ? possible : [{ ...trainJob, note: `with a ${label} runtime` }, ...possible],
    cluster?.server ?? '',
  );
}

async function byTrainer(program: Program, cluster: ClusterKinds | undefined): Promise<Generated> {
  if (cluster && !(await cluster.serves(trainJob.apiVersion, trainJob.kind))) throw lacking(program, [trainJob], cluster.server);
  if (program.runtime !== undefined) return made(trainJob, objects.trainJob(program, program.runtime), 'input "runtime" names its runtime');
  const runtimes = cluster ? await cluster.runtimes() : [{ name: 'torch-distributed', framework: 'torch' }];
  const usual = runtimes?.find(({ name }) => name === 'torch-distributed') ?? (runtimes?.length === 1 ? runtimes[0] : undefined);
  if (usual) return made(trainJob, objects.trainJob(program, usual.name), `with the runtime ${usual.name}`);
  throw new ActionError('input', 'framework "trainer" needs input "runtime" on this cluster', {
    remedy:
      runtimes === undefined
        ? 'name a ClusterTrainingRuntime; they may not be listed with these credentials'
        : `it has ${runtimes.map(({ name }) => name).join(', ') || 'no ClusterTrainingRuntime: install the ones that come with Kubeflow Trainer'}`,
  });
}

/** Of several the one that comes with Trainer. */
function fitting(runtimes: readonly Runtime[], framework: string): Runtime | undefined {
  const all = runtimes.filter((runtime) => runtime.framework === framework).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return all.find(({ name }) => name === `${framework}-distributed`) ?? all[0];
}

function checkProgram({ framework, command }: Program): void {
  if (command.length > 0 || (framework !== 'mpi' && framework !== 'ray')) return;
  throw new ActionError('input', `framework "${framework}" needs input "command", which was not given`, {
    remedy:
      framework === 'mpi' ? 'give what the launcher runs, such as mpirun python train.py' : 'give what Ray runs, such as python train.py',
  });
}

function made({ apiVersion, kind: name }: Pick<Way, 'apiVersion' | 'kind'>, object: KubernetesObject, why: string): Generated {
  const kind = kindFor(apiVersion, name);
  if (!kind) throw new ActionError('internal', `the kind ${apiVersion} ${name} is not known`);
  return { object, kind, why };
}

function lacking(
  { framework, workers }: Program,
  needed: readonly (Pick<Way, 'apiVersion' | 'kind'> & { note?: string })[],
  server: string,
): ActionError {
  const names = needed.map(({ kind, apiVersion, note }) => `${kind} (${apiVersion}${note === undefined ? '' : `, ${note}`})`);
  const operators = new Set(needed.flatMap(({ apiVersion, kind }) => kindFor(apiVersion, kind)?.operator ?? []));
  return new ActionError(
    'not-found',
    `framework "${framework}" with ${workers} worker${workers === 1 ? '' : 's'} needs ${names.join(' or ')}, and ${server} has none`,
    {
      remedy: `install ${[...operators].join(', or ')}; or write a manifest`,
    },
  );
}
