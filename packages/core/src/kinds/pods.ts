import { ActionError } from '../action/errors.ts';
import { isAccelerator } from './accelerators.ts';
import type { Container, EnvVar, PodResources, PodSettings, PodTemplate } from './kind.ts';

/** A JSON object of tags that MLflow gives every run (https://github.com/mlflow/mlflow/blob/v3.1.0/mlflow/tracking/context/system_environment_context.py). */
const tagsVariable = 'MLFLOW_RUN_CONTEXT';
const usualAccelerator = 'nvidia.com/gpu';

type Quantities = Record<string, string | number>;

/** Puts settings into pod templates, each the `metadata` and `spec` of a PodTemplateSpec. @throws ActionError as {@link setResources} */
export function setPods(templates: readonly PodTemplate[], settings: PodSettings): void {
  const { labels, nodeSelector = {}, tolerations = [], serviceAccount, priorityClass, resources } = settings;
  for (const { template } of templates) {
    template.metadata = { ...template.metadata, labels: { ...template.metadata?.labels, ...labels } };
    const spec = (template.spec ??= {});
    if (Object.keys(nodeSelector).length > 0) spec['nodeSelector'] = { ...(spec['nodeSelector'] as object | undefined), ...nodeSelector };
    if (tolerations.length > 0) spec['tolerations'] = withoutTwins([...listOf(spec['tolerations']), ...tolerations]);
    if (serviceAccount !== undefined) spec.serviceAccountName = serviceAccount;
    if (priorityClass !== undefined) spec['priorityClassName'] = priorityClass;
    for (const container of containersOf(template)) setVariables(container, settings);
  }
  if (resources) for (const container of trainingContainers(templates)) setResources(container, resources);
}

/** The init containers and containers of a pod template. */
export function containersOf(template: PodTemplate['template']): Container[] {
  return [...(template.spec?.initContainers ?? []), ...(template.spec?.containers ?? [])];
}

/** Puts variables into a container, or into what has `env` and `envFrom` as a container has. */
export function setVariables(container: { env?: EnvVar[]; [field: string]: unknown }, settings: PodSettings): void {
  container.env = variablesFor(container.env, settings);
  if (settings.secrets.length === 0) return;
  container['envFrom'] = withoutTwins([...listOf(container['envFrom']), ...settings.secrets.map((name) => ({ secretRef: { name } }))]);
}

/**
 * A container's variables. Ours come first, so that others can refer to them as `$(SLASHTRAIN_RUN)`; then its own, each
 * replaced where another was given. What is only offered gives way to both, and tags for MLflow are put together.
 */
export function variablesFor(own: readonly EnvVar[] | undefined, { ours, offered, given, tags }: PodSettings): EnvVar[] {
  const kept = listOf<EnvVar>(own).filter(({ name }) => !ours.has(name));
  const replaced = kept.map((variable) => given.find(({ name }) => name === variable.name) ?? variable);
  const theirs = [...replaced, ...given.filter(({ name }) => !kept.some((variable) => variable.name === name))];
  const isTaken = (name: string): boolean => theirs.some((variable) => variable.name === name);
  const first = [...ours, ...[...offered].filter(([name]) => !isTaken(name))].map(([name, value]) => ({ name, value }));
  if (!isTaken(tagsVariable)) first.push({ name: tagsVariable, value: JSON.stringify(tags) });
  return [...first, ...theirs.map((variable) => (variable.name === tagsVariable ? withTags(variable, tags) : variable))];
}

function withTags(variable: EnvVar, tags: PodSettings['tags']): EnvVar {
  try {
    const object: unknown = JSON.parse(variable.value ?? '');
    if (typeof object === 'object' && object !== null && !Array.isArray(object)) {
      return { name: variable.name, value: JSON.stringify({ ...object, ...tags }) };
    }
  } catch {
    // A Secret's, or no JSON: it stays as it is, and MLflow says what it thinks of it.
  }
  return variable;
}

/**
 * The containers that resources are meant for: those that ask for an accelerator, else the only one of each pod, but for
 * a launcher's, which starts the others and trains nothing.
 * @throws ActionError `input` where it cannot be said which one is meant
 */
function trainingContainers(templates: readonly PodTemplate[]): Container[] {
  const all = templates.flatMap(({ template }) => template.spec?.containers ?? []);
  const asking = all.filter((container) => acceleratorsOf(container) !== undefined);
  if (asking.length > 0) return asking;
  const workers = templates.filter(({ path }) => !/launcher/iu.test(path));
  return (workers.length > 0 ? workers : templates).flatMap(({ path, template }) => {
    const [only, second] = template.spec?.containers ?? [];
    if (only && !second) return [only];
    throw new ActionError('input', `the pod at ${path} has several containers, and none asks for an accelerator`, {
      remedy:
        'inputs "gpus", "accelerator", "cpu" and "memory" are for one: give that one a limit such as nvidia.com/gpu: 1, or write the resources out',
    });
  });
}

/** Sets what one container, or what has `requests` and `limits` as a container's `resources`, asks for. */
export function setResources(container: Pick<Container, 'resources'>, { cpu, memory, gpus, gpuResource }: PodResources): void {
  const own = container.resources ?? {};
  const requests: Quantities = { ...own.requests, ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) };
  const limits: Quantities = { ...own.limits, ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) };
  const asked = acceleratorsOf(container);
  if (gpus !== undefined || gpuResource !== undefined) {
    const name = gpuResource ?? asked?.name ?? usualAccelerator;
    const count = gpus ?? asked?.count ?? 1;
    for (const map of [requests, limits]) for (const key of Object.keys(map)) if (isAccelerator(key, [name])) delete map[key];
    // A request of an extended resource is its limit: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#extended-resources
    if (Number(count) > 0) limits[name] = count;
  }
  const fill = (map: Quantities, key: string): object => (Object.keys(map).length > 0 ? { [key]: map } : {});
  const { requests: _, limits: __, ...rest } = own;
  const resources = { ...rest, ...fill(requests, 'requests'), ...fill(limits, 'limits') };
  if (container.resources || Object.keys(resources).length > 0) container.resources = resources;
}

function acceleratorsOf({ resources }: Pick<Container, 'resources'>): { name: string; count: string | number } | undefined {
  const all = Object.entries({ ...resources?.requests, ...resources?.limits });
  const found = all.find(([name]) => isAccelerator(name));
  return found && { name: found[0], count: found[1] };
}

function listOf<T = unknown>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : [];
}

function withoutTwins(items: readonly unknown[]): unknown[] {
  const texts = items.map((item) => JSON.stringify(item));
  return items.filter((_, index) => texts.indexOf(texts[index] ?? '') === index);
}
