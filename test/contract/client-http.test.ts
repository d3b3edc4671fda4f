import { mkdtempSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describe as words } from '@slashtrain/core/action/errors';
import { openKubernetes, type AccessOptions } from '@slashtrain/core/kubernetes/access';
import { configMaps, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { systemTiming } from '@slashtrain/core/kubernetes/timing';
import { jumpingTime, keptLog, kubeconfigFor } from '../support/kubernetes.ts';
import { failure, hangUp, json, ScriptedServer, stall } from '../support/scripted-server.ts';

/* One request against a server that does not behave: what is tried again, how often, and what is said in the end. */

let server: ScriptedServer;
let time: ReturnType<typeof jumpingTime>;
beforeEach(async () => {
  server = await ScriptedServer.start();
  time = jumpingTime();
});
afterEach(() => server.stop());

function open(more: Partial<AccessOptions> = {}): Promise<KubernetesClient> {
  return openKubernetes({ kubeconfig: kubeconfigFor(server.url), environment: {}, log: keptLog(), timing: time, ...more });
}

const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'ml', resourceVersion: '7' } };
const ok = json(200, object);
const exists = failure(409, 'AlreadyExists', 'configmaps "a" already exists', { name: 'a' });
const missing = failure(404, 'NotFound', 'configmaps "a" not found', { name: 'a' });

const thrown = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
  } catch (error) {
    return words(error);
  }
  throw new Error('nothing was thrown');
};

describe('a read', () => {
  it.each([
    ['429 with Retry-After', failure(429, 'TooManyRequests', 'slow', {}, { 'retry-after': '7' }), [7_000]],
    ['429 without', failure(429, 'TooManyRequests'), [125]],
    ['500', failure(500, 'InternalError'), [125]],
    ['503 of a proxy', json(503, 'no backend'), [125]],
    ['a connection that is closed without an answer', hangUp, [125]],
  ])('is tried again after %s', async (_, step, pauses) => {
    server.script(step, ok);
    expect(await (await open()).get(configMaps, 'ml', 'a')).toEqual(object);
    expect(time.pauses).toEqual(pauses);
  });

  it('is not tried again longer than the budget: 10 s at a server that has never answered, else 60 s', async () => {
    server.otherwise = hangUp;
    const client = await open();
    const message = await thrown(client.get(configMaps, 'ml', 'a'));
    expect(message).toContain(
      `the Kubernetes API server ${server.url} (context test) cannot be reached: socket hang up; check the server's address`,
    );
    const first = time.pauses.reduce((sum, pause) => sum + pause, 0);
    expect(first).toBeGreaterThan(5_000);
    expect(first).toBeLessThanOrEqual(10_000);

    server.script(ok);
    await client.get(configMaps, 'ml', 'a');
    time.pauses.length = 0;
    await thrown(client.get(configMaps, 'ml', 'a'));
    const later = time.pauses.reduce((sum, pause) => sum + pause, 0);
    expect(later).toBeGreaterThan(50_000);
    expect(later).toBeLessThanOrEqual(60_000);
  });

  it('does not wait when the server asks for more than the budget', async () => {
    server.script(failure(429, 'TooManyRequests', 'later', {}, { 'retry-after': '3600' }));
    expect(await thrown((await open()).get(configMaps, 'ml', 'a'))).toContain('cannot get configmaps "a" in namespace ml now: 429 later');
    expect(time.pauses).toEqual([]);
  });

  it('is tried for 2 s at most once the runner wants us to end', async () => {
    server.otherwise = hangUp;
    const hurry = new AbortController();
    hurry.abort();
    await thrown((await open({ signal: hurry.signal })).get(configMaps, 'ml', 'a'));
    expect(time.pauses.reduce((sum, pause) => sum + pause, 0)).toBeLessThanOrEqual(2_000);
  });

  it('ends soon at a server that takes requests and is silent, once the runner wants us to end', async () => {
    server.otherwise = stall;
    const hurry = new AbortController();
    const client = await open({ signal: hurry.signal, timing: systemTiming });
    const message = thrown(client.get(configMaps, 'ml', 'a'));
    hurry.abort();
    // Without the hurry it would be 30 s a try.
    expect(await message).toContain('the server was silent for too long');
  }, 10_000);

  it('says nothing but undefined of an object that is not there, and more of a kind that is not', async () => {
    server.script(missing, (response) => void response.writeHead(404).end('404 page not found\n'));
    const client = await open();
    expect(await client.get(configMaps, 'ml', 'a')).toBeUndefined();
    expect(await thrown(client.get({ group: 'kubeflow.org', version: 'v1', plural: 'tfjobs', kind: 'TFJob' }, 'ml', 'a'))).toBe(
      `${server.url} does not know tfjobs.kubeflow.org in kubeflow.org/v1; install the operator that brings this kind`,
    );
  });

  it('says so where something else answers', async () => {
    server.script((response) => void response.writeHead(200).end('<html>Sign in</html>'));
    expect(await thrown((await open()).get(configMaps, 'ml', 'a'))).toContain(
      'not answer as a Kubernetes API server: "<html>Sign in</html>"',
    );
  });

  it('names the address that refuses', async () => {
    const { url } = server;
    const client = await open();
    await server.stop();
    expect(await thrown(client.get(configMaps, 'ml', 'a'))).toContain(`connect ECONNREFUSED ${new URL(url).host}`);
    server = await ScriptedServer.start();
  });

  it('encodes names from outside', async () => {
    server.script(missing);
    await (await open()).get(configMaps, 'ml', '../../x?y#z');
    expect(server.seen[0]?.path).toBe('/api/v1/namespaces/ml/configmaps/..%2F..%2Fx%3Fy%23z');
  });
});

describe('a list', () => {
  const page = (names: string[], next?: string): ReturnType<typeof json> =>
    json(200, {
      items: names.map((name) => ({ metadata: { name } })),
      metadata: { resourceVersion: '9', ...(next ? { continue: next } : {}) },
    });

  it('takes all pages, and gives each item its kind', async () => {
    server.script(page(['a', 'b'], 'token'), page(['c']));
    const { items, resourceVersion } = await (await open()).list(configMaps, 'ml', { labelSelector: 'a=b' });
    expect(items.map(({ kind, metadata }) => `${kind} ${metadata.name ?? ''}`)).toEqual(['ConfigMap a', 'ConfigMap b', 'ConfigMap c']);
    expect(resourceVersion).toBe('9');
    expect(server.seen.map(({ query }) => query.toString())).toEqual([
      'labelSelector=a%3Db&limit=500',
      'labelSelector=a%3Db&limit=500&continue=token',
    ]);
  });

  it('starts again in one piece when its pages expire in the middle', async () => {
    server.script(page(['a'], 'token'), failure(410, 'Expired'), page(['b', 'c']));
    const { items } = await (await open()).list(configMaps, 'ml');
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['b', 'c']);
    expect(server.seen[2]?.query.toString()).toBe('');
  });
});

describe('a write', () => {
  it.each([
    ['a lost answer', hangUp],
    ['500', failure(500, 'InternalError')],
  ])('that creates by name is tried again after %s, and the name is then taken', async (_, step) => {
    server.script(step, exists);
    expect(await (await open()).create(configMaps, object)).toBeUndefined();
    expect(server.seen).toHaveLength(2);
  });

  it('that leaves the name to the server is not sent twice', async () => {
    server.script(hangUp);
    const nameless = { ...object, metadata: { namespace: 'ml', generateName: 'a-' } };
    expect(await thrown((await open()).create(configMaps, nameless))).toContain('cannot be reached: socket hang up');
    expect(server.seen).toHaveLength(1);
  });

  it('that leaves the name to the server is sent again when it was refused for now', async () => {
    server.script(failure(429, 'TooManyRequests', 'x', {}, { 'retry-after': '1' }), ok);
    const nameless = { ...object, metadata: { namespace: 'ml', generateName: 'a-' } };
    expect(await (await open()).create(configMaps, nameless)).toEqual(object);
  });

  it('asks for strict fields and, when it is dry, that nothing is made', async () => {
    server.script(ok);
    await (await open()).create(configMaps, object, { dryRun: true });
    expect(Object.fromEntries(server.seen[0]?.query ?? [])).toEqual({
      fieldManager: 'slashtrain',
      fieldValidation: 'Strict',
      dryRun: 'All',
    });
  });

  it('that holds for another version is undone by nobody', async () => {
    server.script(failure(409, 'Conflict', 'the object has been modified', { name: 'a' }));
    expect(await (await open()).patch(configMaps, 'ml', 'a', { metadata: { resourceVersion: '1' } })).toBeUndefined();
    expect(server.seen[0]?.headers['content-type']).toBe('application/merge-patch+json');
  });

  it.each([
    { what: 'is gone', step: missing, expected: false },
    { what: 'is another now', step: failure(409, 'Conflict', 'Precondition failed: UID', { name: 'a' }), expected: false },
    { what: 'goes', step: json(200, { kind: 'Status', status: 'Success' }), expected: true },
  ])('that deletes what $what says $expected', async ({ step, expected }) => {
    server.script(step);
    expect(await (await open()).delete(configMaps, 'ml', 'a', { uid: 'u-1', graceSeconds: 3 })).toBe(expected);
    expect(JSON.parse(server.seen[0]?.body ?? '')).toMatchObject({
      propagationPolicy: 'Background',
      preconditions: { uid: 'u-1' },
      gracePeriodSeconds: 3,
    });
  });
});

describe('a log', () => {
  it.each([
    ['the pod has no node', (response: ServerResponse) => void response.writeHead(204).end(), 'the pod a has no node yet'],
    [
      'the container waits',
      failure(400, 'BadRequest', 'container "main" in pod "a" is waiting to start: PodInitializing'),
      'is waiting to start: PodInitializing',
    ],
    ['the pod is gone', failure(404, 'NotFound', 'pods "a" not found', { name: 'a' }), 'there is no pods/log "a" in namespace ml'],
  ])('that is not there is not-found: %s', async (_, step, message) => {
    server.script(step);
    const lines = (await open()).log('ml', 'a', { container: 'main' }, new AbortController().signal)[Symbol.asyncIterator]();
    await expect(lines.next()).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining(message) });
  });
});

describe('credentials', () => {
  // An exec plugin as a program (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins):
  // its first token is token-1, its second token-2.
  function plugin(program: string): object {
    const folder = mkdtempSync(join(tmpdir(), 'slashtrain-plugin-'));
    const file = join(folder, 'plugin.cjs');
    writeFileSync(file, `const file = ${JSON.stringify(join(folder, 'count'))};\n${program}`);
    return { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [file], interactiveMode: 'Never' } };
  }
  const counting = `
    const fs = require('node:fs');
    const count = fs.existsSync(file) ? Number(fs.readFileSync(file)) + 1 : 1;
    fs.writeFileSync(file, String(count));
    const { spec } = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
    console.log(JSON.stringify({ kind: 'ExecCredential', status: { token: 'token-' + count + '-' + spec.interactive } }));`;
  const unauthorized = failure(401, 'Unauthorized', 'Unauthorized');

  it('of an exec plugin are asked for once, and again after 401', async () => {
    server.script(ok, ok, unauthorized, ok);
    const log = keptLog();
    const client = await open({ kubeconfig: kubeconfigFor(server.url, plugin(counting)), log });
    for (let count = 0; count < 3; count += 1) await client.get(configMaps, 'ml', 'a');
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer token-1-false',
      'Bearer token-1-false',
      'Bearer token-1-false',
      'Bearer token-2-false',
    ]);
    expect(log.masks).toEqual(expect.arrayContaining(['token-1-false', 'token-2-false']));
    expect(time.pauses).toEqual([]);
  });

  it('that are refused twice are an error', async () => {
    server.script(unauthorized, unauthorized);
    expect(await thrown((await open()).get(configMaps, 'ml', 'a'))).toBe(
      `${server.url} does not accept the credentials of the context test: Unauthorized; renew the token or certificate in the kubeconfig`,
    );
    expect(server.seen).toHaveLength(2);
  });

  it('of a plugin that is not installed say so', async () => {
    const user = { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'kubelogin-that-is-not-there' } };
    expect(await thrown((await open({ kubeconfig: kubeconfigFor(server.url, user) })).get(configMaps, 'ml', 'a'))).toContain(
      'signs in to ' +
        server.url +
        ' with the program "kubelogin-that-is-not-there", which is not on this runner; install kubelogin-that-is-not-there in an earlier step',
    );
    expect(server.seen).toEqual([]);
  });

  it('of a plugin that fails give its own words', async () => {
    const user = plugin('console.error("no AWS credentials found"); process.exit(1);');
    expect(await thrown((await open({ kubeconfig: kubeconfigFor(server.url, user) })).get(configMaps, 'ml', 'a'))).toContain(
      'failed: no AWS credentials found',
    );
  });
});
