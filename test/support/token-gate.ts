import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';

/** What a test needs of a kubeconfig. */
export interface Kubeconfig {
  clusters: { cluster: { server: string } }[];
  users: { user: { token: string } }[];
}

/** An API server whose tokens end when it is told: it stands before the embedded one. */
export interface TokenGate {
  /** How many requests came with a token that had ended. */
  readonly refused: number;
  /** `original`, but by this way, with an exec plugin that gives the token of the moment. */
  kubeconfig(original: string): string;
  /** The token that counts until now counts no more, and every connection is cut, as streams outlive their token. */
  expire(): void;
  close(): Promise<void>;
}

/** @param server of the embedded cluster, without TLS; `token` is what it knows */
export async function startTokenGate(server: string, token: string): Promise<TokenGate> {
  const folder = mkdtempSync(join(tmpdir(), 'token-gate-'));
  const [plugin, file] = [join(folder, 'plugin.cjs'), join(folder, 'token')];
  let number = 0;
  let refused = 0;
  const current = (): string => `token-${number}-of-the-plugin`;
  const renew = (): void => {
    number += 1;
    writeFileSync(file, current());
  };
  renew();
  // As aws, gcloud and kubelogin do it: a program that prints an ExecCredential
  // (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins).
  writeFileSync(
    plugin,
    `const { apiVersion } = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
    const token = require('node:fs').readFileSync(process.argv[2], 'utf8');
    console.log(JSON.stringify({ apiVersion, kind: 'ExecCredential', status: { token } }));`,
  );
  const gate = createServer((incoming, answer) => {
    if (incoming.headers.authorization !== `Bearer ${current()}`) {
      refused += 1;
      answer.writeHead(401, { 'content-type': 'application/json' });
      answer.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'Unauthorized', code: 401 }));
      return;
    }
    const headers = { ...incoming.headers, authorization: `Bearer ${token}` };
    const onward = request(server + (incoming.url ?? ''), { method: incoming.method ?? 'GET', headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.on('error', () => answer.destroy());
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((done) => gate.listen(0, '127.0.0.1', done));
  const { port } = gate.address() as AddressInfo;
  return {
    get refused() {
      return refused;
    },
    kubeconfig: (original) => {
      const whole = parse(original) as Kubeconfig;
      const exec = {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: process.execPath,
        args: [plugin, file],
        interactiveMode: 'Never',
      };
      return JSON.stringify({
        ...whole,
        clusters: whole.clusters.map((one) => ({ ...one, cluster: { ...one.cluster, server: `http://127.0.0.1:${port}` } })),
        users: whole.users.map((one) => ({ ...one, user: { exec } })),
      });
    },
    expire: () => {
      renew();
      gate.closeAllConnections();
    },
    close: async () => {
      const closed = new Promise((done) => gate.close(done));
      gate.closeAllConnections();
      await closed;
      rmSync(folder, { recursive: true });
    },
  };
}
