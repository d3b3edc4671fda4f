import { ActionError } from '../action/errors.ts';
import { fieldsIn, isFields, listIn, needFields, type Fields } from './fields.ts';
import { parameterValues } from './kfp-parameters.ts';
import type { Container, EnvVar, Kind, KubernetesObject, PodSettings, PodTemplate } from './kind.ts';
import { variablesFor } from './pods.ts';

/**
 * A run of Kubeflow Pipelines, as an object of our own form, since it is none of Kubernetes: `spec.pipelineSpec` and
 * `spec.platformSpec` are the documents that `kfp` compiles
 * (https://github.com/kubeflow/pipelines/blob/2.17.0/api/v2alpha1/pipeline_spec.proto), beside them what the API takes.
 */
export const kfpRun: Kind = {
  resource: { group: 'kfp', version: 'v2beta1', plural: 'runs', kind: 'Run' },
  operator: 'Kubeflow Pipelines',
  // Each task's pod has one, by the kubelet; the run as a whole has none.
  deadlineBy: 'pods',
  kueue: 'none',
  // A ConfigMap, the record, has the same name; Kubeflow Pipelines itself takes longer ones.
  nameLimit: 63,
  podTemplates: (object) => executorsOf(object).map(templateOf),
  setParameters(object, given) {
    const spec = specOf(object);
    const values = parameterValues(needFields('pipeline', object, 'spec', 'pipelineSpec'), given);
    if (Object.keys(values).length > 0) spec['parameters'] = values;
  },
  setPods,
  setQueue() {
    throw new ActionError('unsupported', 'input "queue" was given, and Kubeflow Pipelines has no queue for a run', {
      remedy: 'put a label kueue.x-k8s.io/queue-name on the tasks, with kfp.kubernetes.add_pod_label',
    });
  },
  setDeadline(object, seconds) {
    for (const { label } of executorsOf(object)) {
      const platform = platformOf(object, label);
      const own = Number(platform['activeDeadlineSeconds'] ?? Infinity);
      platform['activeDeadlineSeconds'] = own > 0 ? Math.min(own, seconds) : seconds;
    }
  },
  // Runs stay in its database until somebody deletes them.
  setTtl: () => undefined,
  // The backend asks the API, and says what it answers: there is no object in a cluster.
  status: () => ({ state: 'unknown' }),
  podSelector: ({ metadata }) => `pipeline/runid=${metadata.uid ?? ''}`,
  helperContainers: new Set(['init', 'wait', 'kfp-launcher']),
  cancel: { how: 'delete' },
};

/** Whether a reference or a record's kind is a run of Kubeflow Pipelines. */
export function isKfp({ plural, group }: { plural: string; group: string }): boolean {
  return plural === kfpRun.resource.plural && group === kfpRun.resource.group;
}

/** A program of a pipeline: what one of its tasks runs. */
interface Executor {
  label: string;
  container: Fields;
}

function specOf(object: KubernetesObject): Fields {
  return needFields('pipeline', object, 'spec');
}

function executorsOf(object: KubernetesObject): Executor[] {
  // What the API says of a run that was made has none.
  const pipeline = fieldsIn(fieldsIn(object, 'spec'), 'pipelineSpec');
  const executors = fieldsIn(fieldsIn(pipeline, 'deploymentSpec'), 'executors') ?? {};
  return Object.entries(executors).flatMap(([label, executor]) => {
    const container = fieldsIn(executor, 'container');
    return container ? [{ label, container }] : [];
  });
}

/** A program as a container of a pod: its image can be written. It is named as its component: `exec-train` is `train`. */
function templateOf({ label, container: fields }: Executor): PodTemplate {
  const container: Container = {
    name: label.replace(/^exec-/u, ''),
    get image() {
      return typeof fields['image'] === 'string' ? fields['image'] : '';
    },
    set image(value: string) {
      fields['image'] = value;
    },
  };
  return { path: `deploymentSpec.executors.${label}`, template: { spec: { containers: [container] } } };
}

/**
 * The settings of one program for Kubernetes
 * (https://github.com/kubeflow/pipelines/blob/2.17.0/kubernetes_platform/proto/kubernetes_executor_config.proto), made where
 * there are none.
 */
function platformOf(object: KubernetesObject, label: string): Fields {
  let fields = specOf(object);
  for (const key of ['platformSpec', 'platforms', 'kubernetes', 'deploymentSpec', 'executors', label]) {
    const inner = fieldsIn(fields, key) ?? {};
    fields[key] = inner;
    fields = inner;
  }
  return fields;
}

function setPods(object: KubernetesObject, settings: PodSettings): void {
  const { secrets, priorityClass, resources, serviceAccount, labels, nodeSelector = {}, tolerations = [] } = settings;
  if (secrets.length > 0) throw noPlace('env-from-secret with a whole Secret', 'name each variable: WANDB_API_KEY: wandb/api-key');
  if (priorityClass !== undefined) throw noPlace('priority-class', 'leave it out');
  if (resources && Object.keys(resources).some((key) => key !== 'gpuResource')) {
    throw noPlace('gpus, cpu or memory', 'say it in the pipeline: task.set_accelerator_limit(1), task.set_memory_limit("16G")');
  }
  if (serviceAccount !== undefined) specOf(object)['serviceAccountName'] = serviceAccount;
  for (const { label, container } of executorsOf(object)) {
    const own = listIn(container, 'env').flatMap((one): EnvVar[] => (typeof one['name'] === 'string' ? [one as unknown as EnvVar] : []));
    const variables = variablesFor(own, settings);
    container['env'] = variables.filter(({ valueFrom }) => valueFrom === undefined);
    const platform = platformOf(object, label);
    const metadata = fieldsIn(platform, 'podMetadata') ?? {};
    platform['podMetadata'] = { ...metadata, labels: { ...fieldsIn(metadata, 'labels'), ...labels } };
    const fromSecrets = variables.flatMap(secretAsEnv);
    if (fromSecrets.length > 0) platform['secretAsEnv'] = [...listIn(platform, 'secretAsEnv'), ...fromSecrets];
    if (Object.keys(nodeSelector).length > 0) {
      const selector = fieldsIn(platform, 'nodeSelector') ?? {};
      platform['nodeSelector'] = { ...selector, labels: { ...fieldsIn(selector, 'labels'), ...nodeSelector } };
    }
    if (tolerations.length > 0) platform['tolerations'] = [...listIn(platform, 'tolerations'), ...tolerations];
  }
}

function secretAsEnv({ name, valueFrom }: EnvVar): Fields[] {
  const reference = fieldsIn(valueFrom, 'secretKeyRef');
  if (!isFields(reference)) return [];
  return [{ secretName: reference['name'], keyToEnv: [{ secretKey: reference['key'], envVar: name }] }];
}

function noPlace(input: string, remedy: string): ActionError {
  return new ActionError('unsupported', `input ${input} was given, and a run of Kubeflow Pipelines has no place for it`, { remedy });
}
