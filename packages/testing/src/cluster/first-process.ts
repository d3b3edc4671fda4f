import { join } from 'node:path';

/** The descriptor that a first process closes once signals find it as they would find number 1. */
export const settledDescriptor = 3;
/** The descriptor to which it writes on which port of the machine it really listens: a line `8080 41233 any`. */
export const portsDescriptor = 4;

/** The file among the node's programs. */
const name = 'first-process.cjs';

/*
 * Loaded into a Node that is the first process of its container. There SIGTERM does not end it, unless its program does
 * that itself: Node catches that signal in any case, and raises it anew, which only number 1 survives; until this is
 * loaded, which the closed descriptor tells, it is sent none.
 *
 * Containers share the machine's address. So a server that listens on a port of its own gets a free one instead, and
 * believes that it has its own; the node knows which is which. What the process forks or starts as a thread is not the
 * first one, and inherits its arguments.
 */
export const preload = `
if (require('node:worker_threads').isMainThread) {
  process.execArgv.splice(process.execArgv.indexOf('--require'), 2);
  process.on('SIGTERM', () => {});
  const { closeSync, writeSync } = require('node:fs');
  const { Server } = require('node:net');
  const { listen, address } = Server.prototype;
  const asked = new WeakMap();
  Server.prototype.listen = function (first, ...rest) {
    const options = typeof first === 'object' && first !== null ? first : undefined;
    const port = Number(options ? options.port : first);
    if (!(port > 0) || options?.path !== undefined || options?.fd !== undefined) return listen.call(this, first, ...rest);
    const host = options ? options.host : typeof rest[0] === 'string' ? rest.shift() : undefined;
    const local = host === 'localhost' || host === '::1' || /^127\\./.test(host ?? '');
    asked.set(this, { port, host: host ?? '::' });
    this.once('listening', () => {
      writeSync(${portsDescriptor}, port + ' ' + address.call(this).port + ' ' + (local ? 'local' : 'any') + '\\n');
      this.once('close', () => writeSync(${portsDescriptor}, port + ' 0 any\\n'));
    });
    const { backlog, exclusive, signal } = options ?? {};
    const own = { port: 0, host: '127.0.0.1', backlog: backlog ?? (typeof rest[0] === 'number' ? rest[0] : undefined), exclusive, signal };
    return listen.call(this, own, rest.find((item) => typeof item === 'function'));
  };
  Server.prototype.address = function () {
    const real = address.call(this);
    const wanted = asked.get(this);
    return real && wanted ? { ...real, address: wanted.host, port: wanted.port } : real;
  };
  closeSync(${settledDescriptor});
}
`;

/** Where the preload is. */
export const preloadIn = (programs: string): string => join(programs, name);

/** The arguments of a container's first process. */
export function firstArguments(command: string, programs: string): string[] {
  return command === 'node' ? ['--require', preloadIn(programs)] : [];
}
