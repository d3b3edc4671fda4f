import { numberParam, page, param, visible, type Routes } from '../http/api.ts';
import { notFound } from '../http/refusal.ts';
import { showAccount } from '../views/account.ts';
import { showRepository } from '../views/repository.ts';
import { nodeId } from '../views/account.ts';
import type { Role } from '../store.ts';

/** The legacy level of a role: https://docs.github.com/rest/collaborators/collaborators#get-repository-permissions-for-a-user */
const legacy: Record<Role, 'none' | 'read' | 'write' | 'admin'> = {
  none: 'none',
  read: 'read',
  triage: 'read',
  write: 'write',
  maintain: 'write',
  admin: 'admin',
};

export function repositoryRoutes(routes: Routes): void {
  routes.repository('GET', '', [], 'repos/repos#get-a-repository', ({ urls, store, repository }) => ({
    status: 200,
    json: showRepository(urls, store, repository),
  }));

  // Undocumented, and octokit and many actions use it: a name can change hands, an id cannot.
  routes.add('GET', '/repositories/:id', 'repos/repos#get-a-repository', (call) => {
    const repository = visible(call, call.store.repositories.get(numberParam(call, 'id')));
    return { status: 200, json: showRepository(call.urls, call.store, repository) };
  });

  routes.repository(
    'GET',
    '/collaborators/:username/permission',
    [],
    'collaborators/collaborators#get-repository-permissions-for-a-user',
    (call) => {
      const { store, urls, repository } = call;
      const account = store.accounts.get(param(call, 'username').toLowerCase());
      if (!account) throw notFound();
      // Of a public repository everybody may read.
      const role = repository.roles.get(account.login.toLowerCase()) ?? (repository.private ? 'none' : 'read');
      return { status: 200, json: { permission: legacy[role], role_name: role, user: showAccount(urls, account) } };
    },
  );

  // Who pushed what and when, as the server saw it. https://docs.github.com/rest/repos/repos#list-repository-activities
  routes.repository('GET', '/activity', ['contents=read'], 'repos/repos#list-repository-activities', (call) => {
    const { query, repository, urls } = call;
    const ref = query.get('ref');
    const wanted = ref === null ? undefined : ref.startsWith('refs/') ? ref : `refs/heads/${ref}`;
    const type = query.get('activity_type');
    const actor = query.get('actor');
    const items = repository.activity.filter(
      (one) =>
        (wanted === undefined || one.ref === wanted) &&
        (type === null || one.type === type) &&
        (actor === null || one.actor.login.toLowerCase() === actor.toLowerCase()),
    );
    if (query.get('direction') !== 'asc') items.reverse();
    return page(call, items, (one) => ({
      id: one.id,
      node_id: nodeId('Push', one.id),
      before: one.before,
      after: one.after,
      ref: one.ref,
      timestamp: one.at,
      activity_type: one.type,
      actor: showAccount(urls, one.actor),
    }));
  });
}
