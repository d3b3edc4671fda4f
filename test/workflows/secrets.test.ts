import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import http, { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { formsOf } from '@slashtrain/core/action/scrub';
import { runBundle } from '@slashtrain/testing/bundle/bundle';
import { parse } from 'yaml';
import type { Subject, Ways } from '../faults/subject.ts';
import { build } from '../faults/subjects/build-image.ts';
import { cancel } from '../faults/subjects/cancel-runs.ts';
import { chatops } from '../faults/subjects/chatops-parse.ts';
import { deploy } from '../faults/subjects/deploy-model.ts';
import { fetchMlflow, fetchRun } from '../faults/subjects/fetch-metrics.ts';
import { report } from '../faults/subjects/report-pr.ts';
import { submit } from '../faults/subjects/submit-pipeline.ts';
import { sync } from '../faults/subjects/sync-runs.ts';
import { wait } from '../faults/subjects/wait-for-run.ts';
import { openWorld, type World } from '../faults/world.ts';
import { unique } from '../support/targets.ts';

/*
 * Secrets in inputs, environment and kubeconfig, and a server that quotes them in an answer that is a refusal: they appear in no
 * output, file, comment, check or error, neither as they are nor encoded.
 */
let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const planted = (name: string): string => `${name}-${randomBytes(12).toString('hex')}`;

/** A server before another one that answers one request with a refusal, in whose words everything stands that it could know. */
async function quoting(target: string, isMeant: (method: string, path: string) => boolean, words: () => string): Promise<Quoting> {
  let hasQuoted = false;
  const to = new URL(target);
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (!hasQuoted && isMeant(request.method ?? '', request.url ?? '')) {
      hasQuoted = true;
      request.resume();
      const message = `not like this: ${words()} ${request.headers.authorization ?? ''}`;
      const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: 'Invalid', code: 422, message };
      const body = JSON.stringify({ ...status, errors: [{ code: 'DENIED', message }], error_code: 'BAD_REQUEST' });
      return void response.writeHead(422, { 'content-type': 'application/json' }).end(body);
    }
    const onward = http.request({ host: to.hostname, port: to.port, method: request.method, path: request.url, headers: request.headers });
    onward.on('response', (from) => {
      response.writeHead(from.statusCode ?? 502, from.headers);
      response.flushHeaders();
      from.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  };
  const server: Server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hasQuoted: () => hasQuoted,
    close: async () => {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Quoting {
  url: string;
  hasQuoted(): boolean;
  close(): Promise<void>;
}

/** Everything in a folder's files, with their names. */
function textsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((name) => {
    const file = join(folder, name);
    // What the runner itself wrote there.
    return statSync(file).isFile() && !name.includes('_github_workflow') ? [name, readFileSync(file, 'utf8')] : [];
  });
}

describe('secrets appear nowhere, where a server quotes them to', () => {
  it.each<[string, Subject, 'github' | 'kubernetes' | 'registry' | 'mlflow', (method: string, path: string) => boolean]>([
    ['chatops-parse', chatops, 'github', (_, path) => path.includes('/permission')],
    ['build-image', build, 'registry', (_, path) => path.includes('/manifests/')],
    ['submit-pipeline', submit, 'kubernetes', (method) => method === 'POST'],
    ['wait-for-run', wait, 'kubernetes', (_, path) => path.includes('/jobs')],
    ['cancel-runs', cancel, 'kubernetes', (method) => method === 'DELETE'],
    ['sync-runs', sync, 'kubernetes', (_, path) => path.includes('/jobs')],
    ['fetch-metrics', fetchRun, 'kubernetes', (_, path) => path.includes('/configmaps')],
    ['fetch-metrics, MLflow', fetchMlflow, 'mlflow', () => true],
    ['report-pr', report, 'github', (method, path) => method === 'POST' && path.includes('check-runs')],
    ['deploy-model', deploy, 'kubernetes', (method, path) => method === 'PATCH' && path.includes('/deployments')],
  ])('%s', async (_, subject, server, isMeant) => {
    const secrets: string[] = [];
    const secret = (name: string): string => {
      secrets.push(planted(name));
      return secrets.at(-1) ?? '';
    };
    const tracker = secret('mlflow');
    const env = { MLFLOW_TRACKING_TOKEN: tracker, AWS_SECRET_ACCESS_KEY: secret('aws'), ACTIONS_RUNTIME_TOKEN: secret('runtime') };
    const kubeconfig = parse(world.cluster.kubeconfig) as {
      clusters: { cluster: object }[];
      users: { name: string; user: object }[];
    };
    const tokens = kubeconfig.users.map(({ user }) => (user as { token: string }).token);
    const exec = { command: 'x', env: [{ name: 'A_TOKEN', value: secret('exec') }] };
    kubeconfig.users.push({ name: 'other', user: { username: 'somebody', password: secret('password'), exec } });
    const ofCluster = [...tokens, ...secrets.slice(-2)];
    secrets.push(...tokens);
    // What the action signs in with, here or elsewhere. Of what it never reads no server can know.
    const known = subject === fetchMlflow ? [tracker] : subject === chatops || subject === build ? [] : [...ofCluster];
    const words = (): string => known.flatMap((one) => [...formsOf(one), `{"a":${JSON.stringify(one)}}`]).join(' ');
    const quote = await quoting(world.addresses[server], isMeant, words);
    if (server === 'kubernetes') for (const { cluster } of kubeconfig.clusters) Object.assign(cluster, { server: quote.url });
    const ways: Ways = {
      github: server === 'github' ? quote.url : world.addresses.github,
      kubeconfig: JSON.stringify(kubeconfig),
      registry: server === 'registry' ? new URL(quote.url).host : world.registry.host,
      mlflow: server === 'mlflow' ? quote.url : world.addresses.mlflow,
    };
    const name = unique('secret');
    const repository = world.github.createRepository({ owner: 'acme', name });
    const prepared = await subject.prepare({ world, ways, repository, namespace: name });
    const { token } = prepared.run.github;
    secrets.push(token);
    known.push(token);
    world.github.requests.length = 0;
    const result = await runBundle({ ...prepared.run, env: { ...prepared.run.env, ...env } });
    await quote.close();

    expect(quote.hasQuoted()).toBe(true);
    const said: [string, string][] = [
      ['log', result.shown.replaceAll(/^::add-mask::.*$/gmu, '')],
      ...result.annotations.map(({ message }): [string, string] => ['annotation', message]),
      ['outputs', JSON.stringify(result.outputs)],
      ['summary', result.summary],
      ['state', JSON.stringify(result.state)],
      ...textsIn(result.temp).map((text): [string, string] => ['file', text]),
      ['requests to GitHub', JSON.stringify(world.github.requests.map(({ path, body }) => [path, body]))],
      ['comments and checks', JSON.stringify([...repository.data.comments.values(), ...repository.data.checkRuns.values()])],
    ];
    const found = secrets.flatMap((one) =>
      formsOf(one).flatMap((form) =>
        said.filter(([, text]) => text.includes(form)).map(([where]) => `${one.split('-')[0] ?? ''} as ${form} in ${where}`),
      ),
    );
    expect(found).toEqual([]);
    // It did say that something was wrong.
    expect(result.shown + result.summary).toMatch(/not like this|\*\*\*/u);
  });
});
