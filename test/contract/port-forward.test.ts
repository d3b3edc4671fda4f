import { request as send, type Agent } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ActionError, describe as words } from '@slashtrain/core/action/errors';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { pods, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { Pod } from '@slashtrain/core/kubernetes/pod';
import { forwardTo } from '@slashtrain/core/kubernetes/port-forward';
import { watchObject } from '@slashtrain/core/kubernetes/watch';
import { keptLog } from '../support/kubernetes.ts';
import { openTarget, sayWhatIsSkipped, targets, unique, type Target } from '../support/targets.ts';

/* Requests to a pod through the API server. */

const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
sayWhatIsSkipped('port-forward');
const port = 8080;
// Answers with what it was sent; counts its connections, closes one when it is told to, and can be silent.
const program = `
  let connections = 0;
  const server = require('node:http').createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.url === '/silent') return;
    if (request.url === '/last') response.setHeader('connection', 'close');
    if (request.url === '/cut') return request.socket.destroy();
    response.setHeader('x-connections', connections);
    response.end(Buffer.concat(chunks));
  });
  server.on('connection', () => { connections += 1; });
  server.keepAliveTimeout = 600_000;
  server.listen(${port}, () => console.log('listens'));
`;

describe.each(targets)('a port of a pod on the %s cluster', (name) => {
  let target: Target;
  let client: KubernetesClient;
  const namespace = unique('forward');
  const stop = new AbortController();
  const agents: Agent[] = [];
  beforeAll(async () => {
    target = await openTarget(name);
    client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    await start('server');
  });
  afterEach(() => {
    for (const agent of agents.splice(0)) agent.destroy();
  });
  afterAll(async () => {
    stop.abort();
    await client.delete(namespaces, '', namespace);
    await target.close();
  });

  const start = async (pod: string): Promise<void> => {
    await client.create<Pod>(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: pod, namespace },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'main', image: target.base, command: ['node', '-e', program], ports: [{ containerPort: port }] }],
      } as object,
    });
    for await (const sighting of watchObject<Pod>(client, pods, namespace, pod, { signal: stop.signal })) {
      if (sighting.object?.status?.phase === 'Running') break;
    }
    for await (const lines of client.log(namespace, pod, { container: 'main', follow: true }, stop.signal)) {
      if (lines.some((line) => line.includes('listens'))) break;
    }
  };
  const open = (pod = 'server', to = port, signal = stop.signal): Agent => {
    const agent = forwardTo(client, { namespace, pod, port: to }, signal);
    agents.push(agent);
    return agent;
  };
  const ask = (agent: Agent, path: string, body: string | Buffer = ''): Promise<{ body: string; connections: number }> =>
    new Promise((done, fail) => {
      const sent = send({ agent, path, method: 'POST', host: 'localhost', headers: { 'content-length': Buffer.byteLength(body) } });
      sent.on('response', (response) => {
        const connections = Number(response.headers['x-connections']);
        text(response).then((answer) => done({ body: answer, connections }), fail);
      });
      sent.on('error', fail);
      sent.end(body);
    });
  const refused = async (asked: Promise<unknown>): Promise<unknown> => {
    try {
      await asked;
    } catch (error) {
      return error;
    }
    throw new Error('it was answered');
  };

  it('answers several requests over one connection', async () => {
    const agent = open();
    const answers = [];
    for (const body of ['a', 'b', 'c']) answers.push(await ask(agent, '/', body));
    expect(answers.map(({ body }) => body)).toEqual(['a', 'b', 'c']);
    expect(new Set(answers.map(({ connections }) => connections)).size).toBe(1);
  });

  it('opens a connection for each request at once, and keeps it', async () => {
    const agent = open();
    const crowd = (): Promise<{ body: string; connections: number }[]> =>
      Promise.all(Array.from({ length: 8 }, (_, index) => ask(agent, '/', `${index}`)));
    expect((await crowd()).map(({ body }) => body)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
    const { connections } = await ask(agent, '/');
    for (const answer of await crowd()) expect(answer.connections).toBe(connections);
  });

  it('carries a megabyte both ways, byte for byte', async () => {
    const body = Array.from({ length: 100_000 }, (_, index) => `${index}é`).join();
    expect((await ask(open(), '/', body)).body === body).toBe(true);
  });

  it('takes a new connection after the pod has closed one', async () => {
    const agent = open();
    const before = (await ask(agent, '/last')).connections;
    expect((await ask(agent, '/')).connections).toBe(before + 1);
    expect(await refused(ask(agent, '/cut'))).toMatchObject({ code: 'ECONNRESET' });
    expect((await ask(agent, '/')).connections).toBe(before + 2);
  });

  it('says that nothing listens', async () => {
    const error = await refused(ask(open('server', 9), '/'));
    expect(error).toMatchObject({ code: 'unreachable', cause: { code: 'ECONNREFUSED' } });
    expect(words(error)).toMatch(`nothing listens on port 9 of the pod server in namespace ${namespace} (caused by: `);
  });

  it('says that there is no such pod', async () => {
    const error = await refused(ask(open('nobody'), '/'));
    expect(error).toMatchObject({ code: 'not-found' });
    expect(words(error)).toContain(`there is no pods/portforward "nobody" in namespace ${namespace}`);
  });

  it('fails the request of a pod that goes while it is asked', async () => {
    await start('short');
    const agent = open('short');
    await ask(agent, '/');
    const silent = refused(ask(agent, '/silent'));
    await client.delete(pods, namespace, 'short', { graceSeconds: 0 });
    expect(await silent).toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|unreachable)$/u) });
    expect(await refused(ask(agent, '/'))).toBeInstanceOf(ActionError);
  });

  it('ends at once when it is told to', async () => {
    const end = new AbortController();
    const agent = open('server', port, end.signal);
    await ask(agent, '/');
    const silent = refused(ask(agent, '/silent'));
    end.abort();
    expect(await silent).toBeInstanceOf(Error);
    expect(await refused(ask(agent, '/'))).toBeInstanceOf(Error);
  });
});
