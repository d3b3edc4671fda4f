import { ApiError } from './errors.ts';
import { types } from './resources.ts';
import type { NewObject, Store } from './store.ts';

/**
 * What a real API server lets in no pod with: its admission plugins ServiceAccount and Priority.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
 * @throws ApiError 403
 */
export function admitPod(store: Store, { metadata, ...pod }: NewObject): void {
  const { serviceAccountName: account, priorityClassName: priority } = pod['spec'] as Record<string, string | undefined>;
  const { namespace } = metadata;
  // The name that is made of generateName comes after admission.
  const shown = (metadata['generateName'] as string | undefined) ?? metadata.name;
  const refuse = (why: string): never => {
    throw new ApiError(403, 'Forbidden', `pods "${shown}" is forbidden: ${why}`, { name: shown, kind: 'pods' });
  };
  if (priority !== undefined && !['system-cluster-critical', 'system-node-critical'].includes(priority)) {
    refuse(`no PriorityClass with name ${priority} was found`);
  }
  if (account !== undefined && !store.get(types.serviceAccounts, namespace, account)) {
    refuse(`error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`);
  }
}
