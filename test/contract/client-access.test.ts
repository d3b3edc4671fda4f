import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describe as words } from '@slashtrain/core/action/errors';
import { openKubernetes, type AccessOptions } from '@slashtrain/core/kubernetes/access';
import { configMaps, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { keptLog, kubeconfigFor } from '../support/kubernetes.ts';
import { json, ScriptedServer } from '../support/scripted-server.ts';

/* Which cluster is spoken to, as whom, and what is said where that is not clear. */

let server: ScriptedServer;
beforeAll(async () => {
  server = await ScriptedServer.start();
  server.otherwise = json(200, { metadata: { name: 'a' } });
});
afterAll(() => server.stop());

const folder = mkdtempSync(join(tmpdir(), 'slashtrain-access-'));
function file(name: string, text: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function open(options: Partial<AccessOptions>): Promise<KubernetesClient> {
  return openKubernetes({ environment: {}, log: keptLog(), serviceAccount: join(folder, 'no-service-account'), ...options });
}

async function refused(options: Partial<AccessOptions>): Promise<string> {
  try {
    await open(options);
  } catch (error) {
    return words(error);
  }
  throw new Error('it was accepted');
}

const two = (url = 'https://k:6443'): string =>
  JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: url } }],
    users: [{ name: 'u', user: { token: 'a-token' } }],
    contexts: [
      { name: 'staging', context: { cluster: 'c', user: 'u' } },
      { name: 'prod', context: { cluster: 'c', user: 'u', namespace: 'ml' } },
    ],
  });

describe('the cluster', () => {
  it('is the one of the input as content', async () => {
    const client = await open({ kubeconfig: kubeconfigFor('https://k:6443', {}, { context: { namespace: 'ml' } }) });
    expect([client.context, client.server, client.namespace]).toEqual(['test', 'https://k:6443', 'ml']);
  });

  it('is the one of the input as a path below the folder, before KUBECONFIG', async () => {
    file('input.yaml', kubeconfigFor('https://input:6443'));
    const other = file('other.yaml', kubeconfigFor('https://other:6443'));
    const client = await open({ kubeconfig: 'input.yaml', folder, environment: { KUBECONFIG: other } });
    expect([client.server, client.namespace]).toEqual(['https://input:6443', 'default']);
  });

  it('is the one of the first file of KUBECONFIG that says so, as kubectl merges them', async () => {
    const first = file(
      'first.yaml',
      JSON.stringify({ contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: 'first' } }] }),
    );
    const second = file('second.yaml', kubeconfigFor('https://second:6443'));
    const client = await open({ environment: { KUBECONFIG: [join(folder, 'absent.yaml'), first, second].join(delimiter) } });
    expect([client.server, client.namespace]).toEqual(['https://second:6443', 'first']);
  });

  it("is the pod's own where nothing else is named", async () => {
    const account = join(folder, 'account');
    mkdirSync(account);
    for (const [name, text] of [
      ['token', 'pod-token\n'],
      ['namespace', 'runners\n'],
      ['ca.crt', 'x'],
    ] as const)
      writeFileSync(join(account, name), text);
    const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    const client = await open({ environment, serviceAccount: account });
    expect([client.context, client.server, client.namespace]).toEqual(['in-cluster', 'https://[fd00::1]:443', 'runners']);
  });

  it('is never that of ~/.kube/config', async () => {
    expect(await refused({ environment: { HOME: folder } })).toBe(
      'no Kubernetes cluster is named; set the input "kubeconfig" to a path or to the content of a secret, or the environment variable KUBECONFIG, or use a runner inside the cluster',
    );
  });

  it('has the context and the namespace of the inputs', async () => {
    const client = await open({ kubeconfig: two(), context: 'prod', namespace: 'other' });
    expect([client.context, client.namespace]).toEqual(['prod', 'other']);
  });
});

describe('what cannot be used', () => {
  it.each<[string, Partial<AccessOptions>, string]>([
    [
      'an unknown context',
      { kubeconfig: two(), context: 'dev' },
      'input "kubeconfig" has no context "dev"; set the input "kube-context" to one of staging, prod',
    ],
    [
      'no current context',
      { kubeconfig: two() },
      'input "kubeconfig" has no current context; set the input "kube-context" to one of staging, prod',
    ],
    [
      'no contexts',
      { kubeconfig: 'apiVersion: v1\nkind: ConfigMap\n' },
      'input "kubeconfig" has no current context; it has no contexts at all: is it a kubeconfig?',
    ],
    [
      'a missing path',
      { kubeconfig: 'nowhere.yaml', folder },
      'input "kubeconfig" names the file "nowhere.yaml", which does not exist; give the path of a kubeconfig, or its content as YAML',
    ],
    [
      'a missing KUBECONFIG',
      { environment: { KUBECONFIG: '/nowhere' } },
      'KUBECONFIG names /nowhere, which does not exist; set the input "kubeconfig", or correct KUBECONFIG',
    ],
    [
      'an empty file',
      { environment: { KUBECONFIG: file('empty.yaml', '') } },
      `the kubeconfig ${join(folder, 'empty.yaml')} is no kubeconfig: expected a document, but the input is empty; give the path of a kubeconfig, or its content as YAML`,
    ],
    [
      'a cluster without server',
      { kubeconfig: two('') },
      'input "kubeconfig" is no kubeconfig: clusters[0].cluster.server is missing; give the path of a kubeconfig, or its content as YAML',
    ],
    [
      'a server that is no URL',
      { kubeconfig: two('k'), context: 'prod' },
      'the context "prod" of input "kubeconfig" names the cluster "c", whose server is no URL',
    ],
    [
      'a user that is not there',
      { kubeconfig: two().replace('"name":"u"', '"name":"v"'), context: 'prod' },
      'the context "prod" of input "kubeconfig" names the user "u", which is not there',
    ],
  ])('is refused with what to do: %s', async (_, options, expected) => {
    expect(await refused(options)).toBe(expected);
  });

  it('shows nothing of a secret in an error', async () => {
    const secret = 'abcdefgh'.repeat(40);
    expect(await refused({ kubeconfig: secret })).toBe(
      'input "kubeconfig" looks like base64; give the path of a kubeconfig, or its content as YAML',
    );
    const broken = await refused({ kubeconfig: `users:\n- name: u\n  user: {token: ${secret}\n  x: "` });
    expect(broken).toMatch(/^input "kubeconfig" is no kubeconfig: .* in line \d+; give/u);
    expect(broken).not.toContain('abcdefgh');
  });
});

describe('secrets', () => {
  it('of all users are masked when the kubeconfig is read', async () => {
    const key = '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----\n';
    const config = JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: 'https://k:6443', 'proxy-url': 'http://me:proxy-pass@proxy:3128' } }],
      users: [
        { name: 'u', user: { token: 'the-token', username: 'me', password: 'the-password' } },
        { name: 'v', user: { 'client-key-data': Buffer.from(key).toString('base64'), 'client-certificate-data': 'Y2VydA==' } },
        {
          name: 'w',
          user: {
            exec: {
              command: 'kubelogin',
              args: ['get-token', '--oidc-client-id=public', '--oidc-client-secret=the-oidc-secret'],
              env: [
                { name: 'AWS_SECRET_ACCESS_KEY', value: 'the-aws-secret' },
                { name: 'AWS_REGION', value: 'eu-west-1' },
              ],
            },
          },
        },
        {
          name: 'x',
          user: {
            'auth-provider': {
              name: 'oidc',
              config: { 'id-token': 'the-id-token', 'refresh-token': 'the-refresh-token', 'client-id': 'id' },
            },
          },
        },
      ],
      contexts: [{ name: 'test', context: { cluster: 'c', user: 'u' } }],
    });
    const log = keptLog();
    await open({ kubeconfig: config, log });
    expect([...new Set(log.masks)].toSorted()).toEqual(
      [
        'the-token',
        'the-password',
        Buffer.from('me:the-password').toString('base64'),
        Buffer.from(key).toString('base64'),
        key.trim(),
        'the-oidc-secret',
        'the-aws-secret',
        'the-id-token',
        'the-refresh-token',
        'proxy-pass',
      ].toSorted(),
    );
    expect(log.lines).toEqual([]);
  });

  it.each([
    ['a token', { token: 'a-token' }, 'Bearer a-token'],
    ['a token of a file that ends in a line feed', { 'token-file': file('token', 'file-token\n') }, 'Bearer file-token'],
    ['a password', { username: 'me', password: 'pass' }, `Basic ${Buffer.from('me:pass').toString('base64')}`],
  ])('reach the server: %s', async (_, user, expected) => {
    server.seen.length = 0;
    await (await open({ kubeconfig: kubeconfigFor(server.url, user) })).get(configMaps, 'ml', 'a');
    expect(server.seen[0]?.headers.authorization).toBe(expected);
  });

  it('go to nobody where the context has no user', async () => {
    server.seen.length = 0;
    const config = JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: server.url } }],
      contexts: [{ name: 'test', context: { cluster: 'c' } }],
    });
    await (await open({ kubeconfig: config })).get(configMaps, 'ml', 'a');
    expect(server.seen[0]?.headers.authorization).toBeUndefined();
  });
});

describe('the way to the server', () => {
  it('leads through the proxy of the kubeconfig', async () => {
    const asked: string[] = [];
    const proxy = createServer().on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      const [host, port] = (request.url ?? '').split(':');
      const onward = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
    });
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const client = await open({ kubeconfig: kubeconfigFor(server.url, {}, { cluster: { 'proxy-url': address } }) });
    expect(await client.get(configMaps, 'ml', 'a')).toEqual({ metadata: { name: 'a' } });
    expect(asked).toEqual([new URL(server.url).host]);
    server.cutConnections();
    await new Promise((done) => proxy.close(done));
  });

  it('leads to this machine directly, whatever HTTPS_PROXY says, as kubectl does', async () => {
    const environment = { HTTP_PROXY: 'http://127.0.0.1:1', HTTPS_PROXY: 'http://127.0.0.1:1' };
    const client = await open({ kubeconfig: kubeconfigFor(server.url), environment });
    expect(await client.get(configMaps, 'ml', 'a')).toEqual({ metadata: { name: 'a' } });
  });

  it('leads through HTTPS_PROXY to another machine', async () => {
    const connects: string[] = [];
    const proxy = createServer().on('connect', (request, socket) => {
      connects.push(request.url ?? '');
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
    const environment = { HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
    const client = await open({ kubeconfig: kubeconfigFor('https://cluster.example:6443'), environment, firstBudgetSeconds: 0 });
    await expect(client.get(configMaps, 'ml', 'a')).rejects.toThrow('https://cluster.example:6443 (context test) cannot be reached');
    expect(connects).toEqual(['cluster.example:6443']);
    await new Promise((done) => proxy.close(done));
  });

  it('is warned about where it has no TLS and leaves this machine', async () => {
    const log = keptLog();
    await open({ kubeconfig: kubeconfigFor('http://cluster.example:8080'), log });
    expect(log.lines).toEqual([
      'the Kubernetes API server http://cluster.example:8080 is reached without TLS: credentials and data can be read on the way',
    ]);
  });
});
