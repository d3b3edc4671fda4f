import { isAccelerator } from '../kinds/accelerators.ts';
import { pipelineDemand } from './pipeline.ts';
import { fieldsAt, isFields, kindOf, textOf, type Fields } from './walk.ts';

/** How much a run may take at most. */
export interface Demand {
  /** GPUs at one time; Infinity where nothing bounds them. */
  gpus: number;
  /** GPUs × rounds: a sweep takes its GPUs several times over. */
  gpuRounds: number;
  /** Why there is no bound, and what to do. */
  unbounded?: string;
}

/** The most GPUs that `object` can take, from its requests, limits and replicas, for kinds known and unknown. */
export function demandOf(object: Fields, more: readonly string[] = []): Demand {
  const counter = new Counter(more);
  const kind = kindOf(object);
  const spec = fieldsAt(object, 'spec') ?? {};
  if (kind === 'Run.kfp') {
    const { gpus, why } = pipelineDemand(spec);
    return { gpus, gpuRounds: gpus, ...(why === undefined ? {} : { unbounded: why }) };
  }
  let gpus = counter.count(kind === 'Workflow.argoproj.io' ? {} : spec);
  let rounds = 1;
  if (kind === 'Workflow.argoproj.io') gpus = counter.workflow(spec);
  if (kind === 'TrainJob.trainer.kubeflow.org') counter.trainJob(spec);
  if (kind === 'Experiment.kubeflow.org') {
    // https://www.kubeflow.org/docs/components/katib/user-guides/hp-tuning/configure-experiment/ says 3 unless given.
    const parallel = numberAt(spec, 'parallelTrialCount') ?? 3;
    gpus *= parallel;
    const most = numberAt(spec, 'maxTrialCount') ?? Infinity;
    rounds = gpus === 0 ? 1 : most / Math.max(parallel, 1);
  }
  if (counter.why !== undefined) gpus = Infinity;
  return { gpus, gpuRounds: gpus * rounds, ...(counter.why === undefined ? {} : { unbounded: counter.why }) };
}

class Counter {
  why: string | undefined;
  readonly #more: readonly string[];

  constructor(more: readonly string[]) {
    this.#more = more;
  }

  /** GPUs of everything below `value`. `elastic` is how far an elastic job's workers may grow. */
  count(value: unknown, elastic = 0): number {
    if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + this.count(item, elastic), 0);
    if (!isFields(value)) return 0;
    if (Array.isArray(value['containers'])) return this.#pod(value);
    const workers = numberAt(value, 'elasticPolicy', 'maxReplicas') ?? elastic;
    let sum = this.#resources(value['resources']) + this.#resources(value['resourcesPerNode']);
    for (const [key, item] of Object.entries(value)) {
      if (key === 'resources' || key === 'resourcesPerNode' || key === 'metadata') continue;
      sum += key === 'Worker' && workers > 0 && isFields(item) ? this.#workers(item, workers) : this.count(item, workers);
    }
    return sum === 0 ? 0 : sum * this.#replicas(value);
  }

  /** An Argo Workflow: its templates run as often as they are named, side by side, unless `parallelism` bounds them. */
  workflow(spec: Fields): number {
    if (isFields(spec['workflowTemplateRef'])) return this.#unbounded('the template is on the cluster; write the workflow out');
    const templates = (Array.isArray(spec['templates']) ? spec['templates'] : []).filter(isFields);
    const named = new Map<string, number>();
    const name = (template: unknown): void => void named.set(textOf(template), (named.get(textOf(template)) ?? 0) + 1);
    name(spec['entrypoint']);
    name(spec['onExit']);
    let fans = false;
    let elsewhere = false;
    const look = (value: unknown): void => {
      if (Array.isArray(value)) return value.forEach(look);
      if (!isFields(value)) return;
      if (typeof value['template'] === 'string') name(value['template']);
      fans ||= ['withItems', 'withParam', 'withSequence'].some((key) => value[key] !== undefined && value[key] !== null);
      elsewhere ||= isFields(value['templateRef']);
      Object.values(value).forEach(look);
    };
    templates.forEach(look);
    look(spec['hooks']);
    if (elsewhere) return this.#unbounded('a template is on the cluster; write it out');
    const each = templates.map((template) => this.count({ ...template, parallelism: undefined }));
    const defaults = this.count(spec['templateDefaults']);
    const largest = Math.max(0, ...each) + defaults;
    const parallelism = numberAt(spec, 'parallelism');
    if (parallelism !== undefined && parallelism > 0) return parallelism * largest;
    if (largest > 0 && (fans || [...named.values()].some((times) => times > 1))) {
      return this.#unbounded('a template runs several times; set spec.parallelism');
    }
    return each.reduce((sum, gpus) => sum + gpus + defaults, 0);
  }

  /** What a TrainJob does not say is the runtime's, which is on the cluster; what it says of resources is merged with the runtime's. */
  trainJob(spec: Fields): void {
    const trainer = fieldsAt(spec, 'trainer');
    const resources = { ...fieldsAt(trainer, 'resourcesPerNode', 'requests'), ...fieldsAt(trainer, 'resourcesPerNode', 'limits') };
    const isSaid = Object.keys(resources).some((name) => isAccelerator(name, this.#more));
    if (numberAt(trainer, 'numNodes') === undefined || !isSaid) {
      this.#unbounded(
        'the runtime may ask for GPUs; set spec.trainer.numNodes, and the GPUs in spec.trainer.resourcesPerNode.limits, 0 too',
      );
    }
  }

  #pod(spec: Fields): number {
    if (Array.isArray(spec['resourceClaims']) && spec['resourceClaims'].length > 0) {
      return this.#unbounded('resource claims cannot be counted; ask by resources.limits');
    }
    const list = (key: string): Fields[] => (Array.isArray(spec[key]) ? spec[key].filter(isFields) : []);
    const sum = (containers: Fields[]): number => containers.reduce((all, container) => all + this.#resources(container['resources']), 0);
    const sidecars = list('initContainers').filter((container) => container['restartPolicy'] === 'Always');
    const first = list('initContainers').filter((container) => container['restartPolicy'] !== 'Always');
    // https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
    const pod = Math.max(sum(list('containers')) + sum(sidecars), ...first.map((container) => sum([container]) + sum(sidecars)));
    // KServe's predictor is a pod's specification with more beside it.
    const { containers: _, initContainers: __, ephemeralContainers: ___, resources, ...rest } = spec;
    const beside = Object.values(rest).reduce<number>((all, item) => all + this.count(item), 0);
    return (Math.max(pod, this.#resources(resources)) + beside) * this.#replicas(spec);
  }

  #workers(item: Fields, workers: number): number {
    return this.count({ ...item, replicas: Math.max(numberAt(item, 'replicas') ?? 1, workers) });
  }

  #replicas(value: Fields): number {
    const given = ['replicas', 'maxReplicas', 'minReplicas'].map((key) => this.#number(value, key)).filter((count) => count !== undefined);
    // A Job takes no more pods than completions are left to do.
    const parallelism = this.#number(value, 'parallelism') ?? 1;
    const completions = this.#number(value, 'completions') ?? Infinity;
    const nodes = (this.#number(value, 'numNodes') ?? 1) * (this.#number(value, 'numOfHosts') ?? 1);
    return (given.length > 0 ? Math.max(...given) : 1) * Math.min(parallelism, completions) * nodes;
  }

  #number(value: Fields, key: string): number | undefined {
    const found = value[key];
    if (found === undefined || found === null) return undefined;
    if (typeof found === 'number' && found >= 0) return found;
    return this.#unbounded(`${key} is no number`);
  }

  #resources(value: unknown): number {
    if (!isFields(value)) return 0;
    const limits = fieldsAt(value, 'limits') ?? {};
    const requests = fieldsAt(value, 'requests') ?? {};
    let sum = 0;
    for (const name of new Set([...Object.keys(limits), ...Object.keys(requests)])) {
      if (!isAccelerator(name, this.#more)) continue;
      sum += Math.max(this.#quantity(limits[name]), this.#quantity(requests[name]));
    }
    return sum;
  }

  #quantity(value: unknown): number {
    if (value === undefined || value === null) return 0;
    const amount = parseQuantity(value);
    return amount ?? this.#unbounded(`the quantity ${JSON.stringify(value).slice(0, 40)} cannot be read`);
  }

  #unbounded(why: string): number {
    this.why ??= why;
    return Infinity;
  }
}

const suffixes: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A quantity as a number: `1`, `"2"`, `"1k"` (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/). */
export function parseQuantity(value: unknown): number | undefined {
  if (typeof value === 'number') return value >= 0 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const match = /^\+?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE]([+-]?[0-9]{1,3})|([mkMGTPE]|[KMGT]i)?)$/u.exec(value);
  if (!match) return undefined;
  const [, digits, exponent, suffix = ''] = match;
  return Number(digits) * (exponent === undefined ? suffixes[suffix]! : 10 ** Number(exponent));
}

function numberAt(value: unknown, ...keys: string[]): number | undefined {
  const last = keys.pop()!;
  const found = fieldsAt(value, ...keys)?.[last];
  return typeof found === 'number' ? found : undefined;
}
