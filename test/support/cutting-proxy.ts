import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Passes bytes on to a server, and breaks off when it is told to. */
export interface CuttingProxy {
  readonly port: number;
  /** How many connections were cut so far. */
  readonly cuts: number;
  /** Resets every connection; new ones are taken. */
  cut(): void;
  /** Resets every connection and takes no new ones until {@link CuttingProxy.open}: the server is away. */
  shut(): void;
  open(): void;
  /** Cuts each connection made from now on when so many bytes have come back on it, in the middle of whatever passes. */
  limit(bytes: number): void;
  close(): Promise<void>;
}

/** Starts a proxy in front of `address` (`https://127.0.0.1:6443`), on a free port of 127.0.0.1. TLS goes through it untouched. */
export async function startCuttingProxy(address: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(address);
  const sockets = new Set<Socket>();
  let isShut = false;
  let cuts = 0;
  let limit = Infinity;
  const server = createServer((client) => {
    if (isShut) return void client.resetAndDestroy();
    const upstream = connect(Number(port), hostname);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    client.pipe(upstream);
    let left = limit;
    upstream.on('data', (data: Buffer) => {
      if (!client.write(data.subarray(0, left))) {
        upstream.pause();
        client.once('drain', () => upstream.resume());
      }
      left -= data.length;
      if (left > 0) return;
      cuts += 1;
      client.resetAndDestroy();
    });
    upstream.on('end', () => client.end());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const cut = (): void => {
    cuts += sockets.size;
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
    cut,
    shut: () => {
      isShut = true;
      cut();
    },
    open: () => {
      isShut = false;
    },
    limit: (bytes) => {
      limit = bytes;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        cut();
      }),
  };
}
