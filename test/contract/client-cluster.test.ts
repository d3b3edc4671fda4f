import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ActionError, describe as words } from '@slashtrain/core/action/errors';
import { kubernetesBackend } from '@slashtrain/core/backend/kubernetes';
import { job } from '@slashtrain/core/kinds/job';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { configMaps, WatchExpired, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { watchObject } from '@slashtrain/core/kubernetes/watch';
import { existsSync, readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { keptLog } from '../support/kubernetes.ts';
import { openTarget, sayWhatIsSkipped, targets, unique, type Target } from '../support/targets.ts';

/* The client, one verb after the other, on an API server. */

const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
sayWhatIsSkipped('the Kubernetes client');

describe.each(targets)('the client on the %s cluster', (name) => {
  let target: Target;
  let client: KubernetesClient;
  let namespace: string;
  beforeAll(async () => {
    target = await openTarget(name);
    client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
  });
  afterAll(() => target.close());
  beforeEach(async () => {
    namespace = unique('client');
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  });
  afterEach(() => client.delete(namespaces, '', namespace));

  const map = (
    mapName: string,
    data: Record<string, string> = {},
    labels: Record<string, string> = {},
  ): KubernetesObject & { data: object } => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: mapName, namespace, labels },
    data,
  });
  const jobObject = (containers: object[] = [{ name: 'main', image: target.base }], spec: object = {}): KubernetesObject => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'digits', namespace },
    spec: { suspend: true, ...spec, template: { spec: { restartPolicy: 'Never', containers } } },
  });
  const thrown = async (promise: Promise<unknown>): Promise<ActionError> => {
    try {
      await promise;
    } catch (error) {
      if (error instanceof ActionError) return error;
      throw error;
    }
    throw new Error('nothing was thrown');
  };

  it('makes, reads, changes and deletes', async () => {
    const made = await client.create(configMaps, map('a', { x: '1' }));
    expect(made?.metadata.uid).toMatch(/^[0-9a-f-]{36}$/u);
    expect(await client.create(configMaps, map('a'))).toBeUndefined();

    const version = made?.metadata.resourceVersion ?? '';
    const changed = await client.patch(configMaps, namespace, 'a', { metadata: { resourceVersion: version }, data: { x: null, y: '2' } });
    expect(changed?.['data']).toEqual({ y: '2' });
    expect(await client.patch(configMaps, namespace, 'a', { metadata: { resourceVersion: version }, data: { y: '3' } })).toBeUndefined();
    expect((await client.get(configMaps, namespace, 'a'))?.['data']).toEqual({ y: '2' });

    expect(await client.delete(configMaps, namespace, 'a', { uid: '00000000-0000-0000-0000-000000000000' })).toBe(false);
    expect(await client.delete(configMaps, namespace, 'a', { uid: made?.metadata.uid ?? '' })).toBe(true);
    expect(await client.delete(configMaps, namespace, 'a')).toBe(false);
    expect(await client.get(configMaps, namespace, 'a')).toBeUndefined();
    expect((await thrown(client.patch(configMaps, namespace, 'a', { data: {} }))).code).toBe('not-found');
  });

  it('lists by label and by field, and gives each item its kind', async () => {
    await Promise.all(['a', 'b', 'c'].map((one) => client.create(configMaps, map(one, {}, { team: one === 'c' ? 'y' : 'x' }))));
    const names = async (selection: object): Promise<(string | undefined)[]> =>
      (await client.list(configMaps, namespace, selection)).items.map(
        ({ kind, apiVersion, metadata }) => `${apiVersion} ${kind} ${metadata.name ?? ''}`,
      );
    expect(await names({ labelSelector: 'team=x' })).toEqual(['v1 ConfigMap a', 'v1 ConfigMap b']);
    expect(await names({ fieldSelector: 'metadata.name=c' })).toEqual(['v1 ConfigMap c']);
  });

  it("gives the server's own words for a wrong field, with its path", async () => {
    const wrong = await thrown(client.create(job.resource, jobObject([{ name: 'main', imagee: 'x' }]), { dryRun: true }));
    expect(wrong.code).toBe('manifest');
    expect(wrong.message).toContain('unknown field "spec.template.spec.containers[0].imagee"');

    const missing = await thrown(client.create(job.resource, jobObject([{ name: 'main' }])));
    expect(missing.code).toBe('manifest');
    expect(missing.message).toContain('spec.template.spec.containers[0].image: Required value');
  });

  it('makes nothing when it only asks', async () => {
    const backend = kubernetesBackend(client, { log: keptLog() });
    await backend.check(job, jobObject());
    expect(await backend.find(job, namespace, 'digits')).toBeUndefined();
  });

  it('makes a run once, and shows what has its name', async () => {
    const backend = kubernetesBackend(client, { log: keptLog() });
    const first = await backend.create(job, jobObject());
    const second = await backend.create(job, jobObject());
    expect('made' in first && 'taken' in second && first.made.metadata.uid === second.taken.metadata.uid).toBe(true);
  });

  // The embedded one has no server-side apply, and lets everybody do everything.
  const onReal = name === 'real' ? it : () => undefined;
  onReal('applies what it owns, and again without a change', async () => {
    const applied = await client.apply(configMaps, map('a', { x: '1' }));
    expect((await client.apply(configMaps, map('a', { x: '1' }))).metadata.resourceVersion).toBe(applied.metadata.resourceVersion);
    expect((await client.apply(configMaps, map('a', { y: '2' })))['data']).toEqual({ y: '2' });
  });

  onReal('names field and manager where another owns what it applies', async () => {
    await client.create(configMaps, map('a', { x: '1' }));
    const conflict = await thrown(client.apply(configMaps, map('a', { x: '2' })));
    expect(conflict.code).toBe('conflict');
    expect(conflict.message).toMatch(/conflict with "slashtrain" using v1: \.data\.x/u);
    expect((await client.apply(configMaps, map('a', { x: '2' }), { force: true }))['data']).toEqual({ x: '2' });
  });

  it('knows which kinds there are', async () => {
    expect(await client.discover('batch', 'v1')).toContainEqual(job.resource);
    expect(await client.discover('nowhere.dev', 'v1')).toBeUndefined();
    const unknown = { group: 'nowhere.dev', version: 'v1', plural: 'things', kind: 'Thing' };
    expect((await thrown(client.get(unknown, namespace, 'a'))).message).toContain('does not know things.nowhere.dev in nowhere.dev/v1');
  });

  it('names a namespace that is not there', async () => {
    const object = { ...map('a'), metadata: { name: 'a', namespace: 'not-there' } };
    expect(words(await thrown(client.create(configMaps, object)))).toContain('there is no namespace "not-there"');
  });

  it('watches an object through its changes to its end', async () => {
    const made = await client.create(configMaps, map('a', { step: '0' }));
    const seen: unknown[] = [];
    const options = { signal: AbortSignal.timeout(30_000), uid: made?.metadata.uid ?? '' };
    for await (const sighting of watchObject(client, configMaps, namespace, 'a', options)) {
      const step = sighting.present ? Number((sighting.object['data'] as { step: string }).step) : 'gone';
      seen.push(step);
      if (step === 2) await client.delete(configMaps, namespace, 'a');
      else if (step !== 'gone') await client.patch(configMaps, namespace, 'a', { data: { step: String(step + 1) } });
    }
    expect(seen).toEqual([0, 1, 2, 'gone']);
  });

  it('says that a version is too old to watch from', async () => {
    target.cluster?.compact();
    const events = client.watch(configMaps, namespace, '1', {}, AbortSignal.timeout(30_000));
    await expect(events[Symbol.asyncIterator]().next()).rejects.toThrow(WatchExpired);
  });

  it('says that a container has no log yet', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a', namespace },
      spec: { containers: [{ name: 'main', image: 'localhost/not-there:1', imagePullPolicy: 'Never' }] },
    };
    await client.create({ group: '', version: 'v1', plural: 'pods', kind: 'Pod' }, pod);
    const read = async (): Promise<void> => {
      for await (const _ of client.log(namespace, 'a', { container: 'main' }, AbortSignal.timeout(30_000))) throw new Error('a line');
    };
    expect((await thrown(read())).code).toBe('not-found');
  });

  onReal('names the right that is missing, and what to add', async () => {
    const config = parse(existsSync(target.kubeconfig) ? readFileSync(target.kubeconfig, 'utf8') : target.kubeconfig) as {
      users: { user: { as?: string } }[];
    };
    for (const { user } of config.users) user.as = 'nobody-of-slashtrain';
    const weak = await openKubernetes({ kubeconfig: stringify(config), context: target.context, environment: {}, log: keptLog() });
    expect(words(await thrown(weak.create(job.resource, jobObject())))).toBe(
      `missing right: cannot create jobs.batch in namespace ${namespace} on ${client.server}; add it to the Role: {apiGroups: [batch], resources: [jobs], verbs: [create]}`,
    );
    const nodes = { group: '', version: 'v1', plural: 'nodes', kind: 'Node' };
    expect(words(await thrown(weak.list(nodes, undefined)))).toContain(
      'add it to the ClusterRole: {apiGroups: [""], resources: [nodes], verbs: [list]}',
    );
  });
});
