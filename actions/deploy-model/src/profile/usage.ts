import { messageOf } from '@slashtrain/core/action/errors';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { nodes, pods, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { Pod } from '@slashtrain/core/kubernetes/pod';
import { parseQuantity } from '@slashtrain/core/policy/gpus';

/** What a container of a pod uses at one moment. */
export interface Usage {
  pod: string;
  container: string;
  /** Over the last seconds, as whoever measures it takes them. */
  cores: number;
  /** The working set, by which the kubelet evicts. */
  bytes: number;
}

/** Where usage is read, in the order in which it is tried. */
export type UsageSource = 'metrics.k8s.io' | 'kubelet';

/** A look at what pods use. `problems` says why a source gave nothing. */
export interface UsageLook {
  source?: UsageSource;
  usage: Usage[];
  problems: string[];
}

const podMetrics = { group: 'metrics.k8s.io', version: 'v1beta1', plural: 'pods', kind: 'PodMetrics' };

/** Looks at what the pods of a selector use: by the metrics API, else by each node's kubelet through the API server. */
export async function lookAtUsage(client: KubernetesClient, namespace: string, selector: string): Promise<UsageLook> {
  const problems: string[] = [];
  try {
    const { items } = await client.list(podMetrics, namespace, { labelSelector: selector });
    if (items.length > 0) return { source: 'metrics.k8s.io', usage: items.flatMap(usageOfMetrics), problems };
    problems.push('the metrics API knows nothing of these pods yet');
  } catch (error) {
    problems.push(messageOf(error));
  }
  try {
    const { items } = await client.list<Pod>(pods, namespace, { labelSelector: selector });
    const names = new Set(items.map(({ metadata }) => metadata.name ?? ''));
    const places = new Set(items.flatMap(({ spec }) => (spec?.nodeName === undefined ? [] : [spec.nodeName])));
    const summaries = await Promise.all(
      [...places].map((node) =>
        client.read(`/api/v1/nodes/${encodeURIComponent(node)}/proxy/stats/summary`, { resource: nodes, subresource: 'proxy', name: node }),
      ),
    );
    const usage = summaries.flatMap((summary) => usageOfSummary(summary, namespace, names));
    if (usage.length > 0) return { source: 'kubelet', usage, problems };
    problems.push('the kubelet knows nothing of these pods yet');
  } catch (error) {
    problems.push(messageOf(error));
  }
  return { usage: [], problems };
}

/** Of a PodMetrics object (https://github.com/kubernetes/metrics/blob/v0.36.3/pkg/apis/metrics/v1beta1/types.go). */
export function usageOfMetrics(object: KubernetesObject): Usage[] {
  const containers = (object['containers'] ?? []) as { name?: string; usage?: { cpu?: unknown; memory?: unknown } }[];
  return containers.flatMap(({ name = '', usage }) => {
    const [cores, bytes] = [coresOf(usage?.cpu), parseQuantity(usage?.memory)];
    return cores === undefined || bytes === undefined ? [] : [{ pod: object.metadata.name ?? '', container: name, cores, bytes }];
  });
}

/** `123456789n` and `250u` are written by the metrics API alone. */
function coresOf(cpu: unknown): number | undefined {
  const match = /^(\d+)([nu])$/u.exec(typeof cpu === 'string' ? cpu : '');
  return match ? Number(match[1]) / (match[2] === 'n' ? 1e9 : 1e6) : parseQuantity(cpu);
}

/** Of a kubelet's summary (https://github.com/kubernetes/kubernetes/blob/v1.36.3/staging/src/k8s.io/kubelet/pkg/apis/stats/v1alpha1/types.go). */
export function usageOfSummary(summary: unknown, namespace: string, names: ReadonlySet<string>): Usage[] {
  const pods = listIn<PodStats>((summary as { pods?: unknown } | null)?.pods);
  return pods
    .filter(({ podRef }) => podRef?.namespace === namespace && names.has(podRef.name ?? ''))
    .flatMap(({ podRef, containers }) =>
      listIn<ContainerStats>(containers).flatMap(({ name = '', cpu, memory }) =>
        typeof cpu?.usageNanoCores !== 'number' || typeof memory?.workingSetBytes !== 'number'
          ? []
          : [{ pod: podRef?.name ?? '', container: name, cores: cpu.usageNanoCores / 1e9, bytes: memory.workingSetBytes }],
      ),
    );
}

/** The objects of what should be a list of them: a kubelet's answer comes through others' hands. */
function listIn<T extends object>(value: unknown): T[] {
  return Array.isArray(value) ? value.filter((one): one is T => typeof one === 'object' && one !== null) : [];
}

interface PodStats {
  podRef?: { name?: string; namespace?: string };
  containers?: unknown;
}

interface ContainerStats {
  name?: string;
  cpu?: { usageNanoCores?: number };
  memory?: { workingSetBytes?: number };
}
