import { fullName, type RepositoryData, type Store, type Token } from '../store.ts';
import type { Body } from './fields.ts';
import { notFound, Refusal } from './refusal.ts';

/** Where the fake GitHub is, as a GitHub Enterprise Server would be. */
export interface Urls {
  /** e.g. `http://127.0.0.1:1234`: pages. */
  server: string;
  /** `…/api/v3` */
  api: string;
  graphql: string;
}

/** What a route gets. */
export interface Call {
  store: Store;
  urls: Urls;
  token: Token;
  params: ReadonlyMap<string, string>;
  query: URLSearchParams;
  body: Body;
  headers: Headers;
  /** The request's address without its query. */
  address: string;
}

/** What a route under `/repos/{owner}/{repo}` gets. */
export interface RepositoryCall extends Call {
  repository: RepositoryData;
}

export interface Reply {
  status: number;
  /** Absent: no body. */
  json?: unknown;
  bytes?: Buffer;
  headers?: Record<string, string>;
}

/** A permission of an installation token, as in `X-Accepted-GitHub-Permissions`. Any one of a route's is enough. */
export type Need = `${string}=${'read' | 'write'}`;

interface Route {
  method: string;
  pattern: RegExp;
  names: string[];
  documentation: string;
  handle: (call: Call) => Reply | Promise<Reply>;
}

/**
 * A list of routes with the permission that each needs, by
 * https://docs.github.com/rest/authentication/permissions-required-for-github-apps.
 */
export class Routes {
  readonly #routes: Route[] = [];

  /**
   * @param path a template; `:name` is one segment, `:name*` one or more
   * @param documentation the page below https://docs.github.com/rest/ whose rules it follows
   */
  add(method: string, path: string, documentation: string, handle: Route['handle']): void {
    const names: string[] = [];
    const pattern = path.replaceAll(/:([a-z]+)(\*?)/gu, (_, name: string, many: string) => {
      names.push(name);
      return many ? '(.+?)' : '([^/]+)';
    });
    this.#routes.push({ method, pattern: new RegExp(`^${pattern}$`, 'u'), names, documentation, handle });
  }

  /** A route of a repository. `path` is what follows `/repos/{owner}/{repo}`. */
  repository(
    method: string,
    path: string,
    needs: readonly Need[],
    documentation: string,
    handle: (call: RepositoryCall) => Reply | Promise<Reply>,
  ): void {
    this.add(method, `/repos/:owner/:repo${path}`, documentation, (call) => {
      const repository = visible(call, call.store.find(param(call, 'owner'), param(call, 'repo')));
      permit(call, repository, needs);
      return handle({ ...call, repository });
    });
  }

  find(method: string, path: string): { route: Route; params: Map<string, string> } | undefined {
    for (const route of this.#routes) {
      const match = route.method === method ? route.pattern.exec(path) : null;
      if (match) return { route, params: new Map(route.names.map((name, index) => [name, decodeURIComponent(match[index + 1] ?? '')])) };
    }
    return undefined;
  }
}

export function param(call: Call, name: string): string {
  const value = call.params.get(name);
  if (value === undefined) throw new Error(`the route has no parameter ${name}`);
  return value;
}

/** A number in the path; anything else is not found. */
export function numberParam(call: Call, name: string): number {
  const value = param(call, name);
  if (!/^[0-9]+$/u.test(value)) throw notFound();
  return Number(value);
}

/** Another repository than the token's is not there, unless it is public. */
export function visible(call: Call, repository: RepositoryData | undefined): RepositoryData {
  const { repositoryId } = call.token;
  if (!repository || (repository.private && repositoryId !== undefined && repositoryId !== repository.id)) throw notFound();
  return repository;
}

/**
 * Refuses a token that lacks what the route needs. What is public may be read by every token, and nothing of another
 * repository may be written.
 */
export function permit(call: Call, repository: RepositoryData, needs: readonly Need[]): void {
  if (needs.length === 0) return;
  const own = call.token.repositoryId === undefined || call.token.repositoryId === repository.id;
  const held = needs.some((need) => {
    const [name = '', level] = need.split('=');
    if (level === 'read' && !repository.private) return true;
    const access = call.token.permissions.get(name);
    return own && (level === 'read' ? access !== undefined : access === 'write');
  });
  if (!held) {
    throw new Refusal(403, 'Resource not accessible by integration', { headers: { 'x-accepted-github-permissions': needs.join('; ') } });
  }
}

/**
 * One page of a list with the `Link` header
 * (https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api).
 */
export function page<T>(call: Call, items: readonly T[], show: (item: T) => unknown): Reply {
  const { items: some, headers } = paginate(call, items);
  return { status: 200, json: some.map(show), headers };
}

/** Like {@link page}, for lists that stand in an object with their number. */
export function countedPage<T>(call: Call, name: string, items: readonly T[], show: (item: T) => unknown): Reply {
  const { items: some, headers } = paginate(call, items);
  return { status: 200, json: { total_count: items.length, [name]: some.map(show) }, headers };
}

function paginate<T>(call: Call, items: readonly T[]): { items: readonly T[]; headers: Record<string, string> } {
  const whole = (name: string, fallback: number): number => {
    const value = Number(call.query.get(name) ?? fallback);
    return Number.isSafeInteger(value) && value > 0 ? value : fallback;
  };
  const size = Math.min(whole('per_page', 30), 100);
  const number = whole('page', 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const link = (to: number, relation: string): string => {
    const query = new URLSearchParams(call.query);
    query.set('page', String(to));
    return `<${call.address}?${query.toString()}>; rel="${relation}"`;
  };
  const links = [
    ...(number > 1 ? [link(number - 1, 'prev')] : []),
    ...(number < last ? [link(number + 1, 'next'), link(last, 'last')] : []),
    ...(number > 1 ? [link(1, 'first')] : []),
  ];
  return {
    items: items.slice((number - 1) * size, number * size),
    headers: links.length > 0 ? { link: links.join(', ') } : {},
  };
}

/** The address of something in a repository. */
export function repositoryUrl(urls: Urls, repository: RepositoryData): string {
  return `${urls.api}/repos/${fullName(repository)}`;
}
