import { existsSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Evidence, Observation, RunBackend } from '@slashtrain/core/backend/backend';
import { kubernetesBackend } from '@slashtrain/core/backend/kubernetes';
import { job } from '@slashtrain/core/kinds/job';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { RunReference } from '@slashtrain/core/run/reference';
import { parse, stringify } from 'yaml';
import { keptLog, type KeptLog } from '../support/kubernetes.ts';
import { openTarget, sayWhatIsSkipped, targets, unique, type Target } from '../support/targets.ts';

/* A run as a backend sees it: states, pods, what stands in its way, outputs, cancellation. */

const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
sayWhatIsSkipped('the backend');

describe.each(targets)('the backend on the %s cluster', (name) => {
  let target: Target;
  let client: KubernetesClient;
  let backend: RunBackend;
  let log: KeptLog;
  let namespace: string;
  beforeAll(async () => {
    target = await openTarget(name);
    log = keptLog();
    client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log });
    backend = kubernetesBackend(client, { log });
  });
  afterAll(() => target.close());
  beforeEach(async () => {
    namespace = unique('backend');
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  });
  afterEach(() => client.delete(namespaces, '', namespace));

  async function run(program: string, container: object = {}, spec: object = {}): Promise<RunReference> {
    const object: KubernetesObject = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: unique('run'), namespace },
      spec: {
        backoffLimit: 0,
        ...spec,
        template: {
          spec: {
            restartPolicy: 'Never',
            terminationGracePeriodSeconds: 1,
            containers: [{ name: 'main', image: target.base, command: ['node', '-e', program], ...container }],
          },
        },
      },
    };
    const answer = await backend.create(job, object);
    const { metadata } = 'made' in answer ? answer.made : answer.taken;
    return { plural: 'jobs', group: 'batch', namespace, name: metadata.name ?? '', uid: metadata.uid ?? '' };
  }

  async function statesOf(
    reference: RunReference,
    onChange: (observation: Observation) => unknown = () => undefined,
  ): Promise<Observation[]> {
    const seen: Observation[] = [];
    for await (const observation of backend.observe(reference, AbortSignal.timeout(45_000))) {
      seen.push(observation);
      await onChange(observation);
    }
    return seen;
  }

  /** Looks until `wanted` is among the evidence. */
  async function evidence(reference: RunReference, wanted: (one: Evidence) => boolean, by = backend): Promise<Evidence[]> {
    for (;;) {
      const { evidence: found } = await by.pods(reference);
      if (found.some(wanted)) return found;
      await new Promise((done) => setTimeout(done, 200));
    }
  }

  it('shows a run from its queue to its success, and what it left', async () => {
    // The embedded cluster has no jail: SLASHTRAIN_ROOT says where the container's root is.
    const program = `require('node:fs').writeFileSync((process.env.SLASHTRAIN_ROOT ?? '') + '/dev/termination-log', '{"model-uri":"s3://models/1"}');
      setTimeout(() => {}, 1500)`;
    const reference = await run(program);
    const states = (await statesOf(reference)).map(({ status }) => status.state);
    expect(new Set(states)).toEqual(new Set(['queued', 'running', 'succeeded']));
    expect(states).toHaveLength(3);
    const { pods, evidence: found } = await backend.pods(reference);
    expect(pods).toEqual([
      expect.objectContaining({
        phase: 'Succeeded',
        gpus: 0,
        containers: [{ name: 'main', exitCode: 0, reason: 'Completed', restarts: 0 }],
      }),
    ]);
    expect(Date.parse(pods[0]?.endedAt ?? '')).toBeGreaterThan(Date.parse(pods[0]?.startedAt ?? ''));
    expect(found.filter(({ source }) => source !== 'event')).toEqual([]);
    expect(await backend.outputs(reference)).toEqual([{ name: 'model-uri', value: 's3://models/1' }]);
  });

  it('shows a failure, with the exit code and the words of the cluster', async () => {
    const reference = await run('process.exit(3)');
    const last = (await statesOf(reference)).at(-1);
    expect(last?.status).toMatchObject({
      state: 'failed',
      reason: 'retries',
      message: expect.stringContaining('BackoffLimitExceeded'),
    });
    const found = await evidence(reference, ({ reason }) => reason === 'BackoffLimitExceeded');
    expect(found).toContainEqual(expect.objectContaining({ source: 'container', container: 'main', reason: 'Error', exitCode: 3 }));
    expect(await backend.outputs(reference)).toEqual([]);
  });

  it('shows why a run waits', async () => {
    const reference = await run('', { resources: { limits: { 'nvidia.com/gpu': 64 } } });
    const message = expect.stringContaining('Insufficient nvidia.com/gpu');
    // Both come, each in its own time.
    await evidence(reference, ({ source }) => source === 'event');
    const found = await evidence(reference, ({ source }) => source === 'pod');
    expect(found).toContainEqual(expect.objectContaining({ source: 'pod', reason: 'Unschedulable', message }));
    expect(found).toContainEqual(expect.objectContaining({ source: 'event', reason: 'FailedScheduling', message }));
    expect((await backend.look(reference)).status.state).toBe('queued');
    await backend.cancel(reference);
  });

  it('cancels once, and twice is no error', async () => {
    const reference = await run('setInterval(() => {}, 1000)');
    const seen = await statesOf(reference, ({ status }) => status.state === 'running' && backend.cancel(reference));
    expect(seen.at(-1)?.status).toEqual({
      state: 'deleted',
      reason: 'deleted',
      message: `there is no jobs.batch "${reference.name}" with the UID ${reference.uid} in namespace ${namespace} on ${client.server} (context ${client.context})`,
    });
    await backend.cancel(reference);
    expect((await backend.look(reference)).status.state).toBe('deleted');
  });

  it('takes no other run of the same name for it', async () => {
    const reference = await run('setInterval(() => {}, 1000)');
    const other = { ...reference, uid: '00000000-0000-0000-0000-000000000000' };
    expect((await backend.look(other)).status.state).toBe('deleted');
    expect((await statesOf(other)).map(({ status }) => status.state)).toEqual(['deleted']);
    await backend.cancel(other);
    expect((await backend.look(reference)).status.state).not.toBe('deleted');
  });

  // The embedded one lets everybody do everything.
  const onReal = name === 'real' ? it : () => undefined;
  onReal('explains less, and waits all the same, without the right to read events', async () => {
    const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'roles', kind: 'Role' };
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    await client.create(rbac, {
      apiVersion,
      kind: 'Role',
      metadata: { name: 'waiter', namespace },
      rules: [
        { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'list', 'watch'] },
        { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
        { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
      ],
    });
    await client.create(
      { ...rbac, plural: 'rolebindings', kind: 'RoleBinding' },
      {
        apiVersion,
        kind: 'RoleBinding',
        metadata: { name: 'waiter', namespace },
        roleRef: { apiGroup: rbac.group, kind: 'Role', name: 'waiter' },
        subjects: [{ apiGroup: rbac.group, kind: 'User', name: 'waiter' }],
      },
    );
    const config = parse(existsSync(target.kubeconfig) ? readFileSync(target.kubeconfig, 'utf8') : target.kubeconfig) as {
      users: { user: { as?: string } }[];
    };
    for (const { user } of config.users) user.as = 'waiter';
    const weakLog = keptLog();
    const weak = kubernetesBackend(
      await openKubernetes({ kubeconfig: stringify(config), context: target.context, environment: {}, log: weakLog }),
      { log: weakLog },
    );
    const reference = await run('process.exit(3)');
    const lines: string[] = [];
    for await (const batch of weak.logs(reference, AbortSignal.timeout(45_000))) lines.push(...batch.map(({ text }) => text));
    const found = await evidence(reference, ({ reason }) => reason === 'Error', weak);
    expect(found.every(({ source }) => source === 'container')).toBe(true);
    expect(weakLog.lines).toContainEqual(expect.stringContaining('no events: missing right: cannot list events'));
  });
});
