import { expect } from '@jest/globals';
import type { Api, Case, WatchEvent } from './api.ts';
import { configMap } from './manifests.ts';

const ours = 'labelSelector=contract';

/** A ConfigMap that the cases' selectors find, unlike what the cluster puts into each namespace. */
const labelled = (name: string, labels: Record<string, string> = {}) => configMap(name, {}, { contract: 'yes', ...labels });

async function names(api: Api, query: string): Promise<string[]> {
  const { body } = await api.get(api.path(`configmaps?${query}`));
  return body.items.map(({ metadata }) => metadata.name);
}

/** So many events of a watch. */
async function take(events: AsyncGenerator<WatchEvent>, count: number): Promise<WatchEvent[]> {
  const taken: WatchEvent[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

const brief = ({ type, object }: WatchEvent): string => `${type} ${object.metadata.name}`;

/** Collections: lists, pages, selectors, watches. */
export const watchCases: Case[] = [
  {
    name: 'lists by name, without kinds in the items',
    run: async (api) => {
      for (const name of ['b', 'a', 'c']) await api.post(api.path('configmaps'), labelled(name));
      const { body } = await api.get(api.path(`configmaps?${ours}`));
      expect(body).toMatchObject({
        kind: 'ConfigMapList',
        apiVersion: 'v1',
        metadata: { resourceVersion: expect.stringMatching(/^\d+$/u) },
      });
      expect(body.items.map(({ metadata }) => metadata.name)).toEqual(['a', 'b', 'c']);
      expect(body.items[0]).not.toHaveProperty('kind');
      expect(body.items[0]).not.toHaveProperty('apiVersion');
    },
  },
  {
    name: 'pages through one state',
    run: async (api) => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) await api.post(api.path('configmaps'), labelled(name));
      const first = (await api.get(api.path(`configmaps?${ours}&limit=2`))).body;
      expect(first.items.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
      await api.delete(api.path('configmaps/c'));
      await api.post(api.path('configmaps'), labelled('f'));
      const query = `configmaps?${ours}&limit=2&continue=${first.metadata.continue}`;
      const second = (await api.get(api.path(query))).body;
      expect(second.items.map(({ metadata }) => metadata.name)).toEqual(['c', 'd']);
      expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
      const last = (await api.get(api.path(`configmaps?${ours}&limit=2&continue=${second.metadata.continue}`))).body;
      expect([last.items.map(({ metadata }) => metadata.name), last.metadata.continue]).toEqual([['e'], undefined]);
    },
  },
  {
    name: 'selects by labels',
    run: async (api) => {
      await api.post(api.path('configmaps'), labelled('a', { tier: 'one', 'example.com/x': '1' }));
      await api.post(api.path('configmaps'), labelled('b', { tier: 'two' }));
      await api.post(api.path('configmaps'), labelled('c'));
      const table: Record<string, string[]> = {
        'tier=one': ['a'],
        'tier==two': ['b'],
        'tier!=one': ['b', 'c'],
        'tier in (one, two)': ['a', 'b'],
        'tier notin (one)': ['b', 'c'],
        tier: ['a', 'b'],
        '!tier': ['c'],
        'tier,example.com/x=1': ['a'],
        'tier=': [],
      };
      for (const [selector, found] of Object.entries(table)) {
        expect([selector, await names(api, `labelSelector=${encodeURIComponent(`contract,${selector}`)}`)]).toEqual([selector, found]);
      }
      const bad = await api.get(api.path(`configmaps?labelSelector=${encodeURIComponent('a b')}`));
      expect(bad.body).toMatchObject({
        code: 400,
        reason: 'BadRequest',
        message: expect.stringMatching(/^unable to parse requirement: /u),
      });
    },
  },
  {
    name: 'selects by some fields, and says which it does not know',
    run: async (api) => {
      for (const name of ['a', 'b']) await api.post(api.path('configmaps'), labelled(name));
      expect(await names(api, `${ours}&fieldSelector=metadata.name%3Da`)).toEqual(['a']);
      expect(await names(api, `${ours}&fieldSelector=metadata.name!%3Da,metadata.namespace%3D${api.namespace}`)).toEqual(['b']);
      const bad = await api.get(api.path('configmaps?fieldSelector=data.x%3D1'));
      expect(bad.body).toMatchObject({
        code: 400,
        reason: 'BadRequest',
        message: '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
      });
      const ofJobs = await api.get(api.path('jobs?fieldSelector=spec.x%3D1'));
      expect(ofJobs.body['message']).toBe('field label "spec.x" not supported for Job');
    },
  },
  {
    name: 'watches on from a list without a gap',
    run: async (api) => {
      const since = (await api.get(api.path(`configmaps?${ours}`))).body.metadata.resourceVersion;
      await api.post(api.path('configmaps'), labelled('before'));
      const events = api.watch(api.path(`configmaps?${ours}&resourceVersion=${since}&timeoutSeconds=60`));
      expect((await events.next()).value).toMatchObject({ type: 'ADDED', object: { kind: 'ConfigMap', metadata: { name: 'before' } } });
      await api.patch(api.path('configmaps/before'), { data: { a: '1' } });
      await api.delete(api.path('configmaps/before'));
      const rest = await take(events, 2);
      expect(rest.map(brief)).toEqual(['MODIFIED before', 'DELETED before']);
      const [modified, deleted] = rest.map(({ object }) => Number(object.metadata.resourceVersion));
      // The deletion has a version of its own.
      expect(deleted).toBeGreaterThan(modified as number);
      expect(modified).toBeGreaterThan(Number(since));
    },
  },
  {
    name: 'starts a watch without a version with what there is',
    run: async (api) => {
      await api.post(api.path('configmaps'), labelled('a'));
      for (const version of ['', '&resourceVersion=0']) {
        const events = await take(api.watch(api.path(`configmaps?${ours}&timeoutSeconds=60${version}`)), 1);
        expect(events.map(brief)).toEqual(['ADDED a']);
      }
    },
  },
  {
    name: 'watches one object by its path’s collection, and what leaves a selection as deleted',
    run: async (api) => {
      await api.post(api.path('configmaps'), labelled('a', { tier: 'one' }));
      const since = (await api.get(api.path(`configmaps?${ours}`))).body.metadata.resourceVersion;
      const events = api.watch(api.path(`configmaps?labelSelector=tier%3Done&resourceVersion=${since}&timeoutSeconds=60`));
      await api.patch(api.path('configmaps/a'), { data: { n: '1' } });
      await api.patch(api.path('configmaps/a'), { metadata: { labels: { tier: 'two' } }, data: { n: '2' } });
      const back = (await api.patch(api.path('configmaps/a'), { metadata: { labels: { tier: 'one' } }, data: { n: '3' } })).body;
      const seen = await take(events, 3);
      expect(seen.map(({ type, object }) => [type, object['data']])).toEqual([
        ['MODIFIED', { n: '1' }],
        // As it was while it belonged there, with the version of the change.
        ['DELETED', { n: '1' }],
        ['ADDED', { n: '3' }],
      ]);
      expect(seen[2]?.object.metadata.resourceVersion).toBe(back.metadata.resourceVersion);
      expect(Number(seen[1]?.object.metadata.resourceVersion)).toBeGreaterThan(Number(seen[0]?.object.metadata.resourceVersion));
    },
  },
  {
    name: 'ends a watch when its time is over',
    run: async (api) => {
      const events = api.watch(api.path(`configmaps?${ours}&timeoutSeconds=1`));
      expect(await events.next()).toEqual({ done: true, value: undefined });
    },
  },
  {
    name: 'tells a watch from a version that is gone so, with an event and not with a status',
    run: async (api) => {
      api.cluster?.compact();
      const [event] = await take(api.watch(api.path('configmaps?resourceVersion=1&timeoutSeconds=10')), 1);
      // A server that was started just now still has all versions.
      if (api.target.name === 'real' && event?.type === 'ADDED') return;
      expect(event).toEqual({
        type: 'ERROR',
        object: {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: expect.stringMatching(/^too old resource version: 1 \(\d+\)$/u),
          reason: 'Expired',
          code: 410,
        },
      });
    },
  },
  {
    name: 'answers 410 for a page of a state that is gone, with a token to go on anyway',
    run: async (api) => {
      await api.post(api.path('configmaps'), labelled('b'));
      api.cluster?.compact();
      const token = Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: 2, start: 'a\0' })).toString('base64url');
      const gone = await api.get(api.path(`configmaps?${ours}&limit=1&continue=${token}`));
      // A server that was started just now still has all states.
      if (api.target.name === 'real' && gone.status === 200) return;
      expect(gone.body).toMatchObject({
        kind: 'Status',
        code: 410,
        reason: 'Expired',
        message: expect.stringContaining('continue parameter is too old'),
      });
      expect(await names(api, `${ours}&limit=1&continue=${gone.body.metadata.continue}`)).toEqual(['b']);
    },
  },
  {
    name: 'answers 504 for a list of a version that is still to come',
    run: async (api) => {
      const future = await api.get(api.path('configmaps?resourceVersion=999999999'));
      expect(future.body).toMatchObject({
        code: 504,
        reason: 'Timeout',
        message: expect.stringMatching(/^Timeout: Too large resource version: 999999999, current: \d+$/u),
        details: { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 },
      });
      expect((await api.get(api.path('configmaps?resourceVersion=abc'))).status).toBe(400);
      expect((await api.get(api.path('configmaps?watch=true&resourceVersion=abc'))).status).toBe(500);
    },
  },
  {
    name: 'sends bookmarks to a watch that allows them',
    // The embedded one is as slow by default; watch.test.ts beside it makes it quicker.
    only: 'real',
    run: async (api) => {
      const since = (await api.get(api.path(`jobs`))).body.metadata.resourceVersion;
      const [event] = await take(api.watch(api.path(`jobs?allowWatchBookmarks=true&resourceVersion=${since}&timeoutSeconds=90`)), 1);
      expect(event).toMatchObject({
        type: 'BOOKMARK',
        object: { kind: 'Job', apiVersion: 'batch/v1', metadata: { resourceVersion: expect.any(String) } },
      });
      expect(Number(event?.object.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(since));
    },
  },
];
