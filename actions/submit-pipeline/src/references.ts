import { ActionError } from '@slashtrain/core/action/errors';
import type { Kind, KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';

// Templates that go on to others without end are a mistake, or worse.
const most = 50;

/**
 * Reads what a run's object refers to on the cluster, such as a WorkflowTemplate, and what that refers to in turn.
 * @throws ActionError `manifest` where something of it is not there
 */
export async function readReferenced(
  { object, kind }: { object: KubernetesObject; kind: Kind },
  client: KubernetesClient,
  namespace: string,
): Promise<KubernetesObject[]> {
  const found: KubernetesObject[] = [];
  for (;;) {
    const [next] = kind.elsewhere?.missing(object, found) ?? [];
    if (!next) return found;
    const { resource, name } = next;
    if (found.length === most) throw new ActionError('manifest', `the ${object.kind} refers to more than ${most} templates`);
    const one = await client.get(resource, resource.namespaced ? namespace : '', name);
    if (!one) {
      throw new ActionError(
        'manifest',
        `the ${object.kind} refers to the ${resource.kind} "${name}", which ${resource.namespaced ? `namespace ${namespace}` : 'the cluster'} does not have`,
        { remedy: 'make it there first, or correct the name' },
      );
    }
    found.push(one);
  }
}
