import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { titleOf } from '../targets/before.ts';

// What the server and its controllers write.
const noise = new Set(['managedFields', 'resourceVersion', 'uid', 'generation', 'creationTimestamp', 'selfLink']);

/** One place that differs. */
export interface Difference {
  /** `spec.replicas` */
  path: string;
  /** As JSON; absent: it was not there. */
  before?: string;
  after?: string;
}

/** Where two forms of an object differ, status and the server's own fields aside. */
export function differences(before: KubernetesObject | undefined, after: KubernetesObject | undefined): Difference[] {
  const found: Difference[] = [];
  compare(clean(before), clean(after), '', found);
  return found;
}

/** The part of an object that people write. */
export function clean(object: KubernetesObject | undefined): Record<string, unknown> | undefined {
  if (!object) return undefined;
  const { status: _, metadata, ...rest } = object;
  return { ...rest, metadata: Object.fromEntries(Object.entries(metadata).filter(([key]) => !noise.has(key))) };
}

function compare(before: unknown, after: unknown, path: string, found: Difference[]): void {
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  if (isMap(before) && isMap(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compare(before[key], after[key], path === '' ? key : `${path}.${key}`, found);
    }
    return;
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); index += 1) {
      compare(before[index] as unknown, after[index] as unknown, `${path}[${index}]`, found);
    }
    return;
  }
  found.push({
    path,
    ...(before === undefined ? {} : { before: JSON.stringify(before) }),
    ...(after === undefined ? {} : { after: JSON.stringify(after) }),
  });
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The differences of an object as a diff, for a fence. Values of Secrets are left out. */
export function diffText(before: KubernetesObject | undefined, after: KubernetesObject): string {
  const isSecret = after.kind === 'Secret' && after.apiVersion === 'v1';
  const show = (path: string, value: string): string => (isSecret && /^(data|stringData)\b/u.test(path) ? '***' : cut(value));
  if (!before) return `+ ${titleOf(after)} is new`;
  const all = differences(before, after);
  if (all.length === 0) return `  ${titleOf(after)} stays as it is`;
  const lines = all.flatMap(({ path, before: old, after: now }) => [
    ...(old === undefined ? [] : [`- ${path}: ${show(path, old)}`]),
    ...(now === undefined ? [] : [`+ ${path}: ${show(path, now)}`]),
  ]);
  return [`  ${titleOf(after)}`, ...lines].join('\n');
}

function cut(text: string): string {
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}
