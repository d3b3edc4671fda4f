import type { KubernetesObject } from '@slashtrain/core/kinds/kind';

/** What the cluster has now, with status. */
export class Before {
  readonly #objects: readonly KubernetesObject[];

  constructor(objects: readonly KubernetesObject[] = []) {
    this.#objects = objects;
  }

  get all(): readonly KubernetesObject[] {
    return this.#objects;
  }

  of(wanted: KubernetesObject): KubernetesObject | undefined {
    return this.#objects.find((one) => isSameObject(one, wanted));
  }
}

/** Same group, kind, namespace and name; versions may differ. */
export function isSameObject(one: KubernetesObject, other: KubernetesObject): boolean {
  return (
    groupOf(one) === groupOf(other) &&
    one.kind === other.kind &&
    one.metadata.name === other.metadata.name &&
    one.metadata.namespace === other.metadata.namespace
  );
}

/** `apps` of `apps/v1`, empty of `v1`. */
export function groupOf({ apiVersion }: Pick<KubernetesObject, 'apiVersion'>): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

/** `Deployment.apps`, `Service`. */
export function kindNameOf(object: Pick<KubernetesObject, 'apiVersion' | 'kind'>): string {
  const group = groupOf(object);
  return group ? `${object.kind}.${group}` : object.kind;
}

/** `Deployment/digits`, for people. */
export function titleOf({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.name ?? ''}`;
}
