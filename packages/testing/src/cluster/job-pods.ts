import { defaultPod, generateName } from './defaults.ts';
import type { Job, Pod } from './objects.ts';
import type { NewObject } from './store.ts';

const indexKey = 'batch.kubernetes.io/job-completion-index';

/** A new pod of a Job; of an indexed one, for that index. */
export function podOf(job: Job, index: number | undefined): NewObject {
  const { name, namespace, uid } = job.metadata;
  const base = index === undefined ? `${name}-` : `${name}-${index}-`;
  const template = structuredClone(job.spec.template);
  const mark = index === undefined ? {} : { [indexKey]: String(index) };
  const annotations = { ...template.metadata?.annotations, ...mark };
  const pod: NewObject = {
    metadata: {
      ...template.metadata,
      labels: { ...template.metadata?.labels, ...mark },
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      name: generateName(base),
      generateName: base,
      namespace: namespace!,
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true, blockOwnerDeletion: true }],
    },
    spec: template.spec,
  };
  if (index !== undefined) {
    template.spec['hostname'] ??= `${name}-${index}`;
    const fieldRef = { apiVersion: 'v1', fieldPath: `metadata.labels['${indexKey}']` };
    for (const container of [...(template.spec.initContainers ?? []), ...(template.spec.containers ?? [])]) {
      container.env = [...(container.env ?? []), { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef } }];
    }
  }
  defaultPod(pod);
  return pod;
}

export function indexOf(pod: Pod): number {
  return Number(pod.metadata.labels?.[indexKey]);
}

/** The indexes that failed more often than each may. */
export function failedIndexes({ spec }: Job, pods: readonly Pod[]): number[] {
  const { backoffLimitPerIndex: limit } = spec;
  if (limit === undefined) return [];
  const failures = new Map<number, number>();
  for (const pod of pods) {
    if (pod.status.phase === 'Failed') failures.set(indexOf(pod), (failures.get(indexOf(pod)) ?? 0) + 1);
  }
  return [...failures].filter(([, count]) => count > limit).map(([index]) => index);
}

/** How many pods are to run now. */
export function wanted({ spec, status }: Job, justSucceeded: number, active: number, failed: number): number {
  const succeeded = (status.succeeded ?? 0) + justSucceeded;
  // Without completions the first success says that the work is done: what runs may end, nothing is added.
  if (spec.completions === undefined) return succeeded > 0 ? active : spec.parallelism;
  return Math.max(0, Math.min(spec.parallelism, spec.completions - succeeded - failed));
}

/** The first indexes that neither run nor are done. */
export function freeIndexes(job: Job, active: Pod[], succeeded: Pod[], failed: readonly number[], count: number): number[] {
  const taken = new Set([...failed, ...readIndexes(job.status.completedIndexes), ...[...active, ...succeeded].map(indexOf)]);
  const all = Array.from({ length: job.spec.completions ?? 0 }, (_, index) => index);
  return all.filter((index) => !taken.has(index)).slice(0, count);
}

/** `0-2,5` @returns the numbers */
export function readIndexes(text = ''): number[] {
  return text
    .split(',')
    .filter(Boolean)
    .flatMap((part) => {
      const [first, last = first] = part.split('-').map(Number) as [number, number?];
      return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
    });
}

/** The other way round. */
export function writeIndexes(indexes: Iterable<number>): string {
  const runs: [number, number][] = [];
  for (const index of [...new Set(indexes)].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && last[1] === index - 1) last[1] = index;
    else runs.push([index, index]);
  }
  return runs
    .map(([first, last]) => (first === last ? `${first}` : last === first + 1 ? `${first},${last}` : `${first}-${last}`))
    .join(',');
}
