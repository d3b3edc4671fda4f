import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { describe as words } from '@slashtrain/core/action/errors';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { pods as podResource, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { seeded } from '@slashtrain/core/metrics/random';
import { startFaultProxy } from '@slashtrain/testing/faults/proxy';
import { systemTiming } from '@slashtrain/core/kubernetes/timing';
import { watchObject, watchSelection, type Sighting, type WatchOptions } from '@slashtrain/core/kubernetes/watch';
import { keptLog, kubeconfigFor } from '../support/kubernetes.ts';
import { events, failure, hangUp, json, ScriptedServer, stall, type Step } from '../support/scripted-server.ts';

/* The loop of list and watch with a look beneath it, against a server that cuts, stalls, forgets and refuses. */

let server: ScriptedServer;
let client: KubernetesClient;
let stop: AbortController;
let pauses: number[];
beforeEach(async () => {
  server = await ScriptedServer.start();
  client = await openKubernetes({ kubeconfig: kubeconfigFor(server.url), environment: {}, log: keptLog(), timing });
  stop = new AbortController();
  pauses = [];
});
afterEach(async () => {
  stop.abort();
  await server.stop();
});

// The clock runs, and nobody waits for it.
const timing = { ...systemTiming, pause: async (milliseconds: number) => void pauses.push(milliseconds) };

const object = (version: number, more: { uid?: string; name?: string } = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: more.name ?? 'a', namespace: 'ml', uid: more.uid ?? 'u-1', resourceVersion: String(version) },
});
const list = (version: number, ...items: KubernetesObject[]): Step => json(200, { items, metadata: { resourceVersion: String(version) } });
const added = (version: number, more = {}): object => ({ type: 'ADDED', object: object(version, more) });
const modified = (version: number, more = {}): object => ({ type: 'MODIFIED', object: object(version, more) });
const deleted = (version: number, more = {}): object => ({ type: 'DELETED', object: object(version, more) });
const bookmark = (version: number): object => ({
  type: 'BOOKMARK',
  object: { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion: String(version) } },
});
const error = (code: number, message: string): object => ({ type: 'ERROR', object: { kind: 'Status', code, message } });
const missing = failure(404, 'NotFound', 'pods "a" not found', { name: 'a' });

/** A watch whose second chunk is none. */
function garbled(event: object): Step {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(`${JSON.stringify(event)}\n`, () => response.socket?.end('zz\r\n'));
  };
}

/** `version` of each sighting, `gone` for the end; stops after `count` of them. */
async function watch(count: number, more: Partial<WatchOptions> & { uid?: string } = {}): Promise<string[]> {
  const seen: string[] = [];
  for await (const sighting of watchObject(client, podResource, 'ml', 'a', { signal: stop.signal, timing, uid: 'u-1', ...more })) {
    seen.push(sighting.present ? (sighting.object.metadata.resourceVersion ?? '') : 'gone');
    if (seen.length === count) stop.abort();
  }
  return seen;
}

/** What was asked, in short: `list`, `watch 5`, `get`. */
function asked(): string[] {
  return server.seen.map(({ path, query }) =>
    query.get('watch') ? `watch ${query.get('resourceVersion') ?? ''}` : path.endsWith('/a') ? 'get' : 'list',
  );
}

describe('a watch of one object', () => {
  it('lists, watches from there, and asks for bookmarks', async () => {
    server.script(list(5, object(4)), events([modified(6), bookmark(7), modified(8)], 'stay'));
    expect(await watch(3)).toEqual(['4', '6', '8']);
    expect(server.seen.map(({ query }) => Object.fromEntries(query))).toEqual([
      { fieldSelector: 'metadata.name=a', limit: '500' },
      { fieldSelector: 'metadata.name=a', watch: 'true', resourceVersion: '5', allowWatchBookmarks: 'true', timeoutSeconds: '3600' },
    ]);
  });

  it.each<[string, Step[], string[], string[]]>([
    ['the server ends it', [events([modified(6)], 'end'), events([modified(8)], 'stay')], ['4', '6', '8'], ['list', 'watch 5', 'watch 6']],
    [
      'the network cuts it in the middle of an event',
      [events([modified(6)], 'cut'), events([modified(8)], 'stay')],
      ['4', '6', '8'],
      ['list', 'watch 5', 'watch 6'],
    ],
    [
      'it goes on from a bookmark',
      [events([bookmark(70)], 'end'), events([modified(80)], 'stay')],
      ['4', '80'],
      ['list', 'watch 5', 'watch 70'],
    ],
    [
      'the connection is refused a few times',
      [hangUp, hangUp, hangUp, events([modified(6)], 'stay')],
      ['4', '6'],
      ['list', 'watch 5', 'watch 5', 'watch 5', 'watch 5'],
    ],
    [
      'there are too many requests',
      [failure(429, 'TooManyRequests', 'x', {}, { 'retry-after': '1' }), events([modified(6)], 'stay')],
      ['4', '6'],
      ['list', 'watch 5', 'watch 5'],
    ],
    [
      'the version is too old (410)',
      [failure(410, 'Expired'), list(9, object(8)), events([modified(10)], 'stay')],
      ['4', '8', '10'],
      ['list', 'watch 5', 'list', 'watch 9'],
    ],
    [
      'the version is too old (an event)',
      [events([error(410, 'too old resource version: 1 (457)')], 'end'), list(9, object(8)), events([modified(10)], 'stay')],
      ['4', '8', '10'],
      ['list', 'watch 5', 'list', 'watch 9'],
    ],
    [
      'the server has an inner error',
      [events([modified(6), error(500, 'etcd')], 'end'), list(9, object(8)), events([modified(10)], 'stay')],
      ['4', '6', '8', '10'],
      ['list', 'watch 5', 'list', 'watch 9'],
    ],
    [
      'the list after it finds nothing new',
      [failure(410, 'Expired'), list(9, object(4)), events([modified(10)], 'stay')],
      ['4', '10'],
      ['list', 'watch 5', 'list', 'watch 9'],
    ],
    [
      'a server that has just started has not read the roles yet',
      [
        events([], 'end'),
        failure(403, 'Forbidden', 'cannot watch resource "pods"'),
        failure(403, 'Forbidden', 'cannot list resource "pods"'),
        list(9, object(8)),
      ],
      ['4', '8'],
      ['list', 'watch 5', 'watch 5', 'list', 'list'],
    ],
    [
      'the credentials are refused for a while',
      [failure(401, 'Unauthorized'), failure(401, 'Unauthorized'), list(9, object(8))],
      ['4', '8'],
      ['list', 'watch 5', 'watch 5', 'list'],
    ],
    [
      'each event comes twice',
      [events([modified(6), modified(6), modified(8), modified(8)], 'stay')],
      ['4', '6', '8'],
      ['list', 'watch 5'],
    ],
    [
      'a chunk of it has a size that is none',
      [garbled(modified(6)), events([modified(8)], 'stay')],
      ['4', '6', '8'],
      ['list', 'watch 5', 'watch 6'],
    ],
    [
      'a compressed list ends in the middle',
      [
        failure(410, 'Expired'),
        (response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"items":[]}').subarray(0, 20)),
        list(9, object(8)),
      ],
      ['4', '8'],
      ['list', 'watch 5', 'list', 'list'],
    ],
  ])('goes on when %s', async (_, steps, versions, requests) => {
    server.script(list(5, object(4)), ...steps);
    expect(await watch(versions.length)).toEqual(versions);
    expect(asked().slice(0, requests.length)).toEqual(requests);
  });

  it('goes on when another certificate is shown for a few connections', async () => {
    server.script(list(5, object(4)), list(5, object(4)), events([modified(6)], 'stay'));
    const proxy = await startFaultProxy({
      target: server.url,
      tls: true,
      random: seeded(1),
      decide: ({ number }) => (number === 2 ? { fault: 'certificate', place: 'before' } : undefined),
    });
    const cluster = { 'certificate-authority-data': Buffer.from(proxy.ca ?? '').toString('base64') };
    client = await openKubernetes({
      kubeconfig: kubeconfigFor(proxy.url, undefined, { cluster }),
      environment: {},
      log: keptLog(),
      timing,
    });
    expect(await watch(2)).toEqual(['4', '6']);
    expect(proxy.betrayed).toEqual([]);
    await proxy.close();
  });

  it('shows the newest state in the end where an older event comes after a newer one', async () => {
    server.script(list(5, object(4)), events([modified(8), modified(6)], 'stay'), json(200, object(8)), list(9, object(8)));
    expect(await watch(4, { checkSeconds: 0.05 })).toEqual(['4', '8', '6', '8']);
  });

  it('looks at once when the watch falls silent, and watches anew', async () => {
    server.script(list(5, object(4)), events([], 'stay'), list(9, object(8)), events([modified(10)], 'stay'));
    expect(await watch(3, { silenceSeconds: 0.05 })).toEqual(['4', '8', '10']);
    expect(asked()).toEqual(['list', 'watch 5', 'list', 'watch 9']);
  });

  it('looks at once when the server takes the watch and answers nothing at all', async () => {
    server.script(list(5, object(4)), stall, list(9, object(8)));
    expect(await watch(2, { silenceSeconds: 0.05 })).toEqual(['4', '8']);
  });

  it('looks now and then although the watch is alive, and notices what it does not show', async () => {
    server.script(
      list(5, object(4)),
      events([], 'stay'),
      json(200, object(4)),
      json(200, object(8)),
      list(9, object(8)),
      events([modified(10)], 'stay'),
    );
    expect(await watch(3, { checkSeconds: 0.05 })).toEqual(['4', '8', '10']);
    expect(asked()).toEqual(['list', 'watch 5', 'get', 'get', 'list', 'watch 9']);
  });

  it('looks now and then although no watch lives long enough for it', async () => {
    let time = 0;
    const clock = { ...timing, now: () => (time += 200_000) };
    server.script(list(5, object(4)), events([], 'end'), list(9, object(8)));
    expect(await watch(2, { timing: clock, checkSeconds: 300 })).toEqual(['4', '8']);
  });

  it('does not become a flood of requests where every watch ends at once', async () => {
    server.script(list(5, object(4)), ...Array.from({ length: 8 }, () => events([], 'end')), events([modified(6)], 'stay'));
    await watch(2);
    expect(pauses.length).toBe(7);
    expect(pauses.every((pause, index) => index === 0 || pause > (pauses[index - 1] ?? 0) / 2)).toBe(true);
    expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeGreaterThan(5_000);
  });

  it('ends with the object, after a look', async () => {
    server.script(list(5, object(4)), events([deleted(6)], 'stay'), missing);
    expect(await watch(9)).toEqual(['4', 'gone']);
    expect(asked()).toEqual(['list', 'watch 5', 'get']);
  });

  it.each<[string, Step[]]>([
    ['the look fails for a while', [hangUp, failure(500, 'InternalError'), missing]],
    ['another has its name', [json(200, object(9, { uid: 'u-2' }))]],
  ])('ends when it was deleted and %s', async (_, steps) => {
    server.script(list(5, object(4)), events([deleted(6)], 'stay'), ...steps);
    expect(await watch(9)).toEqual(['4', 'gone']);
  });

  it('believes no deletion that a look does not confirm', async () => {
    server.script(list(5, object(4)), events([deleted(6), modified(9)], 'stay'), json(200, object(8)));
    expect(await watch(3)).toEqual(['4', '8', '9']);
  });

  it('believes no empty list that a look does not confirm', async () => {
    server.script(list(5, object(4)), failure(410, 'Expired'), list(9), json(200, object(8)), events([modified(10)], 'stay'));
    expect(await watch(3)).toEqual(['4', '8', '10']);
  });

  it('ends when an object of the same name is made', async () => {
    server.script(list(5, object(4)), events([added(6, { uid: 'u-2' })], 'stay'), json(200, object(6, { uid: 'u-2' })));
    expect(await watch(9)).toEqual(['4', 'gone']);
  });

  it('says at once that it is gone where it never was', async () => {
    server.script(list(5), missing);
    const sightings: Sighting[] = [];
    for await (const sighting of watchObject(client, podResource, 'ml', 'a', { signal: stop.signal, timing })) sightings.push(sighting);
    expect(sightings).toEqual([{ present: false }]);
  });

  it.each<[string, Step[], string]>([
    [
      'the right to list',
      [failure(403, 'Forbidden', 'pods is forbidden: User "u" cannot list resource "pods" in API group "" in the namespace "ml"')],
      'missing right: cannot list pods in namespace ml',
    ],
    [
      'the right to watch',
      [
        list(5, object(4)),
        failure(403, 'Forbidden', 'pods is forbidden: User "u" cannot watch resource "pods" in API group "" in the namespace "ml"'),
      ],
      'missing right: cannot watch pods in namespace ml',
    ],
    ['the kind', [(response) => void response.writeHead(404).end('404 page not found')], 'does not know pods'],
  ])('throws what cannot get better: without %s', async (_, steps, expected) => {
    server.script(...steps);
    await expect(watch(9)).rejects.toThrow(expected);
  });

  it('throws when credentials stay refused', async () => {
    let time = 0;
    const clock = { ...timing, now: () => (time += 60_000) };
    server.otherwise = failure(401, 'Unauthorized', 'Unauthorized');
    server.script(list(5, object(4)));
    await expect(watch(9, { timing: clock })).rejects.toThrow('does not accept the credentials');
  });

  it('throws when not even the first look succeeds', async () => {
    server.otherwise = failure(503, 'ServiceUnavailable', 'starting');
    const quick = await openKubernetes({
      kubeconfig: kubeconfigFor(server.url),
      environment: {},
      log: keptLog(),
      firstBudgetSeconds: 0,
      budgetSeconds: 0,
    });
    const first = watchObject(quick, podResource, 'ml', 'a', { signal: stop.signal, timing }).next();
    expect(words(await first.catch((thrown: unknown) => thrown))).toContain('cannot list pods in namespace ml now: 503 starting');
  });

  it('ends quietly when it is told to', async () => {
    server.script(list(5, object(4)), events([], 'stay'));
    expect(await watch(1)).toEqual(['4']);
  });
});

describe('a watch of a selection', () => {
  const b = { name: 'b', uid: 'u-2' };
  async function select(count: number): Promise<string[]> {
    const seen: string[] = [];
    const selection = watchSelection(client, podResource, 'ml', { labelSelector: 'x=y' }, { signal: stop.signal, timing });
    for await (const { present, object: one } of selection) {
      seen.push(`${one.metadata.name ?? ''}${present ? (one.metadata.resourceVersion ?? '') : ' gone'}`);
      if (seen.length === count) stop.abort();
    }
    return seen;
  }

  it('shows each object and each change, and what came between two lists', async () => {
    server.script(
      list(5, object(4)),
      events([added(6, b), error(410, 'old')], 'end'),
      list(9, object(4), object(8, { name: 'c', uid: 'u-3' })),
      failure(404, 'NotFound', 'pods "b" not found', { name: 'b' }),
      events([modified(10)], 'stay'),
    );
    expect(await select(5)).toEqual(['a4', 'b6', 'c8', 'b gone', 'a10']);
    expect(server.seen[1]?.query.get('labelSelector')).toBe('x=y');
  });

  it('believes no deletion that a look does not confirm', async () => {
    server.script(list(5, object(4)), events([deleted(6), added(7, b)], 'stay'), json(200, object(4)));
    expect(await select(2)).toEqual(['a4', 'b7']);
  });
});
