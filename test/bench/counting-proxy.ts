import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';

/** A registry under another address of this machine. */
export interface CountingProxy {
  host: string;
  /** All bytes that passed in either direction. */
  bytes(): number;
  close(): void;
}

/**
 * @param to `localhost:5000`
 * @param delay how many milliseconds later everything arrives, either way, as at a server elsewhere
 */
export async function countingProxy(to: string, delay = 0): Promise<CountingProxy> {
  const [host = 'localhost', port = '80'] = to.split(':');
  let bytes = 0;
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const [one, two] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('data', (data: Buffer) => (bytes += data.length));
      one.on('error', () => two.destroy());
      if (delay === 0) one.pipe(two);
      else one.on('data', (data: Buffer) => setTimeout(() => two.writable && two.write(data), delay));
      one.on('close', () => setTimeout(() => two.end(), delay));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, bytes: () => bytes, close: () => void server.close() };
}
