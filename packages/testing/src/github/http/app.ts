import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { rateLimitExceeded, refusalOf, type Disturbances } from '../limits.ts';
import { checkRoutes } from '../routes/checks.ts';
import { codeload, contentRoutes } from '../routes/contents.ts';
import { commentRoutes } from '../routes/comments.ts';
import { commitRoutes } from '../routes/commits.ts';
import { deploymentRoutes } from '../routes/deployments.ts';
import { gitRoutes } from '../routes/git.ts';
import { graphql, userRoutes } from '../routes/graphql.ts';
import { issueRoutes } from '../routes/issues.ts';
import { pullRoutes } from '../routes/pulls.ts';
import { repositoryRoutes } from '../routes/repositories.ts';
import { reviewRoutes } from '../routes/reviews.ts';
import { statusRoutes } from '../routes/statuses.ts';
import type { Store, Token } from '../store.ts';
import { permit, Routes, visible, type Call, type Reply, type Urls } from './api.ts';
import type { Body } from './fields.ts';
import { Refusal } from './refusal.ts';

export type Bindings = HttpBindings;

interface Server {
  store: Store;
  urls: Urls;
  disturbances: Disturbances;
  /** Requests an hour and token. */
  hourlyLimit: number;
}

/** GitHub's API as an HTTP application. */
export function makeApp(server: Server): Hono<{ Bindings: Bindings }> {
  const { store, urls } = server;
  const routes = allRoutes();
  const app = new Hono<{ Bindings: Bindings }>();

  /** Answers one request: token, limits, disturbances, route, and a record of it. */
  const answer = async (
    request: Request,
    path: string,
    bindings: Bindings,
    handle: (call: Call) => Reply | Promise<Reply>,
  ): Promise<Response> => {
    const url = new URL(request.url);
    const disturbance = server.disturbances.take(request.method, path);
    const text = await request.text();
    const recorded = {
      method: request.method,
      path: path + url.search,
      status: 0,
      body: parse(text),
      actor: undefined as string | undefined,
    };
    store.requests.push(recorded);
    const cut = (): Response => {
      bindings.incoming.socket.destroy();
      return new Response(null, { status: 500 });
    };
    if (disturbance?.kind === 'cut' && !disturbance.done) return cut();
    let token: Token | undefined;
    const documentation = { page: '' };
    const respond = (reply: Reply): Response => {
      if (disturbance?.kind === 'cut') return cut();
      recorded.status = reply.status;
      return toResponse(reply, { ...rateHeaders(token, server, store.now()), 'x-github-request-id': String(store.requests.length) });
    };
    try {
      token = authenticate(store, request.headers.get('authorization') ?? url.searchParams.get('token'));
      recorded.actor = token.app.bot.login;
      if (++token.used > server.hourlyLimit) throw rateLimitExceeded(resetTime(store.now()));
      const refusal = disturbance && refusalOf(disturbance, store.now());
      if (refusal) throw refusal;
      if (recorded.body === unreadable) throw new Refusal(400, 'Problems parsing JSON');
      const found = routes.find(request.method, path);
      documentation.page = found?.route.documentation ?? '';
      return respond(
        await handle({
          store,
          urls,
          token,
          params: found?.params ?? new Map<string, string>(),
          query: url.searchParams,
          body: (recorded.body ?? {}) as Body,
          headers: request.headers,
          address: `${urls.api}${path}`,
        }),
      );
    } catch (error) {
      if (error instanceof Refusal) return respond(toError(error, documentation.page));
      throw error;
    }
  };

  app.all('/api/v3/*', (context) => {
    const path = new URL(context.req.url).pathname.slice('/api/v3'.length);
    return answer(context.req.raw, path, context.env, (call) => {
      const found = routes.find(context.req.method, path);
      if (!found) throw new Refusal(501, `This GitHub does not know ${context.req.method} ${path}`);
      return found.route.handle(call);
    });
  });
  app.post('/api/graphql', (context) => answer(context.req.raw, '/graphql', context.env, graphql));
  app.get('/_codeload/:owner/:repo/legacy.tar.gz/:ref', (context) =>
    answer(context.req.raw, new URL(context.req.url).pathname, context.env, (call) => {
      const repository = visible(call, store.find(context.req.param('owner'), context.req.param('repo')));
      permit(call, repository, ['contents=read']);
      return codeload({ ...call, repository }, context.req.param('ref'));
    }),
  );
  app.onError((error) => {
    // A defect of this fake: say so instead of something that an action might try again.
    console.error(error);
    return Response.json({ message: `the fake GitHub failed: ${error.message}` }, { status: 501 });
  });
  return app;
}

function allRoutes(): Routes {
  const routes = new Routes();
  for (const add of [
    repositoryRoutes,
    contentRoutes,
    gitRoutes,
    checkRoutes,
    statusRoutes,
    commitRoutes,
    commentRoutes,
    issueRoutes,
    reviewRoutes,
    pullRoutes,
    deploymentRoutes,
    userRoutes,
  ])
    add(routes);
  return routes;
}

/** https://docs.github.com/rest/authentication/authenticating-to-the-rest-api */
function authenticate(store: Store, header: string | null): Token {
  if (!header) throw new Refusal(401, 'Requires authentication');
  const token = store.tokens.get(header.replace(/^(token|bearer) /iu, ''));
  if (!token) throw new Refusal(401, 'Bad credentials');
  return token;
}

function rateHeaders(token: Token | undefined, server: Server, now: number): Record<string, string> {
  if (!token) return {};
  return {
    'x-ratelimit-limit': String(server.hourlyLimit),
    'x-ratelimit-remaining': String(Math.max(0, server.hourlyLimit - token.used)),
    'x-ratelimit-used': String(token.used),
    'x-ratelimit-reset': String(resetTime(now)),
    'x-ratelimit-resource': 'core',
  };
}

function resetTime(now: number): number {
  return Math.floor(now / 1000) + 3600;
}

const unreadable = Symbol('no JSON');

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return unreadable;
  }
}

/** https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api */
function toError(refusal: Refusal, page: string): Reply {
  return {
    status: refusal.status,
    json: {
      message: refusal.message,
      ...(refusal.errors ? { errors: refusal.errors } : {}),
      documentation_url: `https://docs.github.com/rest/${page}`.replace(/\/$/u, ''),
      status: String(refusal.status),
    },
    headers: refusal.headers,
  };
}

function toResponse(reply: Reply, headers: Record<string, string>): Response {
  const all = { ...headers, ...reply.headers };
  if (reply.bytes) return new Response(new Uint8Array(reply.bytes), { status: reply.status, headers: all });
  if (reply.json === undefined) return new Response(null, { status: reply.status, headers: all });
  return new Response(JSON.stringify(reply.json), {
    status: reply.status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...all },
  });
}
