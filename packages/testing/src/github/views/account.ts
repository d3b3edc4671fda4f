import type { components } from '@octokit/openapi-types';
import type { Urls } from '../http/api.ts';
import type { Account, App } from '../store.ts';

type Schemas = components['schemas'];

/** GitHub's global ids are opaque; ours say what they are. */
export function nodeId(type: string, id: number | string): string {
  return Buffer.from(`${type}:${id}`).toString('base64');
}

export function showAccount(urls: Urls, account: Account): Schemas['simple-user'] {
  const url = `${urls.api}/users/${encodeURIComponent(account.login)}`;
  return {
    login: account.login,
    id: account.id,
    node_id: nodeId(account.type, account.id),
    avatar_url: `${urls.server}/_avatars/${account.id}`,
    gravatar_id: '',
    url,
    html_url: account.type === 'Bot' ? `${urls.server}/apps/${account.login.replace(/\[bot\]$/u, '')}` : `${urls.server}/${account.login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: account.type,
    user_view_type: 'public',
    site_admin: false,
  };
}

export function showApp(urls: Urls, app: App): NonNullable<Schemas['nullable-integration']> {
  return {
    id: app.id,
    slug: app.slug,
    node_id: nodeId('Integration', app.id),
    owner: showAccount(urls, { id: 9919, login: 'github', type: 'Organization' }),
    name: app.name,
    description: '',
    external_url: urls.server,
    html_url: `${urls.server}/apps/${app.slug}`,
    created_at: '2018-07-30T09:30:17Z',
    updated_at: '2019-12-10T19:04:12Z',
    permissions: {},
    events: [],
  };
}
