import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { configMaps, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { RunMetrics } from '@slashtrain/core/metrics/metrics';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { recordLabels, type RunRecord } from '@slashtrain/core/run/record';
import { keptLog } from '../support/kubernetes.ts';
import { openTarget, sayWhatIsSkipped, targets, unique, type Target } from '../support/targets.ts';

/* Records as ConfigMaps: found by label, believed by content, written for one version. */

const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
sayWhatIsSkipped('records');

describe.each(targets)('records on the %s cluster', (name) => {
  let target: Target;
  let client: KubernetesClient;
  let records: RecordStore;
  let namespace: string;
  beforeAll(async () => {
    target = await openTarget(name);
    client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
    records = recordStore(client);
    namespace = unique('records');
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  });
  afterAll(async () => {
    await client.delete(namespaces, '', namespace);
    await target.close();
  });

  // Each case has a repository of its own.
  let repositoryId = Math.floor(Math.random() * 1e9) + 1;
  beforeEach(() => {
    repositoryId += 1;
  });
  const record = (more: Partial<RunRecord> = {}): RunRecord => ({
    version: 1,
    repository: { id: repositoryId, fullName: 'acme/digits' },
    pullRequest: 42,
    sha: 'a'.repeat(40),
    tree: 'b'.repeat(40),
    pipeline: 'digits',
    request: 'c'.repeat(64),
    asked: [{ id: 'comment:1', runAttempt: 1 }],
    attempt: 1,
    actor: 'mona',
    createdAt: '2026-11-21T12:00:00.000Z',
    images: [],
    parameters: [{ name: 'epochs', value: '20' }],
    kind: { plural: 'jobs', group: 'batch' },
    state: 'queued',
    ...more,
  });
  const make = async (more: Partial<RunRecord> = {}): Promise<StoredRecord> => {
    const stored = await records.create(namespace, unique('digits'), record(more));
    if (!stored) throw new Error('the name is taken');
    return stored;
  };

  it('are made once under a name, and read back as they were', async () => {
    const stored = await make();
    expect(stored.record).toEqual(record());
    expect(await records.create(namespace, stored.name, record({ attempt: 2 }))).toBeUndefined();
    expect(await records.get(namespace, stored.name)).toEqual(stored);
    expect(await records.get(namespace, 'not-there')).toBeUndefined();
  });

  it('are found by what is asked, oldest first', async () => {
    const [second, first, elsewhere, main] = [
      await make({ createdAt: '2026-11-21T13:00:00.000Z', attempt: 2 }),
      await make(),
      await make({ sha: 'd'.repeat(40), createdAt: '2026-11-21T12:30:00.000Z' }),
      await (async () => {
        const { pullRequest: _, ...rest } = record({ pipeline: 'other' });
        return records.create(namespace, unique('main'), rest);
      })(),
    ];
    const names = async (query: object): Promise<string[]> =>
      (await records.find(namespace, { repositoryId, ...query })).map((one) => one.name);
    expect(await names({ sha: 'a'.repeat(40), pipeline: 'digits' })).toEqual([first.name, second.name]);
    expect(await names({ pullRequest: 42 })).toEqual([first.name, elsewhere.name, second.name]);
    expect(await names({ pipeline: 'other' })).toEqual([main?.name]);
    expect(await names({ pullRequest: 43 })).toEqual([]);
  });

  it('are written for the version that was read, with their labels in step', async () => {
    const stored = await make({ lease: { holder: 'a', expiresAt: '2026-11-21T12:01:00.000Z' } });
    const written = await records.update(stored, ({ lease: _, ...rest }) => ({ ...rest, state: 'running', run: 'x' }));
    expect(written?.record).toEqual(record({ state: 'running', run: 'x' }));
    expect(await records.update(stored, (old) => ({ ...old, state: 'failed' }))).toBeUndefined();
    expect((await client.get(configMaps, namespace, stored.name))?.metadata.labels).toEqual(recordLabels(record({ state: 'running' })));
    expect(stored.record.state).toBe('queued');
  });

  it('lose no field that a later version wrote', async () => {
    const stored = await make({ later: { a: 1 } } as Partial<RunRecord>);
    await records.update(stored, (old) => ({ ...old, state: 'running' }));
    expect((await records.get(namespace, stored.name))?.record).toMatchObject({ state: 'running', later: { a: 1 } });
  });

  it.each<[string, (valid: RunRecord) => Record<string, string> | undefined]>([
    ['no record', () => undefined],
    ['no JSON', () => ({ record: '{' })],
    ['a list', () => ({ record: '[]' })],
    ['a state that is none', (valid) => ({ record: JSON.stringify({ ...valid, state: 'won' }) })],
    ['a short SHA', (valid) => ({ record: JSON.stringify({ ...valid, sha: 'abc1234' }) })],
    ['an asker that is none', (valid) => ({ record: JSON.stringify({ ...valid, asked: [{ id: 'me', runAttempt: 1 }] }) })],
    ["another repository's", (valid) => ({ record: JSON.stringify({ ...valid, repository: { id: 1, fullName: 'a/b' } }) })],
    ["another pull request's", (valid) => ({ record: JSON.stringify({ ...valid, pullRequest: 1 }) })],
  ])('are not made up by a ConfigMap with our labels and %s', async (_, data) => {
    const valid = record();
    const mine = await make();
    const fake = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: unique('fake'), namespace, labels: recordLabels(valid) },
      data: data(valid),
    };
    await client.create(configMaps, fake);
    const found = await records.find(namespace, { repositoryId, pullRequest: 42 });
    expect(found.map((stored) => stored.name)).toEqual([mine.name]);
  });

  const metrics = (...values: number[]): RunMetrics => ({
    version: 1,
    series: [{ name: 'loss/μ "x"', points: values.map((value, step) => ({ step, value })) }],
    dropped: [],
  });

  it('keep their metrics, odd values too, and the last that were written', async () => {
    const stored = await make();
    expect(await records.readMetrics(stored)).toBeUndefined();
    await records.writeMetrics(stored, metrics(1));
    const odd = metrics(1, Number.NaN, Infinity, -Infinity, 0.1);
    await records.writeMetrics(stored, odd);
    expect(await records.readMetrics(stored)).toEqual(odd);
    // It is no record, and is not taken for one.
    expect(await records.find(namespace, { repositoryId })).toHaveLength(1);
  });

  it('believe no metrics that are not owned by them', async () => {
    const [mine, other] = [await make(), await make()];
    await records.writeMetrics(mine, metrics(0.99));
    const stolen = await client.get(configMaps, namespace, `${mine.name}-metrics`);
    await client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `${other.name}-metrics`, namespace },
      binaryData: stolen?.['binaryData'],
    });
    expect(await records.readMetrics(other)).toBeUndefined();
  });

  it('believe no metrics that they did not write', async () => {
    const stored = await make();
    await client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: `${stored.name}-metrics`,
        namespace,
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: stored.name, uid: stored.uid }],
      },
      binaryData: { 'metrics.json.gz': Buffer.from('no gzip').toString('base64') },
    });
    expect(await records.readMetrics(stored)).toBeUndefined();
  });

  it('fit into a ConfigMap however much was measured', async () => {
    const stored = await make();
    let seed = 1;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const series = Array.from({ length: 40 }, (_, index) => ({
      name: `metric-${index}`,
      points: Array.from({ length: 5_000 }, (__, step) => ({ step, value: random() })),
    }));
    await records.writeMetrics(stored, { version: 1, series, dropped: [] }, new Set(['metric-39']));
    const kept = await records.readMetrics(stored);
    expect(kept?.series).toHaveLength(40);
    expect(kept?.series[39]?.points).toEqual(series[39]?.points);
    expect(kept?.dropped).toContain('29 more were thinned or left out');
  });

  it('go with their metrics, and only if they are still the same', async () => {
    const stored = await make();
    await records.writeMetrics(stored, metrics(1));
    await records.delete({ ...stored, uid: '00000000-0000-0000-0000-000000000000' });
    expect(await records.get(namespace, stored.name)).toBeDefined();
    await records.delete(stored);
    expect(await records.get(namespace, stored.name)).toBeUndefined();
    await records.delete(stored);
  });
});
