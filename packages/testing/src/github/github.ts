import { createAdaptorServer } from '@hono/node-server';
import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Hono } from 'hono';
import type { Urls } from './http/api.ts';
import { makeApp, type Bindings } from './http/app.ts';
import { Disturbances, type Disturbance } from './limits.ts';
import { Repository, type FileChanges } from './repository.ts';
import { newRepository, Store, type Access, type Account, type App, type RecordedRequest } from './store.ts';

export type { Repository } from './repository.ts';

export interface GitHubOptions {
  /** Milliseconds since 1970. With a clock of one's own, SHAs are the same each time. */
  now?: () => number;
  /** Requests an hour and token: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#primary-rate-limit-for-github_token-in-github-actions */
  hourlyLimit?: number;
  /** Adds pages for people beside the API, on the same address. */
  pages?: (app: Hono<{ Bindings: Bindings }>, store: Store, urls: Urls) => void;
}

export interface TokenOptions {
  /** The App that it is issued for; GitHub Actions' own where not given, as a GITHUB_TOKEN. */
  app?: App;
  /** The one repository that it is for. */
  repository?: Repository;
}

/** A small GitHub on a port of this machine. */
export interface FakeGitHub {
  /** The server's address, e.g. `http://127.0.0.1:1234`. API and GraphQL are below it as on a GitHub Enterprise Server. */
  readonly url: string;
  readonly apiUrl: string;
  readonly graphqlUrl: string;
  readonly store: Store;
  /** Every request, in the order of the answers. */
  readonly requests: RecordedRequest[];
  /** GitHub Actions, whose installation tokens are GITHUB_TOKENs. */
  readonly actions: App;
  /** Issues an installation token with permissions as a job has them: `{ 'pull-requests': 'write' }`. */
  token(permissions: Record<string, Access>, options?: TokenOptions): string;
  createApp(slug: string, name?: string): App;
  /** A team of an organisation, with members by login. A token needs `members: read` to see it. */
  createTeam(org: string, slug: string, members: string[]): void;
  user(login: string, type?: Account['type']): Account;
  /** A private one, unless said otherwise: there a missing `read` is refused too. With a first commit of `files`. */
  createRepository(options: { owner: string; name: string; private?: boolean; defaultBranch?: string; files?: FileChanges }): Repository;
  /** Disturbs the next matching requests: rate limits, 5xx, lost answers. */
  disturb(disturbance: Disturbance): void;
  close(): Promise<void>;
}

/** Starts a GitHub on a free port of 127.0.0.1. What it does not know it refuses with 501, naming method and path. */
export async function startGitHub(options: GitHubOptions = {}): Promise<FakeGitHub> {
  const store = new Store(options.now ?? Date.now);
  const disturbances = new Disturbances();
  // The ids of the real ones: https://api.github.com/apps/github-actions
  const bot = store.account('github-actions[bot]', 'Bot', 41898282);
  const actions: App = { id: 15368, slug: 'github-actions', name: 'GitHub Actions', bot };
  store.apps.set(actions.id, actions);

  const urls: Urls = { server: '', api: '', graphql: '' };
  const app = makeApp({ store, urls, disturbances, hourlyLimit: options.hourlyLimit ?? 1000 });
  options.pages?.(app, store, urls);
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  await new Promise<void>((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  urls.server = `http://127.0.0.1:${port}`;
  urls.api = `${urls.server}/api/v3`;
  urls.graphql = `${urls.server}/api/graphql`;

  return {
    url: urls.server,
    apiUrl: urls.api,
    graphqlUrl: urls.graphql,
    store,
    requests: store.requests,
    actions,
    token: (permissions, { app: issuer = actions, repository } = {}) => {
      const value = `ghs_${randomBytes(18).toString('hex')}`;
      const held = new Map(Object.entries(permissions).map(([name, access]) => [name.replaceAll('-', '_'), access]));
      store.tokens.set(value, { value, app: issuer, permissions: held, repositoryId: repository?.id, used: 0 });
      return value;
    },
    createApp: (slug, name = slug) => {
      const made: App = { id: store.nextId(), slug, name, bot: store.account(`${slug}[bot]`, 'Bot') };
      store.apps.set(made.id, made);
      return made;
    },
    createTeam: (org, slug, members) => {
      store.teams.set(`${org}/${slug}`.toLowerCase(), new Set(members.map((login) => login.toLowerCase())));
    },
    user: (login, type = 'User') => store.account(login, type),
    createRepository: ({ owner, name, private: isPrivate = true, defaultBranch = 'main', files = { 'README.md': `# ${name}\n` } }) => {
      if (store.find(owner, name)) throw new Error(`${owner}/${name} exists`);
      const data = newRepository(store, owner, name, isPrivate, defaultBranch);
      store.repositories.set(data.id, data);
      const repository = new Repository(store, urls, data);
      repository.commit({ files, message: 'First commit' });
      return repository;
    },
    disturb: (disturbance) => disturbances.add(disturbance),
    close: () =>
      new Promise((done, fail) => {
        server.close((error) => (error ? fail(error) : done()));
        server.closeAllConnections();
      }),
  };
}
