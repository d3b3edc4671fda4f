import { fieldsAt, isFields, type Fields } from './walk.ts';

/** How much a run of Kubeflow Pipelines may take at most. */
export interface PipelineDemand {
  /** GPUs at one time: all tasks of a group may run side by side. Infinity where nothing bounds them. */
  gpus: number;
  /** Seconds, if its tasks run one after the other until their deadlines; Infinity where one has none. */
  seconds: number;
  /** Why there is no bound of GPUs, and what to do. */
  why?: string;
}

const deepest = 50;

/**
 * The demand of a run, from its specification
 * (https://github.com/kubeflow/pipelines/blob/2.17.0/api/v2alpha1/pipeline_spec.proto) and its settings for Kubernetes.
 * @param spec of an object `Run.kfp`
 */
export function pipelineDemand(spec: Fields): PipelineDemand {
  const pipeline = fieldsAt(spec, 'pipelineSpec') ?? {};
  let why: string | undefined;
  const endless = (reason: string): number => {
    why ??= reason;
    return Infinity;
  };

  const ofExecutor = (label: string): PipelineDemand => {
    const accelerator = fieldsAt(pipeline, 'deploymentSpec', 'executors', label, 'container', 'resources', 'accelerator');
    const given = accelerator?.['resourceCount'] ?? accelerator?.['count'];
    const count = given === undefined ? 0 : Number(given);
    const gpus =
      accelerator === undefined || count >= 0 ? count : endless('a task asks for as many GPUs as a parameter says; write the number');
    const deadline = Number(
      fieldsAt(spec, 'platformSpec', 'platforms', 'kubernetes', 'deploymentSpec', 'executors', label)?.['activeDeadlineSeconds'],
    );
    return { gpus, seconds: deadline > 0 ? deadline : Infinity };
  };

  const ofComponent = (component: Fields | undefined, depth: number): PipelineDemand => {
    if (depth > deepest) return { gpus: endless('its groups stand in one another too deeply'), seconds: Infinity };
    const label = component?.['executorLabel'];
    if (typeof label === 'string') return ofExecutor(label);
    const sum = { gpus: 0, seconds: 0 };
    for (const task of Object.values(fieldsAt(component, 'dag', 'tasks') ?? {})) {
      const name = fieldsAt(task, 'componentRef')?.['name'];
      const one = ofComponent(typeof name === 'string' ? fieldsAt(pipeline, 'components', name) : undefined, depth + 1);
      const rounds = roundsOf(task);
      const limit = Number(fieldsAt(task, 'iteratorPolicy')?.['parallelismLimit'] ?? 0);
      const atOnce = limit > 0 ? Math.min(limit, rounds) : rounds;
      if (one.gpus > 0 && atOnce === Infinity) sum.gpus = endless('a loop takes GPUs for each item; set its parallelism');
      else sum.gpus += one.gpus * (atOnce === Infinity ? 1 : atOnce);
      const tries = 1 + Number(fieldsAt(task, 'retryPolicy')?.['maxRetryCount'] ?? 0);
      sum.seconds += one.seconds === 0 ? 0 : one.seconds * rounds * (Number.isFinite(tries) ? tries : Infinity);
    }
    return sum;
  };

  const demand = ofComponent(fieldsAt(pipeline, 'root'), 0);
  return why === undefined ? demand : { ...demand, gpus: Infinity, why };
}

/** How often a task runs: once, or for each item of a list. */
function roundsOf(task: unknown): number {
  if (!isFields(task)) return 1;
  const iterator = fieldsAt(task, 'parameterIterator') ?? fieldsAt(task, 'artifactIterator');
  if (!iterator) return 1;
  const raw = fieldsAt(iterator, 'items')?.['raw'];
  try {
    const items: unknown = typeof raw === 'string' ? JSON.parse(raw) : undefined;
    return Array.isArray(items) ? items.length : Infinity;
  } catch {
    // Not a list that stands there: nobody knows how long it will be.
    return Infinity;
  }
}
