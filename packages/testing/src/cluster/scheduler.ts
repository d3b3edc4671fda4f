import { Controller } from './controller.ts';
import { EventRecorder } from './events.ts';
import { timestamp, type Condition, type Pod, type Stored } from './objects.ts';
import { types } from './resources.ts';
import { amount } from './quantity.ts';
import type { Store } from './store.ts';

type Quantities = Record<string, number>;

/**
 * Puts pods on the node where what they ask for is free there, else says why not in the real scheduler's words
 * (kube-scheduler 1.35: plugins NodeName, TaintToleration, NodeAffinity, NodeResourcesFit).
 */
export function schedulePods(store: Store, onDefect: (error: unknown) => void): Controller {
  const events = new EventRecorder(store, 'default-scheduler');
  const waiting = (): Pod[] =>
    (store.list(types.pods) as Pod[]).filter(
      ({ spec, metadata }) => spec.nodeName === undefined && metadata.deletionTimestamp === undefined && !spec.schedulingGates?.length,
    );
  return new Controller(
    store,
    // Whatever changes on a pod or a node may make room.
    ({ type }) => (type === types.pods || type === types.nodes ? ['all'] : []),
    () => {
      for (const pod of waiting()) {
        const nodes = store.list(types.nodes);
        const verdicts = nodes.map((node) => ({ node, problems: fit(pod, node, onNode(store, node)) }));
        const free = verdicts.find(({ problems }) => problems.length === 0);
        if (free) bind(store, events, pod, free.node.metadata.name);
        else
          refuse(
            store,
            events,
            pod,
            nodes.length,
            verdicts.flatMap(({ problems }) => problems),
          );
      }
    },
    onDefect,
  );
}

function bind(store: Store, events: EventRecorder, pod: Pod, node: string): void {
  const { namespace, name } = pod.metadata;
  store.update<Pod>(types.pods, namespace, name, (copy) => {
    copy.spec.nodeName = node;
    setScheduled(copy, { type: 'PodScheduled', status: 'True' });
  });
  events.tell(pod, { type: 'Normal', reason: 'Scheduled', message: `Successfully assigned ${namespace}/${name} to ${node}` });
}

function refuse(store: Store, events: EventRecorder, pod: Pod, nodes: number, problems: Problem[]): void {
  const counts = new Map<string, number>();
  for (const { words } of problems) counts.set(words, (counts.get(words) ?? 0) + 1);
  const reasons = [...counts]
    .map(([words, count]) => `${count} ${words}`)
    .sort()
    .join(', ');
  const hopeless = problems.every(({ preemptible }) => !preemptible);
  const preemption = hopeless ? 'Preemption is not helpful for scheduling' : 'No preemption victims found for incoming pod';
  const message =
    nodes === 0
      ? 'no nodes available to schedule pods'
      : `0/${nodes} nodes are available: ${reasons}. no new claims to deallocate, preemption: 0/${nodes} nodes are available: ${nodes} ${preemption}.`;
  const before = pod.status.conditions?.find((condition) => condition.type === 'PodScheduled');
  if (before?.message === message) return;
  store.update<Pod>(types.pods, pod.metadata.namespace, pod.metadata.name, (copy) => {
    setScheduled(copy, { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message });
  });
  events.tell(pod, { type: 'Warning', reason: 'FailedScheduling', message });
}

function setScheduled(pod: Pod, condition: Condition): void {
  const others = pod.status.conditions?.filter(({ type }) => type !== 'PodScheduled') ?? [];
  pod.status.conditions = [...others, { ...condition, lastProbeTime: null, lastTransitionTime: timestamp() }];
}

interface Problem {
  words: string;
  /** Whether other pods would have to go. */
  preemptible: boolean;
}

function fit(pod: Pod, node: Stored, others: Pod[]): Problem[] {
  const spec = (node['spec'] ?? {}) as { taints?: { key: string; value?: string; effect: string }[]; unschedulable?: boolean };
  const never = (words: string): Problem[] => [{ words, preemptible: false }];
  if (spec.unschedulable) return never('node(s) were unschedulable');
  const taint = spec.taints?.find(({ effect, ...taint }) => effect !== 'PreferNoSchedule' && !tolerates(pod, { ...taint, effect }));
  if (taint) return never('node(s) had untolerated taint(s)');
  const labels = node.metadata.labels ?? {};
  if (Object.entries(pod.spec.nodeSelector ?? {}).some(([name, value]) => labels[name] !== value)) {
    return never("node(s) didn't match Pod's node affinity/selector");
  }
  const { allocatable } = node['status'] as { allocatable: Record<string, string> };
  const used: Quantities = {};
  for (const other of others) add(used, requestsOf(other));
  const problems: Problem[] = [];
  if (others.length + 1 > amount(allocatable['pods'] ?? '110')) problems.push({ words: 'Too many pods', preemptible: true });
  for (const [name, wanted] of Object.entries(requestsOf(pod))) {
    const total = amount(allocatable[name] ?? '0');
    if (wanted > total - (used[name] ?? 0)) problems.push({ words: `Insufficient ${name}`, preemptible: wanted <= total });
  }
  return problems;
}

function tolerates(pod: Pod, taint: { key: string; value?: string; effect: string }): boolean {
  return (pod.spec.tolerations ?? []).some(
    ({ key, operator = 'Equal', value = '', effect }) =>
      (effect === undefined || effect === taint.effect) &&
      (key === undefined ? operator === 'Exists' : key === taint.key && (operator === 'Exists' || value === (taint.value ?? ''))),
  );
}

function onNode(store: Store, node: Stored): Pod[] {
  return (store.list(types.pods) as Pod[]).filter(
    ({ spec, status }) => spec.nodeName === node.metadata.name && status.phase !== 'Succeeded' && status.phase !== 'Failed',
  );
}

/** What a pod asks for: the sum of its containers, or its largest init container where that is more. */
export function requestsOf(pod: Pod): Quantities {
  const of = (container: { resources?: { requests?: Record<string, string | number> } }): Quantities =>
    Object.fromEntries(Object.entries(container.resources?.requests ?? {}).map(([name, value]) => [name, amount(String(value))]));
  const sum: Quantities = {};
  for (const container of pod.spec.containers) add(sum, of(container));
  for (const container of pod.spec.initContainers ?? []) {
    for (const [name, value] of Object.entries(of(container))) sum[name] = Math.max(sum[name] ?? 0, value);
  }
  return sum;
}

function add(sum: Quantities, more: Quantities): void {
  for (const [name, value] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + value;
}
