import type { components } from '@octokit/openapi-types';
import { repositoryUrl, type Urls } from '../http/api.ts';
import { fullName, type RepositoryData, type Store } from '../store.ts';
import { nodeId, showAccount } from './account.ts';

type Full = components['schemas']['full-repository'];

/** The fields that are asked for; of the `*_url` templates only those in use. */
export type ShownRepository = Partial<Full> &
  Pick<Full, 'id' | 'name' | 'full_name' | 'owner' | 'private' | 'default_branch' | 'fork' | 'url'>;

export function showRepository(urls: Urls, store: Store, repository: RepositoryData): ShownRepository {
  const url = repositoryUrl(urls, repository);
  const html = `${urls.server}/${fullName(repository)}`;
  const parent = repository.parentId === undefined ? undefined : store.repositories.get(repository.parentId);
  return {
    id: repository.id,
    node_id: nodeId('Repository', repository.id),
    name: repository.name,
    full_name: fullName(repository),
    private: repository.private,
    visibility: repository.private ? 'private' : 'public',
    owner: showAccount(urls, repository.owner),
    html_url: html,
    description: null,
    fork: repository.parentId !== undefined,
    url,
    archive_url: `${url}/{archive_format}{/ref}`,
    branches_url: `${url}/branches{/branch}`,
    collaborators_url: `${url}/collaborators{/collaborator}`,
    comments_url: `${url}/comments{/number}`,
    commits_url: `${url}/commits{/sha}`,
    compare_url: `${url}/compare/{base}...{head}`,
    contents_url: `${url}/contents/{+path}`,
    deployments_url: `${url}/deployments`,
    issues_url: `${url}/issues{/number}`,
    pulls_url: `${url}/pulls{/number}`,
    statuses_url: `${url}/statuses/{sha}`,
    clone_url: `${html}.git`,
    created_at: repository.createdAt,
    updated_at: repository.createdAt,
    pushed_at: repository.activity.at(-1)?.at ?? repository.createdAt,
    default_branch: repository.defaultBranch,
    archived: false,
    disabled: false,
    allow_squash_merge: true,
    allow_merge_commit: true,
    allow_rebase_merge: true,
    // The full object has them alone; one level is enough, a parent's parent is never read.
    ...(parent ? { parent: { id: parent.id, full_name: fullName(parent) } as NonNullable<Full['parent']> } : {}),
  };
}
