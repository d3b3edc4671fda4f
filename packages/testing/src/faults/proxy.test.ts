import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { get as getTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { seeded } from '@slashtrain/core/metrics/random';
import type { FaultName, Place } from './fault.ts';
import { startFaultProxy, type FaultProxy } from './proxy.ts';
import { between } from './random.ts';

/* What a client sees of each fault, and whether the server behind it has done the request. */
let server: Server;
let sockets: WebSocketServer;
let done: string[] = [];
let proxy: FaultProxy | undefined;
const body = JSON.stringify({ items: ['a', 'b', 'c'] });

beforeAll(async () => {
  server = createServer((incoming, response) => {
    incoming.resume().on('end', () => {
      done.push(`${incoming.method ?? ''} ${incoming.url ?? ''}`);
      const lines = incoming.url?.includes('watch=true') ? 6 : 0;
      for (let line = 1; line <= lines; line += 1) response.write(`{"type":"MODIFIED","object":${line}}\n`);
      response.end(lines === 0 ? body : undefined);
    });
  });
  sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.send('x'.repeat(2000)));
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
});
afterAll(async () => {
  sockets.close();
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});
afterEach(async () => {
  await proxy?.close();
  done = [];
});

/** A proxy that strikes the first request. */
async function start(fault: FaultName, place: Place, tls = false): Promise<FaultProxy> {
  proxy = await startFaultProxy({
    target: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tls,
    random: seeded(1),
    decide: ({ number }) => (number === 1 ? { fault, place } : undefined),
  });
  return proxy;
}

interface Seen {
  status?: number;
  text: string;
  error?: string;
  headers?: IncomingMessage['headers'];
}

function ask(url: string, method = 'GET'): Promise<Seen> {
  return new Promise((ready) => {
    let text = '';
    const sent = request(url, { method, agent: false }, (response) => {
      response.setEncoding('utf8');
      const { statusCode: status = 0, headers } = response;
      response.on('data', (data: string) => (text += data));
      response.on('end', () => ready({ status, text, headers }));
      response.on('error', ({ code = '' }: NodeJS.ErrnoException) => ready({ status, text, error: code, headers }));
    });
    sent.on('error', ({ code = '' }: NodeJS.ErrnoException) => ready({ text, error: code }));
    sent.end();
  });
}

describe('a fault', () => {
  it.each<[FaultName, Place, Partial<Seen>, number]>([
    ['reset', 'before', { error: 'ECONNRESET' }, 0],
    ['reset', 'after', { error: 'ECONNRESET' }, 1],
    ['half', 'after', { error: 'ECONNRESET' }, 1],
    ['slow', 'after', { status: 200, text: body }, 1],
    ['gone', 'before', { status: 410 }, 0],
    ['busy-until', 'before', { status: 429 }, 0],
    ['502', 'before', { status: 502 }, 0],
    ['502', 'after', { status: 502 }, 1],
    ['expired', 'before', { status: 401 }, 0],
    ['gzip', 'after', { status: 200 }, 1],
  ])('%s %s: the client sees it, and the server has done it or not', async (fault, place, seen, times) => {
    const { url } = await start(fault, place);
    await expect(ask(`${url}/x`, 'POST')).resolves.toMatchObject(seen);
    expect(done).toHaveLength(times);
    await expect(ask(`${url}/x`)).resolves.toMatchObject({ status: 200, text: body });
    expect(proxy?.trace).toMatchObject([
      { method: 'POST', strike: { fault, place } },
      { method: 'GET', status: 200 },
    ]);
  });

  it('says when to come again, or does not', async () => {
    await expect(ask((await start('busy-until', 'before')).url)).resolves.toMatchObject({ headers: { 'retry-after': '1' } });
    await proxy?.close();
    expect((await ask((await start('busy', 'before')).url)).headers).not.toHaveProperty('retry-after');
  });

  it('length: more is promised than comes, or less', async () => {
    const { url } = await start('length', 'after');
    const { text, error, headers } = await ask(url);
    expect(error !== undefined || Number(headers?.['content-length']) < body.length).toBe(true);
    expect(body.startsWith(text) || text === body).toBe(true);
  });

  it('stall: nothing comes', async () => {
    const { url } = await start('stall', 'before');
    const first = await Promise.race([ask(`${url}/1`).then(() => 'answered'), ask(`${url}/2`).then(() => 'the next one came')]);
    expect(first).toBe('the next one came');
  });

  it('certificate: another for two connections, then the right one again', async () => {
    const { url, ca } = await start('certificate', 'before', true);
    const trusting = (): Promise<string> =>
      new Promise((ready) => {
        getTls(url, { ca, agent: false }, (response) => response.resume().on('end', () => ready('answered'))).on(
          'error',
          ({ code = '' }: NodeJS.ErrnoException) => ready(code),
        );
      });
    const answers = [await trusting(), await trusting(), await trusting(), await trusting()];
    expect(answers).toEqual(['ECONNRESET', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'answered']);
    expect(done).toHaveLength(1);
  });
});

describe('a fault of a watch', () => {
  const whole = [1, 2, 3, 4, 5, 6].map((line) => `{"type":"MODIFIED","object":${line}}\n`);
  it.each<[FaultName, (text: string, error: string | undefined) => boolean]>([
    ['half', (text, error) => error === 'ECONNRESET' && whole.join('').startsWith(text) && !text.endsWith('\n')],
    ['reset', (text, error) => error === 'ECONNRESET' && whole.join('').startsWith(text)],
    ['length', (text, error) => error !== undefined && whole.join('').startsWith(text)],
    ['gone', (text) => text.includes('"code":410')],
    ['duplicate', (text) => text.includes(`${whole[5]}${whole[5]}`)],
    ['reorder', (text) => text.indexOf(whole[4]!, text.indexOf(whole[5]!)) > 0],
    ['slow', (text, error) => text === whole.join('') && error === undefined],
  ])('%s', async (fault, holds) => {
    const { url } = await start(fault, 'stream');
    const { text, error } = await ask(`${url}/pods?watch=true`);
    expect({ text, error, holds: holds(text, error) }).toMatchObject({ holds: true });
  });

  it('401: the stream is cut, and the next one is refused', async () => {
    const { url } = await start('expired', 'stream');
    await expect(ask(`${url}/pods?watch=true`)).resolves.toMatchObject({ error: 'ECONNRESET' });
    await expect(ask(`${url}/pods?watch=true`)).resolves.toMatchObject({ status: 401 });
    await expect(ask(`${url}/pods?watch=true`)).resolves.toMatchObject({ status: 200, text: whole.join('') });
  });
});

it('cuts a WebSocket in the middle of a frame', async () => {
  const { host } = await start('reset', 'stream');
  const received: number[] = [];
  const closed = (socket: WebSocket): Promise<string> =>
    new Promise((ready) => {
      socket.on('message', (data: Buffer) => {
        received.push(data.length);
        ready('whole');
        socket.close();
      });
      socket.on('error', () => ready('cut'));
      socket.on('close', () => ready('cut'));
    });
  await expect(closed(new WebSocket(`ws://${host}/x`))).resolves.toBe('cut');
  await expect(closed(new WebSocket(`ws://${host}/x`))).resolves.toBe('whole');
  expect(received).toEqual([2000]);
});

it('draws the same from the same seed', () => {
  const draw = (seed: number): number[] => {
    const random = seeded(seed);
    return Array.from({ length: 20 }, () => between(random, 1, 6));
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
  expect(new Set(draw(7))).toEqual(new Set([1, 2, 3, 4, 5, 6]));
});
