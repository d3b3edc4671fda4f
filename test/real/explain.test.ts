import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { pods, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { KubernetesObject, Resource } from '@slashtrain/core/kinds/kind';
import { job } from '@slashtrain/core/kinds/job';
import type { RunReference } from '@slashtrain/core/run/reference';
import { startBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { keptLog } from '../support/kubernetes.ts';
import { startJob } from '../support/runs.ts';
import { openTarget, unique, type Target } from '../support/targets.ts';

/*
 * Why runs do not run, provoked on a real cluster: what stands on the check while wait-for-run waits, and what the end
 * says. Each with a Job in a namespace of its own.
 */
const namespaces: Resource = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
const quotas: Resource = { group: '', version: 'v1', plural: 'resourcequotas', kind: 'ResourceQuota' };

let target: Target;
let client: KubernetesClient;
let github: FakeGitHub;
const made: string[] = [];

beforeAll(async () => {
  target = await openTarget('real');
  client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
  github = await startGitHub();
});
afterAll(async () => {
  for (const name of made) await client.delete(namespaces, '', name);
  await github.close();
  await target.close();
});

interface Case {
  pod?: object;
  container?: object;
  spec?: object;
  inputs?: Record<string, string>;
  /** What there has to be before the run. */
  before?(namespace: string): Promise<unknown>;
  /** Called with each line of the step's log. */
  onLine?(line: string, reference: RunReference): void;
}

/** What the step left, and what stands on the check. */
type Told = BundleResult & { check: { titles: string[]; summary: string; conclusion: string | undefined } };

async function wait(one: Case): Promise<Told> {
  const namespace = unique('explain');
  await client.create<KubernetesObject>(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  made.push(namespace);
  await one.before?.(namespace);
  const repository: Repository = github.createRepository({ owner: 'acme', name: namespace });
  const container = { name: 'main', image: target.base, command: ['node', '-e', 'setInterval(() => {}, 1000)'], ...one.container };
  const { run, reference, sha } = await startJob(client, repository, namespace, {
    backoffLimit: 0,
    ...one.spec,
    template: { spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers: [container], ...one.pod } },
  });
  const token = github.token({ checks: 'write' }, { repository });
  const titles = new Set<string>();
  const look = (): void => {
    for (const check of repository.checks(sha)) titles.add(check.output.title ?? '');
  };
  const looking = setInterval(look, 200);
  const result = await startBundle({
    action: 'wait-for-run',
    github: { url: github.url, token, repository: { owner: 'acme', name: namespace, id: repository.id } },
    inputs: { kubeconfig: target.kubeconfig, 'kube-context': target.context, run, token, ...one.inputs },
    onLine: (line) => {
      one.onLine?.(line, reference);
    },
  }).result;
  clearInterval(looking);
  const check = repository.checks(sha).at(-1);
  return { ...result, check: { titles: [...titles], summary: check?.output.summary ?? '', conclusion: check?.conclusion } };
}

// Longer than 30 s: within them the reason has to stand on the check.
const soon = { 'queue-timeout': '35s', 'on-timeout': 'cancel' };

describe('a run that does not start', () => {
  it.each<[string, Case, { reason: string; message: RegExp }]>([
    [
      'for want of GPUs',
      { container: { resources: { limits: { 'nvidia.com/gpu': 64 } } } },
      { reason: 'no-gpu', message: /Insufficient nvidia\.com\/gpu/u },
    ],
    [
      'for want of its image',
      { container: { image: 'localhost:5000/nobody/nothing:1' } },
      { reason: 'image-pull', message: /nobody\/nothing:1/u },
    ],
    [
      'for want of a Secret',
      { container: { env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'nowhere', key: 'key' } } }] } },
      { reason: 'config', message: /secret "nowhere" not found/u },
    ],
    [
      'for the namespace’s quota',
      {
        container: { resources: { requests: { cpu: '10m' }, limits: { cpu: '10m' } } },
        before: (namespace) =>
          client.create<KubernetesObject>(quotas, {
            apiVersion: 'v1',
            kind: 'ResourceQuota',
            metadata: { name: 'none', namespace },
            spec: { hard: { pods: '0' } },
          }),
      },
      { reason: 'quota', message: /exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0/u },
    ],
    [
      'for want of a volume',
      {
        pod: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'nothing' } }] },
        container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
      },
      { reason: 'volume', message: /persistentvolumeclaim "nothing" not found/u },
    ],
  ])('%s', async (_, one, { reason, message }) => {
    const told = await wait({ ...one, inputs: soon });
    // While it waited, too, in the log and on the check.
    expect(told.stdout).toMatch(new RegExp(`^queued \\(${reason}\\) for .*${message.source}`, 'mu'));
    expect(told.check.titles.some((title) => title.startsWith(`queued (${reason})`))).toBe(true);
    expect(told.outputs).toMatchObject({ state: 'cancelled', reason });
    expect(told.outputs['message']).toMatch(message);
    expect(told.check.conclusion).toBe('timed_out');
    expect(told.check.summary).toMatch(/\*\*What to do:\*\*/u);
    expect(told.code).toBe(1);
  });
});

describe('a run that fails', () => {
  it('for want of memory', async () => {
    const program = 'const all = []; setInterval(() => all.push(Buffer.alloc(16 * 1024 * 1024, 1)), 20)';
    const told = await wait({
      container: { command: ['node', '-e', program], resources: { limits: { memory: '96Mi' } } },
    });
    expect(told.outputs).toMatchObject({ state: 'failed', reason: 'out-of-memory' });
    expect(told.check.conclusion).toBe('failure');
    expect(told.check.summary).toMatch(/OOMKilled/u);
  });

  it('again and again, and is not given up by its controller', async () => {
    const told = await wait({
      pod: { restartPolicy: 'OnFailure' },
      spec: { backoffLimit: 50 },
      container: { command: ['node', '-e', "console.log('began'); throw new RangeError('no such layer: 7')"] },
      inputs: { timeout: '30s' },
    });
    expect(told.stdout).toMatch(/\(crash\) for .*RangeError: no such layer: 7/u);
    expect(told.outputs).toMatchObject({ state: 'cancelled', reason: 'crash' });
    // Each life's lines, once.
    expect(told.stdout.match(/began$/gmu)?.length).toBeGreaterThan(1);
  });

  it('at its deadline', async () => {
    const told = await wait({ spec: { activeDeadlineSeconds: 5 } });
    expect(told.outputs).toMatchObject({ state: 'failed', reason: 'deadline' });
  });

  it('because the kubelet evicted its pod, which wrote more than it may', async () => {
    const program = `const fs = require('node:fs');
      fs.writeFileSync('/scratch/data', Buffer.alloc(32 * 1024 * 1024, 1));
      setInterval(() => {}, 1000);`;
    const told = await wait({
      pod: { volumes: [{ name: 'scratch', emptyDir: { sizeLimit: '1Mi' } }] },
      container: { command: ['node', '-e', program], volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] },
      // The kubelet looks at volumes about once a minute, and later on a busy node.
      inputs: { timeout: '8m' },
    });
    expect(told.outputs).toMatchObject({ state: 'failed', reason: 'evicted' });
    expect(told.outputs['message']).toMatch(/EmptyDir volume "scratch" exceeds the limit "1Mi"/u);
    expect(told.check.summary).toMatch(/raise the limit that the message names/u);
  }, 600_000);

  it('because its pod was evicted, which its pod says only until it is gone', async () => {
    let isAsked = false;
    const told = await wait({
      onLine: (line, { namespace }) => {
        if (!line.startsWith('running') || isAsked) return;
        isAsked = true;
        void evict(namespace);
      },
    });
    expect(told.outputs).toMatchObject({ state: 'failed', reason: 'preempted' });
    expect(told.outputs['message']).toMatch(/evict/iu);
    expect(told.check.summary).toMatch(/Trying again may help/u);
  });

  it('because somebody deleted it', async () => {
    let isAsked = false;
    const told = await wait({
      onLine: (line, { namespace, name, uid }) => {
        if (!line.startsWith('running') || isAsked) return;
        isAsked = true;
        void client.delete(job.resource, namespace, name, { uid });
      },
    });
    expect(told.outputs).toMatchObject({ state: 'deleted', reason: 'deleted' });
    expect(told.check.conclusion).toBe('failure');
  });
});

async function evict(namespace: string): Promise<void> {
  const { items } = await client.list(pods, namespace);
  const name = items[0]?.metadata.name ?? '';
  // The client that the actions use has no use for subresources of other objects.
  const { kubeconfig, context } = target;
  const where = ['--kubeconfig', kubeconfig, '--context', context];
  const { status, stderr } = spawnSync(
    'kubectl',
    [...where, 'create', '--raw', `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, '-f', '-'],
    { input: JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }), encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`kubectl: ${stderr}`);
}
