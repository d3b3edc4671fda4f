import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openMlflow } from '@slashtrain/core/trackers/mlflow';
import { openPrometheus } from '@slashtrain/core/trackers/prometheus';
import { openWandb } from '@slashtrain/core/trackers/wandb';
import { startWandb } from '@slashtrain/testing/trackers/wandb';
import { serveTracker, type FakeTracker } from '@slashtrain/testing/trackers/server';

/* How trackers' clients take what goes wrong; and W&B and Prometheus by answers of the documented form: no real server gave them. */

let server: FakeTracker;
let answer: (path: string, body: Record<string, unknown>) => object;
beforeAll(async () => {
  server = await serveTracker('tracker', async ({ url, body }) =>
    answer(url.pathname, (body ? JSON.parse(body) : {}) as Record<string, unknown>),
  );
});
beforeEach(() => {
  server.requests.splice(0);
});
afterAll(() => server.close());

const options = { from: 'TRACKER_URL', environment: {}, mask: () => undefined, wait: async () => undefined };

describe('a tracker that', () => {
  it.each<[string, Parameters<FakeTracker['fail']>[0], number, string]>([
    ['wants a key', { status: 401, body: '{"message": "no key"}' }, 1, 'with 401: no key'],
    ['refuses', { status: 403 }, 1, 'with 403'],
    ['does not know it', { status: 404, body: '{"error": "nothing"}' }, 1, 'with 404: nothing'],
    ['stays busy', { status: 429 }, 5, 'with 429'],
    ['stays broken', { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>Bad Gateway' }, 5, 'with 502'],
    ['answers with a page', { status: 200, body: '<!DOCTYPE html><title>Sign in</title>' }, 1, 'a page (HTML), not JSON'],
    ['answers with half of it', { status: 200, body: '{"experiments": [{"exp' }, 1, 'bytes that are no JSON, or half of it'],
    ['breaks off', { cut: true }, 3, 'MLflow did not answer POST'],
  ])('%s is named, with what was asked', async (_, fault, times, words) => {
    answer = () => ({ experiments: [] });
    server.fail(fault, times);
    const mlflow = openMlflow({ ...options, url: server.url });
    await expect(mlflow.experimentIds([])).rejects.toThrow(words);
    expect(await mlflow.experimentIds([])).toEqual([]);
  });

  it('is not there is named', async () => {
    const mlflow = openMlflow({ ...options, url: 'http://127.0.0.1:1' });
    await expect(mlflow.experimentIds([])).rejects.toThrow(
      'MLflow did not answer POST http://127.0.0.1:1/api/2.0/mlflow/experiments/search',
    );
  });

  it.each(['ftp://x', 'mlruns', 'http://user:pass@host'])('has the URL %s is refused', (url) => {
    expect(() => openMlflow({ ...options, url })).toThrow('TRACKER_URL is no URL of MLflow');
  });
});

describe('W&B', () => {
  const node = (name: string): object => ({
    node: {
      name,
      displayName: `run ${name}`,
      state: 'finished',
      config: '{"lr": {"value": 0.1}, "github_sha": {"value": "abc"}, "_wandb": {"value": {}}}',
      summaryMetrics: '{"accuracy": 0.9, "loss": NaN, "worst": "-Infinity", "_step": 10, "note": "x", "__proto__": 1}',
      tags: ['slashtrain', 'pr-42'],
      commit: null,
      createdAt: '2026-01-01T00:00:00Z',
      group: 'digits-pr42',
    },
  });

  it('is asked page by page, and its runs are read', async () => {
    answer = (_, { variables }) => {
      const { cursor: after } = variables as { cursor: string | null };
      const pageInfo = { endCursor: after === null ? 'c1' : 'c2', hasNextPage: after === null };
      return { data: { project: { runs: { edges: [node(after === null ? 'a' : 'b')], pageInfo } } } };
    };
    const wandb = openWandb({ ...options, url: server.url, entity: 'acme', project: 'digits', environment: { WANDB_API_KEY: 'key' } });
    const found = [];
    for await (const page of wandb.searchRuns({ commit: 'abc' })) found.push(...page);
    expect(found.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(found[0]).toMatchObject({
      commit: 'abc',
      run: 'digits-pr42',
      pullRequest: '42',
      state: 'finished',
      parameters: [{ name: 'lr', value: '0.1' }],
    });
    expect(found[0]?.series).toEqual([
      { name: 'accuracy', points: [{ step: 0, value: 0.9 }] },
      { name: 'loss', points: [{ step: 0, value: Number.NaN }] },
      { name: 'worst', points: [{ step: 0, value: Number.NEGATIVE_INFINITY }] },
    ]);
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('api:key').toString('base64')}`);
    expect(JSON.parse(server.requests[1]?.body ?? '')).toMatchObject({
      variables: { entity: 'acme', project: 'digits', filters: '{"commit":"abc"}', cursor: 'c1' },
    });
  });

  it('has curves: sampled by its server, or whole where a gate looks at every point', async () => {
    const wandb = await startWandb({ key: 'key', entity: 'acme', project: 'digits' });
    const history = Array.from({ length: 2500 }, (_, _step) => ({ _step, loss: _step === 1234 ? 'NaN' : _step === 1501 ? -1 : 1 }));
    wandb.log([
      { name: 'a', history },
      { name: 'b', history: [{ _step: 3, other: 1 }] },
    ]);
    const client = openWandb({ ...options, url: wandb.url, entity: 'acme', project: 'digits', environment: { WANDB_API_KEY: 'key' } });
    for await (const page of client.searchRuns({})) expect(page.map(({ id }) => id)).toEqual(['b', 'a']);
    const few = (await client.histories(['a', 'b'], 'loss')).get('a') ?? [];
    expect([few.length, few[0]?.step]).toEqual([500, 0]);
    const all = await client.histories(['a', 'b'], 'loss', true);
    expect(all.get('a')?.map(({ step }) => step)).toEqual(history.map(({ _step }) => _step));
    expect([all.get('a')?.[1234]?.value, all.get('a')?.[1501]?.value]).toEqual([Number.NaN, -1]);
    expect(all.get('b')).toEqual([]);
    await wandb.close();
  });

  it.each<[object, string]>([
    [{ errors: [{ message: 'invalid field' }] }, 'W&B refused the query for acme/digits: invalid field'],
    [{ data: { project: null } }, 'W&B has no project acme/digits'],
  ])('says what is wrong: %j', async (given, words) => {
    answer = () => given;
    const wandb = openWandb({ ...options, url: server.url, entity: 'acme', project: 'digits', environment: {} });
    await expect(wandb.searchRuns({}).next()).rejects.toThrow(words);
  });
});

describe('Prometheus', () => {
  it.each<[string, object, number | string]>([
    ['a vector', { resultType: 'vector', result: [{ metric: {}, value: [1, '0.25'] }] }, 0.25],
    ['a scalar', { resultType: 'scalar', result: [1, 'NaN'] }, Number.NaN],
    ['an infinity', { resultType: 'vector', result: [{ value: [1, '+Inf'] }] }, Number.POSITIVE_INFINITY],
    ['nothing', { resultType: 'vector', result: [] }, 'gives nothing on'],
    ['several series', { resultType: 'vector', result: [{ value: [1, '1'] }, { value: [1, '2'] }] }, 'gives 2 series'],
  ])('gives %s', async (_, data, expected) => {
    answer = () => ({ status: 'success', data });
    const value = openPrometheus({ ...options, url: server.url }).value('max(drift{job="a"})');
    if (typeof expected === 'string') await expect(value).rejects.toThrow(expected);
    else expect(await value).toBe(expected);
    expect(server.requests[0]?.url.searchParams.get('query')).toBe('max(drift{job="a"})');
  });
});
