import { ActionError } from '../action/errors.ts';
import type { GitHub } from './client.ts';

/** Whom a token acts as. */
export interface Viewer {
  login: string;
  /** The id that comments of ours carry as their author. */
  id: number;
}

/**
 * Asks who we are. `GET /user` refuses a GITHUB_TOKEN with 403
 * (https://docs.github.com/rest/users/users#get-the-authenticated-user), GraphQL answers `github-actions[bot]`.
 */
export async function readViewer(github: GitHub): Promise<Viewer> {
  const { viewer } = await github.graphql<{ viewer: { login: string; databaseId: number | null } }>('{ viewer { login databaseId } }');
  if (typeof viewer.databaseId !== 'number') {
    throw new ActionError('unreachable', `GitHub does not say which id the token's account "${viewer.login}" has`);
  }
  return { login: viewer.login, id: viewer.databaseId };
}
