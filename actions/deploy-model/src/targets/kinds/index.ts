import { ActionError } from '@slashtrain/core/action/errors';
import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { groupOf, kindNameOf } from '../before.ts';
import { deploymentKind, statefulSetKind } from './deployment.ts';
import { inferenceServiceKind } from './inference-service.ts';
import { knativeServiceKind } from './knative-service.ts';
import { conditionOf, progressing, ready, type ServingKind } from './serving-kind.ts';

const known: readonly ServingKind[] = [deploymentKind, statefulSetKind, inferenceServiceKind, knativeServiceKind];

/** Kinds of a condition `Ready` that is about their newest form. */
const byCondition: ReadonlyMap<string, { type: string; operator: string }> = new Map([
  ['LLMInferenceService.serving.kserve.io', { type: 'Ready', operator: 'KServe' }],
  ['InferenceGraph.serving.kserve.io', { type: 'Ready', operator: 'KServe' }],
]);

/** Kinds that are what they are as soon as they are there. */
const inert: ReadonlySet<string> = new Set([
  'Service',
  'ConfigMap',
  'Secret',
  'ServiceAccount',
  'PersistentVolumeClaim',
  'HorizontalPodAutoscaler.autoscaling',
  'PodDisruptionBudget.policy',
  'NetworkPolicy.networking.k8s.io',
  'Ingress.networking.k8s.io',
  'HTTPRoute.gateway.networking.k8s.io',
  'ServiceMonitor.monitoring.coreos.com',
  'PodMonitor.monitoring.coreos.com',
  'ServingRuntime.serving.kserve.io',
]);

/** What is known of a kind, for objects of one deploy. */
export type KindsFor = (object: KubernetesObject) => ServingKind;

/**
 * Finds out where objects of these kinds are on this cluster.
 * @param rules by `Kind.group`: the condition that says ready, or `none`
 * @throws ActionError `not-found` that names what brings a kind; `unsupported` for one without a rule
 */
export async function kindsFor(
  objects: readonly KubernetesObject[],
  rules: ReadonlyMap<string, string>,
  client: KubernetesClient,
): Promise<KindsFor> {
  const found = new Map<string, ServingKind>();
  for (const object of objects) {
    const name = kindNameOf(object);
    const key = `${object.apiVersion}/${object.kind}`;
    if (found.has(key)) continue;
    const rule = rules.get(name);
    const ours = rule === undefined ? known.find(({ resource }) => isOf(object, resource)) : undefined;
    const condition = rule ?? byCondition.get(name)?.type;
    const operator = ours?.operator ?? byCondition.get(name)?.operator;
    if (!ours && condition === undefined && !inert.has(name)) {
      throw new ActionError('unsupported', `when a ${name} is ready is not known`, {
        remedy: `say it by the input "readiness": "${name}: Ready" for a condition of that name, or "${name}: none"`,
      });
    }
    const resource = await resourceOf(object, client, operator);
    found.set(
      key,
      ours ? { ...ours, resource } : { resource, ready: condition === undefined || condition === 'none' ? () => ready : byRule(condition) },
    );
  }
  return (object) => {
    const kind = found.get(`${object.apiVersion}/${object.kind}`);
    if (!kind) throw new ActionError('internal', `nothing is known of ${object.apiVersion} ${object.kind}`);
    return kind;
  };
}

function byRule(type: string): ServingKind['ready'] {
  return (object) => {
    const { generation = 0 } = object.metadata as { generation?: number };
    const { observedGeneration } = (object['status'] ?? {}) as { observedGeneration?: number };
    if (observedGeneration !== undefined && observedGeneration < generation)
      return progressing('NotObserved', 'its controller has not seen it yet');
    const condition = conditionOf(object, type);
    if (condition?.status === 'True') return ready;
    return progressing(condition?.reason ?? 'NotReady', condition?.message ?? `it has no condition "${type}" yet`);
  };
}

function isOf({ apiVersion, kind }: KubernetesObject, resource: Resource): boolean {
  return groupOf({ apiVersion }) === resource.group && kind === resource.kind;
}

async function resourceOf(
  { apiVersion, kind }: KubernetesObject,
  client: KubernetesClient,
  operator: string | undefined,
): Promise<Resource> {
  const group = groupOf({ apiVersion });
  const version = group ? (apiVersion.split('/')[1] ?? '') : apiVersion;
  const served = await client.discover(group, version);
  const resource = served?.find((one) => one.kind === kind);
  if (resource) return resource;
  throw new ActionError('not-found', `${client.server} does not have the kind ${kind} (${apiVersion})`, {
    remedy:
      operator === undefined
        ? 'install what brings it, or deploy a kind that this cluster has'
        : `install ${operator} on the cluster, or set another "target"`,
  });
}
