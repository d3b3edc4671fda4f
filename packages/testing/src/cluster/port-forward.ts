import { connect } from 'node:net';
import type { WebSocket } from 'ws';
import { badRequest, notFound } from './errors.ts';
import type { Pod } from './objects.ts';
import type { Ports } from './ports.ts';
import type { ApiRequest } from './request.ts';
import { types } from './resources.ts';
import type { Store } from './store.ts';

/** The protocol that a real server takes for it; kubectl's SPDY within a WebSocket is not here. */
export const forwardProtocol = 'v4.channel.k8s.io';

/** Where a pod's containers listen, by the pod's UID; undefined where it is not on the node. */
export type PortsFinder = (uid: string) => readonly Ports[] | undefined;

/**
 * `pods/portforward`: each port has two channels, data and error, and each begins with the port in two bytes. The other
 * side ends it by closing the connection.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
 * @returns what speaks to a client that is connected
 * @throws ApiError 400, 404
 */
export function forwardPorts(store: Store, find: PortsFinder, { query, namespace, name }: ApiRequest): (client: WebSocket) => void {
  const pod = store.get(types.pods, namespace, name!) as Pod | undefined;
  if (!pod) throw notFound(types.pods, name!);
  const ports = query.getAll('ports').flatMap((text) => text.split(',').map(readPort));
  if (ports.length === 0) throw badRequest('query parameter "ports" is required');
  if (pod.spec.nodeName === undefined) throw badRequest(`pod ${name} does not have a host assigned`);
  return (client) => {
    const open = ports.map((port, index) => forward(client, port, 2 * index, find(pod.metadata.uid) ?? []));
    client.on('message', (data: Buffer) => open[(data[0] ?? 0) / 2]?.(data.subarray(1)));
  };
}

/** @returns takes what the client sends */
function forward(client: WebSocket, port: number, channel: number, containers: readonly Ports[]): (data: Buffer) => void {
  const send = (on: number, data: Buffer | string): void => client.send(Buffer.concat([Buffer.from([on]), Buffer.from(data)]));
  const begin = Buffer.alloc(2);
  begin.writeUInt16LE(port);
  send(channel, begin);
  send(channel + 1, begin);
  const real = containers.map((ports) => ports.find(port, false)).find((found) => found !== undefined);
  const refuse = (): void => {
    send(
      channel + 1,
      `error forwarding port ${port} to pod: failed to connect to localhost:${port}, IPv4: dial tcp4 127.0.0.1:${port}: connect: connection refused `,
    );
    client.close(1000);
  };
  if (real === undefined) {
    refuse();
    return () => undefined;
  }
  const socket = connect(real, '127.0.0.1');
  socket.on('data', (data) => {
    send(channel, data);
    // Not more than the client takes.
    if (client.bufferedAmount < 1024 * 1024) return;
    socket.pause();
    const timer = setInterval(() => {
      if (client.bufferedAmount > 0 && client.readyState === client.OPEN) return;
      clearInterval(timer);
      socket.resume();
    }, 5);
  });
  socket.on('error', refuse);
  socket.on('end', () => client.close(1000));
  client.on('close', () => socket.destroy());
  return (data) => void socket.write(data);
}

function readPort(text: string): number {
  if (!/^\d+$/u.test(text))
    throw badRequest(`cannot convert to []int32: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}
