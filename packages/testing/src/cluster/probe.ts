import * as http from 'node:http';
import { connect } from 'node:net';
import type { PodContainer, Probe } from './objects.ts';
import type { Ports } from './ports.ts';

/** What one look brought: nothing is good news, else the kubelet's words. */
export type Problem = string | undefined;

/** Asks a container once, as the kubelet does. https://kubernetes.io/docs/concepts/workloads/pods/probes/ */
export function ask(probe: Probe, container: PodContainer, ports: Ports): Promise<Problem> {
  const { httpGet, tcpSocket, timeoutSeconds } = probe;
  const port = numberOf((httpGet ?? tcpSocket)!.port, container);
  const address = `127.0.0.1:${port}`;
  const real = ports.find(port, true);
  const url = httpGet && `http://${address}${httpGet.path.startsWith('/') ? '' : '/'}${httpGet.path}`;
  const refused = `dial tcp ${address}: connect: connection refused`;
  if (real === undefined) return Promise.resolve(url ? `Get ${JSON.stringify(url)}: ${refused}` : refused);
  return httpGet && url ? get(httpGet, url, real, timeoutSeconds) : knock(real, refused, timeoutSeconds);
}

function get({ httpHeaders = [] }: NonNullable<Probe['httpGet']>, url: string, port: number, seconds: number): Promise<Problem> {
  return new Promise((resolve) => {
    const headers = { 'user-agent': 'kube-probe/1.35', ...Object.fromEntries(httpHeaders.map(({ name, value }) => [name, value])) };
    const { pathname, search } = new URL(url);
    const request = http.get({ host: '127.0.0.1', port, path: pathname + search, headers, agent: false, timeout: seconds * 1000 });
    request.on('timeout', () => request.destroy(new Error('context deadline exceeded (Client.Timeout exceeded while awaiting headers)')));
    request.on('error', (error) => resolve(`Get ${JSON.stringify(url)}: ${error.message}`));
    request.on('response', (response) => {
      response.resume();
      const code = response.statusCode ?? 0;
      resolve(code >= 200 && code < 400 ? undefined : `HTTP probe failed with statuscode: ${code}`);
    });
  });
}

function knock(port: number, refused: string, seconds: number): Promise<Problem> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: seconds * 1000 });
    const end = (problem: Problem): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.on('connect', () => end(undefined));
    socket.on('timeout', () => end('i/o timeout'));
    socket.on('error', () => end(refused));
  });
}

/** A port by number, or by its name in the container. */
export function numberOf(port: number | string, container: PodContainer): number {
  return typeof port === 'number' ? port : (container.ports?.find(({ name }) => name === port)?.containerPort ?? 0);
}
