import { once } from 'node:events';
import { Agent, createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ActionError } from '@slashtrain/core/action/errors';
import type { Timing } from '@slashtrain/core/kubernetes/timing';
import type { EndpointsOf, Judgement, Serving } from '../types.ts';
import { endpointsOf } from './endpoints.ts';
import { httpEndpoint } from './http-endpoint.ts';
import { smokeJudge } from './judge.ts';
import { readSmokeTest } from './read.ts';
import { judgementLine, judgementMarkdown } from './show.ts';

/* Smoke tests against models that are small HTTP servers on this machine. */

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener, port = 0): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A model that says the sum of its inputs. */
const adds: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { instances } = JSON.parse(Buffer.concat(chunks).toString()) as { instances: number[][] };
    response.end(JSON.stringify({ predictions: instances.map((one) => one.reduce((sum, value) => sum + value, 0)) }));
  });
};
const inTurn = (...listeners: RequestListener[]): RequestListener => {
  let count = 0;
  return (request, response) => listeners[Math.min(count++, listeners.length - 1)]!(request, response);
};
const says =
  (status: number, text: string): RequestListener =>
  (_, response) =>
    void response.writeHead(status).end(text);

/** Time that passes by pausing alone. */
function jumping(onPause: (count: number) => void | Promise<void> = () => undefined): Timing {
  let [now, count] = [0, 0];
  return {
    now: () => now,
    random: () => 0,
    pause: async (milliseconds) => {
      now += milliseconds;
      await onPause(++count);
    },
  };
}

const said: string[] = [];
const golden = Array.from({ length: 20 }, (_, index) => JSON.stringify({ input: [index, 1], expected: index + 1 })).join('\n');
interface Trial {
  timing?: Timing;
  opens?: EndpointsOf;
  signal?: AbortSignal;
  clock?: () => number;
}
function judge(
  test: string,
  to: string | Serving,
  { timing = jumping(), opens = endpointsOf(undefined, {}), signal, clock }: Trial = {},
): Promise<Judgement> {
  said.length = 0;
  const say = (line: string): void => void said.push(line);
  const parts = { endpointsOf: opens, timing, clock: clock ?? (() => performance.now()), startSeconds: 60, say };
  const serving: Serving = typeof to === 'string' ? { how: 'url', url: to } : to;
  return smokeJudge(readSmokeTest(test, { where: 'x', readFile: () => golden }), parts)(serving, signal ?? new AbortController().signal);
}
const outcomes = ({ checks }: Judgement): string[] => checks.map(({ name, outcome, detail }) => `${name}: ${outcome}: ${detail}`);
const sum = '- name: adds\n  v1: sum\n  json: { instances: [[3, 4]] }\n  expect: { value: { path: "$.predictions[0]", equals: 7 } }';
const sums = '- golden: sums.jsonl\n  v1: sum';

describe('a smoke test', () => {
  it('passes a model that answers as it should', async () => {
    const judgement = await judge(`${sum}\n${sums}`, await serve(adds));
    expect(outcomes(judgement)).toEqual([
      expect.stringMatching(/^adds: pass: [\d.]+ m?s$/u),
      'sums.jsonl: pass: 0 of 20 disagree (0 %), allowed 0 %',
    ]);
    expect(judgement).toMatchObject({ passed: true, latency: { requests: 21 } });
    expect(judgementLine(judgement)).toMatch(/^2 of 2 checks passed; p95 [\d.]+ m?s$/u);
  });

  it('fails one that loads and answers nonsense', async () => {
    const judgement = await judge(sum, await serve(says(200, '{"predictions":["||`@team`||"]}')));
    expect(judgement.passed).toBe(false);
    expect(outcomes(judgement)[0]).toMatch(/^adds: fail: http:.*: \$\.predictions\[0\] is "\|\|`@team`\|\|", expected 7$/u);
    expect(judgementMarkdown(judgement).split('\n')[2]).toMatch(/^\| ❌ \| adds \| [^|`]*\|$/u);
    expect(judgementLine(judgement, 60)).toHaveLength(60);
  });

  it('fails one that dies at the second request', async () => {
    const url = await serve(inTurn(adds, (request) => request.socket.destroy()));
    const judgement = await judge(sum, url);
    expect(outcomes(judgement)).toEqual([expect.stringMatching(/^adds: fail: http:\S+: (Error: )?socket hang up$/u)]);
  });

  it('asks one that does not answer three times, and not for ever', async () => {
    let asked = 0;
    const url = await serve((request, response) => {
      asked += 1;
      if (asked === 1) adds(request, response);
      else request.socket.destroy();
    });
    const judgement = await judge(sums, url);
    expect(asked).toBe(4);
    expect(outcomes(judgement)[0]).toMatch(
      /^sums\.jsonl: fail: 20 of 20 disagree \(100 %\), allowed 0 %: sums\.jsonl:1 (Error: )?socket hang up; /u,
    );
  });

  it('waits while it answers 503, and says so once', async () => {
    const judgement = await judge(sum, await serve(inTurn(...Array.from({ length: 5 }, () => says(503, 'loading')), adds)));
    expect(judgement.passed).toBe(true);
    expect(said).toEqual([expect.stringMatching(/^waiting for http:\S+: it answers 503: loading$/u)]);
  });

  it('waits while nothing listens', async () => {
    const url = await serve(adds);
    servers[0]!.close();
    await once(servers[0]!, 'close');
    const timing = jumping(async (count) => void (count === 3 && (await serve(adds, Number(new URL(url).port)))));
    expect((await judge(sum, url, { timing })).passed).toBe(true);
    expect(said).toEqual([expect.stringContaining('ECONNREFUSED')]);
  });

  it('fails one that is never there', async () => {
    const judgement = await judge(sum, await serve(says(503, 'loading')));
    expect(outcomes(judgement)).toEqual([expect.stringMatching(/^it starts: fail: http:\S+: it answers 503: loading, for 60 s$/u)]);
  });

  it('waits for a pod that is ready, and fails where there is none', async () => {
    const url = await serve(adds);
    const found = endpointsOf(undefined, {});
    const pods: Serving = { how: 'pods', namespace: 'ml', selector: 'a=b', port: 80 };
    let looks = 0;
    const opens =
      (enough: number): EndpointsOf =>
      (_, signal) => {
        if (++looks < enough) throw new ActionError('not-found', 'no pod is ready');
        return found({ how: 'url', url }, signal);
      };
    expect((await judge(sum, pods, { opens: opens(3) })).passed).toBe(true);
    expect(outcomes(await judge(sum, pods, { opens: opens(1000) }))).toEqual(['it starts: fail: no pod is ready, for 60 s']);
  });

  it('holds the latency against its limits', async () => {
    // Each look at the clock is 30 ms later, so that each request takes 30 ms.
    const clock = (): (() => number) => {
      let now = 0;
      return () => (now += 30);
    };
    const test = (limit: string): string => `- path: /\n  json: { instances: [] }\n  expect: { latency: { p95: ${limit}, requests: 5 } }`;
    const url = await serve(adds);
    expect(outcomes(await judge(test('50ms'), url, { clock: clock() }))).toEqual(['POST /: pass: p95 30 ms, allowed 50 ms (5 requests)']);
    expect(outcomes(await judge(test('20ms'), url, { clock: clock() }))).toEqual([
      `POST /: fail: ${url}: p95 30 ms, allowed 20 ms (5 requests)`,
    ]);
  });

  it.each([
    ['5%', false, '2 of 20 disagree (10 %), allowed 5 %: sums.jsonl:1 is 0, expected 1; sums.jsonl:2 is 1, expected 2'],
    ['10%', true, '2 of 20 disagree (10 %), allowed 10 %: sums.jsonl:1 is 0, expected 1; sums.jsonl:2 is 1, expected 2'],
  ])('lets a golden set disagree in %s', async (share, passed, detail) => {
    const wrong: RequestListener = (request, response) => {
      request.once('data', (chunk: Buffer) => {
        const [[a, b]] = (JSON.parse(chunk.toString()) as { instances: [[number, number]] }).instances;
        response.end(JSON.stringify({ predictions: [a < 2 ? a : a + b] }));
      });
    };
    const judgement = await judge(`${sums}\n  max-disagreement: ${share}`, await serve(wrong));
    expect(judgement.passed).toBe(passed);
    expect(judgement.checks).toEqual([{ name: 'sums.jsonl', outcome: passed ? 'pass' : 'fail', detail }]);
  });

  it('asks each pod, and shares the rows of a golden set out', async () => {
    const asked = [0, 0];
    const count =
      (index: number, then: RequestListener): RequestListener =>
      (request, response) => {
        asked[index]! += 1;
        then(request, response);
      };
    const urls = [await serve(count(0, adds)), await serve(count(1, inTurn(adds, says(500, 'no memory'), adds)))];
    const found = endpointsOf(undefined, {});
    const opens: EndpointsOf = async (_, signal) => (await Promise.all(urls.map((url) => found({ how: 'url', url }, signal)))).flat();
    const judgement = await judge(`${sum}\n${sums}`, urls[0]!, { opens });
    expect(asked).toEqual([12, 12]);
    expect(outcomes(judgement)).toEqual([
      `adds: fail: ${urls[1]!}: status is 500, expected a success: no memory`,
      'sums.jsonl: pass: 0 of 20 disagree (0 %), allowed 0 %',
    ]);
  });

  it.each<[string, RequestListener, RegExp]>([
    ['an answer without end', (_, response) => void response.write(Buffer.alloc(11 * 1024 * 1024)), /: the answer is larger than 10 MiB$/u],
    ['no answer', () => undefined, /: no whole answer within 0\.05 s$/u],
    ['half an answer', (_, response) => void response.writeHead(200).write('{"pred'), /: no whole answer within 0\.05 s$/u],
    [
      'an answer that is cut off',
      (_, response) => response.writeHead(200, { 'content-length': 10 }).write('a', () => response.destroy()),
      /: aborted$/u,
    ],
    ['what is no HTTP', (request) => void request.socket.end('SSH-2.0-x\r\n'), /: Parse Error/u],
  ])('fails %s', async (_, listener, words) => {
    const patience = words.source.includes('0\\.05') ? '\n  timeout: 50ms' : '';
    const judgement = await judge(sum + patience, await serve(inTurn(adds, listener)));
    expect(outcomes(judgement)[0]).toMatch(words);
  });

  it('asks again what fails on a connection that nobody used, and nothing else', async () => {
    const once: RequestListener = (request, response) => void (requests.has(request.socket) ? request.socket.destroy() : response.end());
    const requests = new WeakSet<object>();
    const url = await serve((request, response) => {
      once(request, response);
      requests.add(request.socket);
    });
    const twice = async (idleMilliseconds: number): Promise<unknown> => {
      const endpoint = httpEndpoint('x', new URL(url), { agent: new Agent({ keepAlive: true }), idleMilliseconds });
      await endpoint.fetch('/');
      return endpoint.fetch('/').finally(() => endpoint.close());
    };
    await expect(twice(0)).resolves.toMatchObject({ status: 200 });
    await expect(twice(60_000)).rejects.toThrow('socket hang up');
  });

  it("goes below the URL's own path, with its headers, and to no other host", async () => {
    const seen: string[] = [];
    const url = await serve((request, response) => {
      seen.push(`${request.url ?? ''} ${request.headers.host ?? ''}`);
      response.end();
    });
    await judge('- path: //evil.example/x\n  expect: { status: 200 }', {
      how: 'url',
      url: `${url}/base/`,
      headers: { Host: 'digits.example' },
    });
    expect(new Set(seen)).toEqual(new Set(['/base//evil.example/x digits.example']));
  });

  it('ends with the reason for which it was told to', async () => {
    const stop = new AbortController();
    const url = await serve(inTurn(adds, () => stop.abort(new ActionError('cancelled', 'the runner sent SIGINT'))));
    await expect(judge(sum, url, { signal: stop.signal })).rejects.toThrow('the runner sent SIGINT');
  });
});
