import type { GitHub } from './client.ts';
import { isNotFound } from './failures.ts';

/** What a person may do in a repository, least first. */
export const permissions = ['none', 'read', 'triage', 'write', 'maintain', 'admin'] as const;
export type Permission = (typeof permissions)[number];

/** Whether `held` is enough where `needed` is asked for. */
export function allows(held: Permission, needed: Permission): boolean {
  return permissions.indexOf(held) >= permissions.indexOf(needed);
}

/**
 * A person's permission, by the collaborator API: `author_association` lies for private members. Fails closed: what is not
 * known is `none`, and what cannot be asked is thrown. A custom role counts as the role that it is built on.
 * https://docs.github.com/rest/collaborators/collaborators#get-repository-permissions-for-a-user
 * @param who with the id of the event, so that a login which changed hands is not somebody else's right; without one where
 * GitHub tells the login alone, as of who runs a workflow again
 */
export async function readPermission(github: GitHub, who: { login: string; id?: number }): Promise<Permission> {
  const data = await github.rest.repos
    .getCollaboratorPermissionLevel({ ...github.at, username: who.login })
    .then((response) => response.data)
    .catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  if (!data?.user || (who.id !== undefined && data.user.id !== who.id)) return 'none';
  const known = (name: string): Permission | undefined => permissions.find((permission) => permission === name);
  // `permission` knows four levels alone: triage is "read" there and maintain "write".
  return known(data.role_name) ?? known(data.permission) ?? 'none';
}
