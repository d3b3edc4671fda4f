import { ActionError } from '../action/errors.ts';
import type { Kind } from '../kinds/kind.ts';
import type { Kinds } from '../kinds/registry.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { RunReference } from '../run/reference.ts';

/**
 * The kind of a run reference in the version that the server has: a reference names none.
 * @throws ActionError `unsupported` for a kind that is not known
 */
export async function servedKind(
  client: KubernetesClient,
  { plural, group }: Pick<RunReference, 'plural' | 'group'>,
  kinds: Kinds,
): Promise<Kind> {
  const [first, ...others] = kinds.ofReference(plural, group);
  if (!first) throw new ActionError('unsupported', `${plural}.${group} is not a kind of run that this version knows`);
  for (const kind of others.length > 0 ? [first, ...others] : []) {
    const resources = await client.discover(group, kind.resource.version);
    if (resources?.some((one) => one.plural === plural)) return kind;
  }
  return first;
}
