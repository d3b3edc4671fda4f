import type { Call, Reply, Routes } from '../http/api.ts';
import { text } from '../http/fields.ts';
import { Refusal } from '../http/refusal.ts';
import { nodeId } from '../views/account.ts';

/**
 * The one query that the actions send: who the token is. https://docs.github.com/graphql/reference/queries#viewer
 * A GITHUB_TOKEN is `github-actions[bot]` there, while `GET /user` refuses it.
 */
export function graphql(call: Call): Reply {
  const query = (text(call.body, 'query') ?? '').replaceAll(/[\s,]+/gu, ' ').trim();
  const match = /^(?:query(?: \w+)? ?)?\{ ?viewer ?\{ ?((?:(?:login|databaseId|id|__typename) ?)+)\} ?\}$/u.exec(query);
  if (!match)
    throw new Refusal(501, `This GitHub answers no GraphQL but "viewer { login databaseId id }"; asked for: ${query.slice(0, 300)}`);
  const { bot } = call.token.app;
  const fields = new Map<string, unknown>([
    ['login', bot.login],
    ['databaseId', bot.id],
    ['id', nodeId('Bot', bot.id)],
    ['__typename', 'User'],
  ]);
  const wanted = (match[1] ?? '').trim().split(' ');
  return { status: 200, json: { data: { viewer: Object.fromEntries(wanted.map((name) => [name, fields.get(name)])) } } };
}

export function userRoutes(routes: Routes): void {
  // https://docs.github.com/rest/users/users#get-the-authenticated-user: not for installation tokens.
  routes.add('GET', '/user', 'users/users#get-the-authenticated-user', () => {
    throw new Refusal(403, 'Resource not accessible by integration');
  });

  routes.add('GET', '/rate_limit', 'rate-limit/rate-limit#get-rate-limit-status-for-the-authenticated-user', ({ token }) => {
    const core = { limit: 1000, used: token.used, remaining: Math.max(0, 1000 - token.used), reset: 0 };
    return { status: 200, json: { resources: { core }, rate: core } };
  });
}
