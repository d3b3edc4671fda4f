import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { kubernetesBackend } from '@slashtrain/core/backend/kubernetes';
import type { KindRule } from '@slashtrain/core/config/types';
import type { Kind, KubernetesObject } from '@slashtrain/core/kinds/kind';
import { kindsOfRecords } from '@slashtrain/core/kinds/registry';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { keptLog } from '../support/kubernetes.ts';
import { openTarget, targets, unique, type Target } from '../support/targets.ts';

/* A run of a kind that a rule describes, from its record's rule to its end. A Job stands for a kind that nobody knows. */
const condition = (type: string): string => `$.status.conditions[?@.type == "${type}"].status`;
const rule: KindRule = {
  kind: 'Job.batch',
  version: 'v1',
  plural: 'jobs',
  podTemplates: ['$.spec.template'],
  containers: [],
  placeholders: [],
  states: [
    { state: 'succeeded', path: condition('Complete'), equals: 'True' },
    { state: 'failed', path: condition('Failed'), equals: 'True', reason: 'crash' },
    { state: 'running', path: '$.status.ready', equals: '1' },
    { state: 'queued', path: '$.status.active', equals: '1' },
  ],
  message: '$.status.conditions[?@.status == "True"].message',
};
const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };

describe.each(targets)('a kind by a rule on the %s cluster', (name) => {
  let target: Target;
  let client: KubernetesClient;
  const namespace = unique('kinds-rules');
  beforeAll(async () => {
    target = await openTarget(name);
    client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
    await client.create<KubernetesObject>(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  });
  afterAll(async () => {
    await client.delete(namespaces, '', namespace);
    await target.close();
  });

  it.each([
    ['succeeded', "console.log('$(params.word)')"],
    ['failed', "console.log('$(params.word)'); process.exit(3)"],
  ])('is followed until it has %s, with its pods and its log', async (state, program) => {
    const kept = JSON.parse(JSON.stringify({ plural: 'jobs', group: 'batch', rule })) as { plural: string; group: string; rule: KindRule };
    const kinds = await kindsOfRecords([{ kind: kept, createdAt: '2026-11-21T15:00:00Z' }]);
    const kind = kinds.find('batch/v1', 'Job') as Kind;
    const backend = kubernetesBackend(client, { log: keptLog(), kinds });
    const containers = [{ name: 'main', image: target.base, command: ['node', '-e', program] }];
    const object: KubernetesObject = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: unique('run'), namespace },
      spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers } } },
    };
    kind.setParameters(object, new Map([['word', 'hello']]));
    kind.finish?.(object);
    await backend.check(kind, object);
    const made = await backend.create(kind, object);
    const { metadata } = 'made' in made ? made.made : made.taken;
    const reference = { plural: 'jobs', group: 'batch', namespace, name: metadata.name ?? '', uid: metadata.uid ?? '' };

    const lines: string[] = [];
    for await (const some of backend.logs(reference, AbortSignal.timeout(45_000))) lines.push(...some.map(({ text }) => text));
    expect(lines).toEqual(['hello']);
    const { status } = await backend.look(reference);
    expect(status).toMatchObject({ state, message: expect.any(String) as unknown, ...(state === 'failed' ? { reason: 'crash' } : {}) });
    expect((await backend.pods(reference)).pods).toHaveLength(1);
    await backend.cancel(reference);
    expect((await backend.look(reference)).status.state).toBe('deleted');
  });
});
