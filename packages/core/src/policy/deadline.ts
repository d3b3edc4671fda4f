import { pipelineDemand } from './pipeline.ts';
import { servingKinds } from './policy.ts';
import { entries, fieldsAt, isFields, kindOf, type Fields } from './walk.ts';

const helpers: readonly string[] = ['ConfigMap', 'Secret', 'Service', 'PersistentVolumeClaim'];

/** Whether pods come of an object. Of a kind that we do not know they do. */
export function runsPods(object: Fields): boolean {
  return !helpers.includes(kindOf(object));
}

/** Whether an object runs until it is replaced: deadlines are not for it. */
export function isServing(object: Fields): boolean {
  return servingKinds.includes(kindOf(object));
}

// Kinds whose controllers act on `spec.activeDeadlineSeconds`; TrainJob since Trainer 2.2.
const enforcers: readonly string[] = ['Job.batch', 'RayJob.ray.io', 'Workflow.argoproj.io', 'TrainJob.trainer.kubeflow.org'];

/**
 * The seconds after which somebody ends the run: `spec.activeDeadlineSeconds` of a kind whose controller acts on it, else the
 * longest of its pods' where each has one: kubelets act on those. `runPolicy.activeDeadlineSeconds` alone does not count:
 * training-operator 1.8 and 1.9 look at it when something happens to a pod (kubeflow/trainer #3358).
 */
export function deadlineOf(object: Fields): number | undefined {
  // An Experiment has none: each of its trials has, and the policy counts their rounds.
  const trial = fieldsAt(object, 'spec', 'trialTemplate', 'trialSpec');
  if (trial && kindOf(object) === 'Experiment.kubeflow.org') return deadlineOf(trial);
  if (kindOf(object) === 'Run.kfp') {
    // A bound: its tasks one after the other, each until its pod's deadline.
    const { seconds: longest } = pipelineDemand(fieldsAt(object, 'spec') ?? {});
    return Number.isFinite(longest) ? longest : undefined;
  }
  const own = enforcers.includes(kindOf(object)) ? seconds(fieldsAt(object, 'spec')) : undefined;
  if (own !== undefined) return own;
  const pods = [...entries(object)].filter(({ key, value }) => key === 'containers' && Array.isArray(value)).map(({ parent }) => parent);
  const all = pods.map(seconds);
  if (all.length === 0 || !all.every((each) => each !== undefined)) return undefined;
  // Without the run's own, which has to be there as well, these pods are made anew, and their time with them.
  const run = seconds(fieldsAt(object, 'spec', 'runPolicy'));
  return restarts(object) && run === undefined ? undefined : Math.max(...all, run ?? 0);
}

/**
 * Whether a job of the training operator starts pods again that ended by their deadline: all that do not say
 * `restartPolicy: Never`, as training-operator 1.9.3 did on a real cluster.
 */
function restarts(object: Fields): boolean {
  if (!/^(PyTorch|TF|XGBoost|Paddle|JAX|MPI)Job\.kubeflow\.org$/u.test(kindOf(object))) return false;
  const replicas = Object.entries(fieldsAt(object, 'spec') ?? {}).filter(([key]) => key.endsWith('ReplicaSpecs'));
  return replicas.some(
    ([, roles]) => isFields(roles) && Object.values(roles).some((role) => isFields(role) && role['restartPolicy'] !== 'Never'),
  );
}

function seconds(spec: Fields | undefined): number | undefined {
  const value = isFields(spec) ? spec['activeDeadlineSeconds'] : undefined;
  return typeof value === 'number' && value > 0 ? value : undefined;
}
