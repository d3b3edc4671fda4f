import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { deployLabels } from '@slashtrain/core/rollouts/rollout';
import type { Readiness, Serving } from '../../types.ts';
import { conditionOf, failed, progressing, ready, type ServingKind } from './serving-kind.ts';

interface Fields {
  spec?: { replicas?: number; selector?: { matchLabels?: Record<string, string> }; template?: Template };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    currentRevision?: string;
    updateRevision?: string;
  };
  metadata: { generation?: number };
}

interface Template {
  metadata?: { labels?: Record<string, string> };
  spec?: { containers?: { ports?: { containerPort: number }[] }[] };
}

// The API server's own refusals do not change by waiting. A webhook's may: it may be away, or judge by a cache that has not yet heard
// of the ReplicaSet (Kueue's does), and the controller asks again.
const finalWords = /\bis forbidden\b|\bexceeded quota\b|\bis invalid\b/u;

/**
 * As `kubectl rollout status` has it, and sooner where waiting is of no use
 * (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status).
 */
export function deploymentReady(object: KubernetesObject): Readiness {
  const { spec = {}, status = {}, metadata } = object as unknown as Fields;
  if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0))
    return progressing('NotObserved', 'its controller has not seen it yet');
  const progress = conditionOf(object, 'Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded')
    return failed('ProgressDeadlineExceeded', progress.message ?? '', 'look at its pods');
  const replicas = spec.replicas ?? 1;
  const { updatedReplicas: updated = 0, replicas: all = 0, availableReplicas: available = 0 } = status;
  const isDone = updated >= replicas && all <= updated && available >= updated;
  if (isDone) return ready;
  // Pods cannot be made at all: quota, admission, a missing service account.
  const replica = conditionOf(object, 'ReplicaFailure');
  if (replica?.status === 'True') {
    const { reason = 'FailedCreate', message = '' } = replica;
    if (finalWords.test(message)) return failed(reason, message, 'mend what forbids its pods, or have the quota raised');
    return progressing(reason, message);
  }
  return progressing('RollingOut', `${updated} of ${replicas} pods are new, ${available} available, ${all - updated} old`);
}

/** The pods of the template that stands in the object now. */
export function templatePodSelector(object: KubernetesObject): string | undefined {
  const { spec } = object as unknown as Fields;
  const revision = spec?.template?.metadata?.labels?.[deployLabels.revision];
  const labels = { ...spec?.selector?.matchLabels, ...(revision === undefined ? {} : { [deployLabels.revision]: revision }) };
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return pairs.length > 0 ? pairs.join(',') : undefined;
}

function serving(object: KubernetesObject, all: readonly KubernetesObject[]): Serving | undefined {
  const { spec } = object as unknown as Fields;
  const selector = templatePodSelector(object);
  const port = spec?.template?.spec?.containers?.flatMap(({ ports = [] }) => ports)[0]?.containerPort;
  if (selector === undefined || port === undefined) return undefined;
  const { namespace = '' } = object.metadata;
  const url = serviceUrl(spec?.template?.metadata?.labels ?? {}, namespace, all);
  return { how: 'pods', namespace, selector, port, ...(url === undefined ? {} : { url }) };
}

/** The address of the Service that leads to pods with these labels. */
function serviceUrl(labels: Record<string, string>, namespace: string, all: readonly KubernetesObject[]): string | undefined {
  for (const { apiVersion, kind, metadata, ...fields } of all) {
    if (apiVersion !== 'v1' || kind !== 'Service') continue;
    const { selector, ports = [] } = (fields['spec'] ?? {}) as { selector?: Record<string, string>; ports?: { port: number }[] };
    const leads = selector && Object.entries(selector).every(([key, value]) => labels[key] === value);
    const [first] = ports;
    if (leads && first) return `http://${metadata.name ?? ''}.${namespace}.svc${first.port === 80 ? '' : `:${first.port}`}`;
  }
  return undefined;
}

export const deploymentKind: ServingKind = {
  resource: { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment' },
  ready: deploymentReady,
  podSelector: templatePodSelector,
  serving,
};

export const statefulSetKind: ServingKind = {
  resource: { group: 'apps', version: 'v1', plural: 'statefulsets', kind: 'StatefulSet' },
  ready: (object) => {
    const { spec = {}, status = {}, metadata } = object as unknown as Fields;
    if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0))
      return progressing('NotObserved', 'its controller has not seen it yet');
    const { updatedReplicas: updated = 0, readyReplicas = 0 } = status;
    const replicas = spec.replicas ?? 1;
    if (updated >= replicas && readyReplicas >= replicas && status.currentRevision === status.updateRevision) return ready;
    return progressing('RollingOut', `${updated} of ${replicas} pods are new, ${readyReplicas} ready`);
  },
  podSelector: templatePodSelector,
  serving,
};
