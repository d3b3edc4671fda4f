import { readFile } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Hono } from 'hono';
import type { GitHubOptions } from '../github/github.ts';
import type { RepositoryData, Store } from '../github/store.ts';
import type { WorkflowRun } from '../runner/result.ts';
import { checkPage, commitPage } from './check-page.ts';
import { deploymentsPage } from './deployments.ts';
import { markup, type Markup } from './markup.ts';
import { layout } from './layout.ts';
import { pullPage } from './pull-page.ts';
import { repositoryPage } from './repository-page.ts';
import { runPage } from './run-page.ts';

/** What the pages show. Both are read anew for every page. */
export interface PageData {
  store: Store;
  /** Workflow runs, oldest first. */
  runs: readonly WorkflowRun[];
}

/*
 * No page loads anything from elsewhere, runs a script of anybody's, or can be framed; a picture in a comment is not
 * fetched. A diagram's frame alone may use inline styles, and it is sandboxed.
 */
const pagePolicy =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const diagramPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; sandbox allow-scripts; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

const assets = join(import.meta.dirname, 'assets');
const mermaid = fileURLToPath(new URL('.', import.meta.resolve('mermaid')));
const types: Record<string, string> = {
  css: 'text/css',
  js: 'text/javascript',
  mjs: 'text/javascript',
  svg: 'image/svg+xml',
  html: 'text/html',
};

/** The pages of the fake GitHub as a handler: with its addresses, so that links in comments lead here. */
export function pages(data: PageData): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    const { headers } = context.res;
    if (!headers.has('content-security-policy')) headers.set('content-security-policy', pagePolicy);
    headers.set('x-content-type-options', 'nosniff');
    headers.set('referrer-policy', 'no-referrer');
    headers.set('cache-control', 'no-store');
  });
  addFiles(app);
  const find = (owner: string, name: string): RepositoryData | undefined => data.store.find(owner, name);

  app.get('/', (context) => context.html(repositoryPage([...data.store.repositories.values()], data.runs, false)));
  app.get('/:owner/:repo', (context) => {
    const repository = find(context.req.param('owner'), context.req.param('repo'));
    return repository ? context.html(repositoryPage([repository], data.runs, true)) : context.notFound();
  });
  app.get('/:owner/:repo/pull/:number{[0-9]+}', (context) => {
    const repository = find(context.req.param('owner'), context.req.param('repo'));
    const issue = repository?.issues.get(Number(context.req.param('number')));
    const live = data.runs.some((run) => run.status !== 'completed');
    return repository && issue?.pull ? context.html(pullPage(repository, issue, live)) : context.notFound();
  });
  app.get('/:owner/:repo/runs/:id{[0-9]+}', (context) => {
    const repository = find(context.req.param('owner'), context.req.param('repo'));
    const check = repository?.checkRuns.get(Number(context.req.param('id')));
    return repository && check ? context.html(checkPage(repository, check)) : context.notFound();
  });
  app.get('/:owner/:repo/commit/:sha', (context) => {
    const repository = find(context.req.param('owner'), context.req.param('repo'));
    const commit = repository?.git.commits.get(context.req.param('sha'));
    return repository && commit ? context.html(commitPage(repository, commit)) : context.notFound();
  });
  app.get('/:owner/:repo/deployments', (context) => {
    const repository = find(context.req.param('owner'), context.req.param('repo'));
    return repository ? context.html(deploymentsPage(repository)) : context.notFound();
  });
  app.get('/:owner/:repo/actions/runs/:id{[0-9]+}', (context) => {
    const { owner, repo, id } = context.req.param();
    const run = data.runs.find((one) => one.id === Number(id));
    return run ? context.html(runPage(`${owner}/${repo}`, run)) : context.notFound();
  });
  return app;
}

function missing(): Markup {
  return layout({
    title: 'Not found',
    path: [{ name: 'Repositories', to: '/' }, { name: 'Not found' }],
    body: markup`<h1>There is nothing here</h1>`,
  });
}

function addFiles(app: Hono): void {
  const send = async (path: string, policy?: string): Promise<Response> => {
    const body = await readFile(path);
    const type = types[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
    // A sandboxed frame has no origin of its own, so that its modules come from another one.
    const headers = { 'content-type': `${type}; charset=utf-8`, 'access-control-allow-origin': '*' };
    return new Response(body, { headers: { ...headers, ...(policy !== undefined && { 'content-security-policy': policy }) } });
  };
  for (const file of ['page.css', 'page.js', 'diagram.css', 'diagram.js', 'icon.svg'])
    app.get(`/-/${file}`, () => send(join(assets, file)));
  app.get('/-/diagram', () => send(join(assets, 'diagram.html'), diagramPolicy));
  app.get('/-/vendor/github-markdown.css', () => send(fileURLToPath(import.meta.resolve('github-markdown-css/github-markdown.css'))));
  app.get('/-/vendor/mermaid/*', (context) => {
    const file = normalize(join(mermaid, context.req.path.slice('/-/vendor/mermaid/'.length)));
    return file.startsWith(mermaid) && file.endsWith('.mjs') ? send(file) : context.notFound();
  });
}

/** For startGitHub's option `pages`: beside the API, on the same address. */
export function withPages(runs: readonly WorkflowRun[]): NonNullable<GitHubOptions['pages']> {
  return (app, store) => {
    app.route('/', pages({ store, runs }));
    app.notFound((context) => context.html(missing(), 404));
  };
}
