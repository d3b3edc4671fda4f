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
 * longest of its pods' where each has one: kubelets act on those. `runPolicy.activeDeadlineSeconds` does not count:
 * training-operator 1.8 and 1.9 do not act on it (kubeflow/trainer #3358).
 */
export function deadlineOf(object: Fields): number | undefined {
  const own = enforcers.includes(kindOf(object)) ? seconds(fieldsAt(object, 'spec')) : undefined;
  if (own !== undefined) return own;
  const pods = [...entries(object)].filter(({ key, value }) => key === 'containers' && Array.isArray(value)).map(({ parent }) => parent);
  const all = pods.map(seconds);
  return all.length > 0 && all.every((each) => each !== undefined) ? Math.max(...all) : undefined;
}

function seconds(spec: Fields | undefined): number | undefined {
  const value = isFields(spec) ? spec['activeDeadlineSeconds'] : undefined;
  return typeof value === 'number' && value > 0 ? value : undefined;
}
