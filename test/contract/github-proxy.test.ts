import { expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, request as ask, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { describe as inWords } from '@slashtrain/core/action/errors';
import { runBundle } from '@slashtrain/testing/bundle/bundle';
import { startGitHub } from '@slashtrain/testing/github/github';

/* A runner that reaches GitHub through a proxy alone: docs/enterprise.md promises it. GitHub's name is one that the proxy alone knows. */

it('the runner’s proxy is asked for GitHub', async () => {
  const hosts: string[] = [];
  const sockets: Socket[] = [];
  // What is plain comes with the whole address, and what is not asks for a tunnel.
  const proxy = createServer((request, response) => {
    const target = new URL(request.url ?? '');
    hosts.push(target.host);
    const { method = 'GET', headers } = request;
    const far = ask({ port: target.port, path: target.pathname + target.search, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(far);
  }).on('connect', (request: IncomingMessage, near: Socket) => {
    hosts.push(request.url ?? '');
    const far = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => near.write('HTTP/1.1 200 OK\r\n\r\n'));
    sockets.push(near, far);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', (error) => hosts.push(inWords(error)));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const github = await startGitHub();
  try {
    const repository = github.createRepository({ owner: 'acme', name: 'digits', files: { 'a.txt': 'a' } });
    repository.setPermission('ada', 'write');
    const head = repository.commit({ branch: 'topic', files: { 'a.txt': 'b' }, author: 'ada' });
    const number = repository.openPullRequest({ head: 'topic', author: 'ada' });
    const token = github.token({ contents: 'read', 'pull-requests': 'write' }, { repository });
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const url = github.url.replace('127.0.0.1', 'github.test');
    const result = await runBundle({
      action: 'chatops-parse',
      github: { url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } },
      event: repository.events.issueComment(repository.comment(number, 'ada', '/train')),
      actor: 'ada',
      inputs: { token },
      env: { HTTP_PROXY: address },
    });
    expect(github.requests.length).toBeGreaterThan(0);
    expect([...new Set(hosts)]).toEqual([new URL(url).host]);
    expect(result.shown).toContain(head);
  } finally {
    for (const socket of sockets) socket.destroy();
    proxy.close();
    await github.close();
  }
});
