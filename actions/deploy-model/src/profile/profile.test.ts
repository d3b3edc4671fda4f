import { describe, expect, it } from '@jest/globals';
import { ActionError } from '@slashtrain/core/action/errors';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { readSmokeTest } from '../smoke/read.ts';
import type { Endpoint, Serving } from '../types.ts';
import { profile, type Profile } from './profile.ts';
import { profileMarkdown } from './show.ts';
import { suggest } from './suggest.ts';
import { lookAtUsage, usageOfMetrics } from './usage.ts';

/** Of a kubelet 1.35.4's /stats/summary, without what is not read. */
const summary = {
  pods: [
    {
      podRef: { name: 'digits-1', namespace: 'ml', uid: '78c72527-4cfb-4d7e-9e96-c63a09f97f35' },
      startTime: '2026-11-21T18:07:51Z',
      containers: [
        {
          name: 'model',
          startTime: '2026-11-21T18:07:52Z',
          cpu: { time: '2026-11-21T19:11:29Z', usageNanoCores: 210_111_152, usageCoreNanoSeconds: 8_169_490_117 },
          memory: { time: '2026-11-21T19:11:29Z', usageBytes: 172_810_240, workingSetBytes: 167_608_320, rssBytes: 160_768_000 },
        },
        { name: 'starting', startTime: '2026-11-21T19:11:29Z' },
      ],
    },
    {
      podRef: { name: 'digits-1', namespace: 'other' },
      containers: [{ name: 'model', cpu: { usageNanoCores: 1 }, memory: { workingSetBytes: 1 } }],
    },
    { podRef: { name: 'another', namespace: 'ml' } },
  ],
};
/** As the metrics API's own documentation has it: https://github.com/kubernetes/metrics/blob/v0.36.3/pkg/apis/metrics/v1beta1/types.go. */
const metrics = {
  apiVersion: 'metrics.k8s.io/v1beta1',
  kind: 'PodMetrics',
  metadata: { name: 'digits-1', namespace: 'ml' },
  timestamp: '2026-11-21T19:11:29Z',
  window: '15s',
  containers: [
    { name: 'model', usage: { cpu: '210111152n', memory: '163680Ki' } },
    { name: 'proxy', usage: { cpu: '5m', memory: '20Mi' } },
    { name: 'other', usage: { cpu: '250u', memory: '1Mi' } },
    { name: 'odd', usage: { cpu: '-1', memory: '1Mi' } },
  ],
};
const podList = {
  items: [
    { metadata: { name: 'digits-1' }, spec: { nodeName: 'node/1' } },
    { metadata: { name: 'digits-2' }, spec: {} },
  ],
  resourceVersion: '1',
};

function cluster(answers: { metrics?: object | Error; summary?: unknown }): { client: KubernetesClient; asked: string[] } {
  const asked: string[] = [];
  const client: Partial<KubernetesClient> = {
    list: (async ({ group }: { group: string }) => {
      asked.push(`list ${group}`);
      if (group === '') return podList;
      if (answers.metrics instanceof Error) throw answers.metrics;
      return { items: answers.metrics === undefined ? [] : [answers.metrics], resourceVersion: '1' };
    }) as unknown as KubernetesClient['list'],
    read: async (path) => {
      asked.push(path);
      if (answers.summary instanceof Error) throw answers.summary;
      return answers.summary;
    },
  };
  return { client: client as KubernetesClient, asked };
}
const none = new ActionError('not-found', 'https://k:6443 does not know pods.metrics.k8s.io in metrics.k8s.io/v1beta1');

describe('what pods use', () => {
  it('is read from the metrics API', async () => {
    const { client, asked } = cluster({ metrics });
    const { usage, source } = await lookAtUsage(client, 'ml', 'app=digits');
    expect([source, asked]).toEqual(['metrics.k8s.io', ['list metrics.k8s.io']]);
    expect(usage).toEqual(usageOfMetrics(metrics));
    expect(usage.map(({ container, cores, bytes }) => [container, cores, bytes])).toEqual([
      ['model', 0.210_111_152, 163_680 * 1024],
      ['proxy', 0.005, 20 * 1024 ** 2],
      ['other', 0.000_25, 1024 ** 2],
    ]);
  });

  it.each<[string, object | Error | undefined]>([
    ['there is none', none],
    ['it knows nothing yet', undefined],
  ])('is read from the kubelets where %s', async (_, given) => {
    const { client, asked } = cluster({ ...(given ? { metrics: given } : {}), summary });
    const { usage, source } = await lookAtUsage(client, 'ml', 'app=digits');
    expect(asked.at(-1)).toBe('/api/v1/nodes/node%2F1/proxy/stats/summary');
    expect([source, usage]).toEqual(['kubelet', [{ pod: 'digits-1', container: 'model', cores: 0.210_111_152, bytes: 167_608_320 }]]);
  });

  it.each<[unknown, string]>([
    [new ActionError('permission', 'missing right: cannot get nodes/proxy'), 'missing right: cannot get nodes/proxy'],
    [undefined, 'the kubelet knows nothing of these pods yet'],
    [{ pods: [] }, 'the kubelet knows nothing of these pods yet'],
  ])('is not known, and why: %#', async (given, problem) => {
    const { client } = cluster({ metrics: none, summary: given });
    const look = await lookAtUsage(client, 'ml', 'app=digits');
    expect(look).toEqual({ usage: [], problems: [none.message, problem] });
  });
});

describe('suggest', () => {
  const use = (pod: string, cores: number, mebibytes: number): Parameters<typeof suggest>[0][0][0] => ({
    pod,
    container: 'model',
    cores,
    bytes: mebibytes * 1024 ** 2,
  });
  it.each([
    [[[use('a', 0.2, 100)]], '250m', '128Mi'],
    [[[use('a', 0.2, 100), use('b', 0.9, 50)], [use('a', 0.1, 1000)]], '1100m', '1216Mi'],
    [[[use('a', 0, 0)]], '50m', '32Mi'],
  ])('%#: a fifth more than the most', (looks, cpu, memory) => {
    expect(suggest(looks)[0]).toMatchObject({ requests: { cpu, memory }, limits: { memory } });
  });
});

describe('a profile', () => {
  const test = readSmokeTest(
    '- v1: digits\n  json: { instances: [[1]] }\n  expect: { status: 200 }\n- path: /gone\n  expect: { status: 404 }',
    {
      where: 'x',
      readFile: () => '',
    },
  );
  const serving: Serving = { how: 'pods', namespace: 'ml', selector: 'app=digits', port: 8080 };
  /** A model that takes `milliseconds` for an answer and works at `width` of them at once; time passes by asking it. */
  async function run(width: number, fail: (count: number) => boolean = () => false): Promise<{ profile: Profile; paths: Set<string> }> {
    const paths = new Set<string>();
    let [now, count, busy] = [0, 0, 0];
    const endpoint: Endpoint = {
      name: 'pod digits-1',
      fetch: async (path) => {
        paths.add(path);
        count += 1;
        busy += 1;
        await new Promise((done) => setImmediate(done));
        now += 100 / Math.min(busy, width);
        busy -= 1;
        return { status: fail(count) ? 500 : 200, headers: {}, body: Buffer.alloc(0) };
      },
      close: () => undefined,
    };
    const { client } = cluster({ metrics });
    const pause = (_: number, signal?: AbortSignal): Promise<void> =>
      new Promise((done) => (signal?.aborted ? done() : signal?.addEventListener('abort', () => done(), { once: true })));
    const parts = { endpointsOf: async () => [endpoint], client, timing: { pause }, clock: () => now, seconds: 21, say: () => undefined };
    return { profile: await profile(test, serving, parts, new AbortController().signal), paths };
  }

  it('rises until more at once brings no more', async () => {
    const { profile: found, paths } = await run(4);
    expect(found.stages.map(({ concurrency }) => concurrency)).toEqual([1, 2, 4, 8]);
    expect(found.stages[0]).toMatchObject({ answered: 30, failed: 0, throughput: 10, latency: { p50: 0.1 } });
    expect(found.stages[2]!.throughput).toBeGreaterThan(2 * found.stages[0]!.throughput);
    expect([...paths]).toEqual(['/v1/models/digits:predict']);
    expect(found).toMatchObject({ pods: 1, source: 'metrics.k8s.io', problems: [] });
    expect(found.suggestions[0]).toMatchObject({ container: 'model', requests: { cpu: '300m', memory: '192Mi' } });
  });

  it('stops where answers fail', async () => {
    const { profile: found } = await run(100, (count) => count > 40);
    expect(found.stages.map(({ concurrency }) => concurrency)).toEqual([1, 2]);
    expect(found.stages[1]!.failed).toBeGreaterThan(0);
  });

  it('is shown with plots and what to set', async () => {
    const markdown = profileMarkdown((await run(4)).profile);
    expect(markdown).toContain('| 1 | 10 | 100 ms | 100 ms | 100 ms | 0 |');
    expect(markdown).toContain('x-axis "requests at once"');
    expect(markdown).toContain('| `model` | 0.21 | 160 MiB | `cpu: 300m, memory: 192Mi` | `memory: 192Mi` |');
  });

  it('says why nothing is suggested', () => {
    expect(profileMarkdown({ pods: 2, stages: [], suggestions: [], problems: ['no <b>right</b>'] })).toMatch(
      /What the pods used is not known: no &#60;b&#62;right&#60;\/b&#62;$/u,
    );
  });
});
