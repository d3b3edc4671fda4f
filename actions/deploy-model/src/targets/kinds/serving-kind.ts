import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import type { Pod } from '@slashtrain/core/kubernetes/pod';
import type { Readiness, Serving } from '../../types.ts';

/** What of the cluster a rule may look at, beside the object. */
export interface View {
  /** Its Deployments, for a kind whose controller makes them; live. */
  children: readonly KubernetesObject[];
  /** The pods of its revision; live. Absent where they cannot be read. */
  pods?: readonly Pod[];
}

/** What is known of one kind of object that models are served with: pure. */
export interface ServingKind {
  readonly resource: Resource;
  /** What brings it to a cluster. */
  readonly operator?: string;
  /** How a live object stands. */
  ready(object: KubernetesObject, view: View): Readiness;
  /** Label selector of the Deployments that its controller makes. */
  childSelector?(object: KubernetesObject): string;
  /** Label selector of the pods of the object's own revision; absent: it has none. */
  podSelector?(object: KubernetesObject): string | undefined;
  /** Where it answers; absent: it does not. */
  serving?(object: KubernetesObject, all: readonly KubernetesObject[]): Serving | undefined;
}

/** One condition of an object's status. */
export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

/** The condition of a type. */
export function conditionOf(object: KubernetesObject, type: string): Condition | undefined {
  const status = object['status'] as { conditions?: Condition[] } | undefined;
  return status?.conditions?.find((condition) => condition.type === type);
}

export const ready: Readiness = { state: 'ready', reason: 'Ready', message: '' };

export function progressing(reason: string, message: string): Readiness {
  return { state: 'progressing', reason, message };
}

export function failed(reason: string, message: string, remedy?: string): Readiness {
  return { state: 'failed', reason, message, ...(remedy === undefined ? {} : { remedy }) };
}
