import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { kinds } from '@slashtrain/core/kinds/index';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { recordAnnotation } from '@slashtrain/core/run/record';
import { parseReference } from '@slashtrain/core/run/reference';
import { runBundle, startBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startCluster, type EmbeddedCluster } from '@slashtrain/testing/cluster/cluster';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { keptLog } from '../support/kubernetes.ts';
import { seedRun } from '../support/records.ts';
import { succeeded } from '../support/steps.ts';
import { unique } from '../support/targets.ts';

/*
 * cancel-runs on the embedded cluster, beside submit-pipeline and wait-for-run: what ends, what goes on, and what everybody says of it.
 */
const image = `localhost:1/digits@sha256:${'a'.repeat(64)}`;
const jobs = kinds[0]!.resource;

let folder: string;
let cluster: EmbeddedCluster;
let client: KubernetesClient;
let records: RecordStore;
let github: FakeGitHub;
let repository: Repository;
let namespace: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cancel-runs-'));
  writeFileSync(
    join(folder, 'train.js'),
    `console.log('slashtrain-metric {"name":"accuracy","value":0.5,"step":1}'); console.log('begun'); setInterval(() => {}, 1000);`,
  );
  cluster = await startCluster();
  cluster.registerImage(image, folder);
  github = await startGitHub();
  client = await openKubernetes({ kubeconfig: cluster.kubeconfig, environment: {}, log: keptLog() });
  records = recordStore(client);
});
afterAll(async () => {
  await cluster.stop();
  await github.close();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  repository = github.createRepository({ owner: 'acme', name: unique('digits') });
  namespace = unique('cancel');
  const made = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
  await client.create(made, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
});

/** A Job that trains until it is stopped. */
function manifest(resources: object = {}): string {
  const container = { name: 'train', image, command: ['node', 'train.js'], resources };
  const spec = { terminationGracePeriodSeconds: 1, restartPolicy: 'Never', containers: [container] };
  return JSON.stringify({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'digits' },
    spec: { backoffLimit: 0, template: { spec } },
  });
}

interface Pull {
  branch: string;
  sha: string;
  number: number;
}
function pullRequest(): Pull {
  const branch = unique('change');
  const sha = repository.commit({
    branch,
    files: { 'train.yaml': manifest(), 'queued.yaml': manifest({ limits: { 'nvidia.com/gpu': 1 } }) },
  });
  return { branch, sha, number: repository.openPullRequest({ head: branch, author: 'ada' }) };
}

type Permissions = Record<string, 'read' | 'write'>;
const common = (permissions: Permissions): { github: Parameters<typeof runBundle>[0]['github'] } => ({
  github: {
    url: github.url,
    token: github.token(permissions, { repository }),
    repository: { owner: 'acme', name: repository.name, id: repository.id },
  },
});
const where = (): Record<string, string> => ({ kubeconfig: cluster.kubeconfig, namespace });

async function submit({ sha, number }: Pull, inputs: Record<string, string> = {}): Promise<string> {
  const permissions: Permissions = { contents: 'read', checks: 'write', 'pull-requests': 'read' };
  const given = { manifest: 'train.yaml', sha, 'pr-number': String(number), pipeline: 'digits', ...where(), ...inputs };
  const submitted = await succeeded(runBundle({ action: 'submit-pipeline', ...common(permissions), inputs: given }));
  return submitted.outputs['run'] ?? '';
}
function cancel(inputs: Record<string, string>, permissions: Permissions = { checks: 'write' }): Promise<BundleResult> {
  return runBundle({ action: 'cancel-runs', ...common(permissions), triggeringActor: 'grace', inputs: { ...where(), ...inputs } });
}
async function recordOf(run: string): Promise<StoredRecord['record'] | undefined> {
  return (await records.get(namespace, parseReference(run).name))?.record;
}
const jobOf = (run: string): Promise<unknown> => client.get(jobs, namespace, parseReference(run).name);
const untilRunning = async (run: string): Promise<void> => {
  for (;;) {
    const job = (await client.get(jobs, namespace, parseReference(run).name)) as { status?: { ready?: number } } | undefined;
    if (job?.status?.ready === 1) return;
  }
};

describe('cancel-runs', () => {
  it('ends every run of the pull request; record and check say who and why', async () => {
    const pull = pullRequest();
    const run = await submit(pull);
    const other = await submit(pull, { pipeline: 'other', manifest: 'queued.yaml' });
    const stranger = await submit(pullRequest());
    await untilRunning(run);

    const cancelled = await succeeded(cancel({ 'pr-number': String(pull.number), reason: 'too dear | <b>' }));
    const list = JSON.parse(cancelled.outputs['cancelled'] ?? '') as { run: string }[];
    expect(list).toHaveLength(2);
    expect(list).toContainEqual({ run, sha: pull.sha, 'pr-number': pull.number, pipeline: 'digits' });
    for (const one of [run, other]) {
      expect(await recordOf(one)).toMatchObject({
        state: 'cancelled',
        cancel: { by: 'grace', why: 'too dear | <b>' },
        result: { state: 'cancelled', message: 'too dear | <b>' },
      });
      expect(await jobOf(one)).toBeUndefined();
    }
    expect(await recordOf(run)).toMatchObject({ result: { pods: [{ phase: 'Running' }] } });
    expect(repository.checks(pull.sha).map(({ conclusion }) => conclusion)).toEqual(['cancelled', 'cancelled']);
    expect(repository.checks(pull.sha)[0]?.output?.summary).toContain('too dear &#124; &#60;b&#62;');
    expect(cancelled.summary).toContain('Cancelled 2 of 2 runs');

    expect(await recordOf(stranger)).toMatchObject({ state: 'queued' });
    expect(await jobOf(stranger)).toBeDefined();
    const again = await succeeded(cancel({ 'pr-number': String(pull.number) }));
    expect(again.outputs).toEqual({ cancelled: '[]' });
  });

  it('keeps log and metrics where somebody waits', async () => {
    const pull = pullRequest();
    const run = await submit(pull);
    const begun = Promise.withResolvers<void>();
    const waiting = startBundle({
      action: 'wait-for-run',
      ...common({ checks: 'write' }),
      inputs: { run, ...where() },
      onLine: (line) => line === 'begun' && begun.resolve(),
    });
    await begun.promise;
    const cancelled = await succeeded(cancel({ 'pr-number': String(pull.number) }));
    expect(JSON.parse(cancelled.outputs['cancelled'] ?? '')).toMatchObject([{ run }]);
    expect(await waiting.result).toMatchObject({ code: 1, outputs: { state: 'cancelled' } });
    const stored = await records.get(namespace, parseReference(run).name);
    expect(stored?.record).toMatchObject({ state: 'cancelled', result: { logTail: expect.arrayContaining(['begun']) } });
    expect(stored && (await records.readMetrics(stored))).toMatchObject({ series: [{ name: 'accuracy' }] });
    expect(repository.checks(pull.sha)).toMatchObject([{ conclusion: 'cancelled' }]);
  });

  it.each([
    ['keep', [], []],
    ['cancel-queued', ['queued'], ['cancelled']],
    ['cancel', ['running', 'queued'], ['cancelled', 'cancelled']],
  ])('after a push, on-push: %s', async (onPush, ended, conclusions) => {
    const pull = pullRequest();
    const runs = { running: await submit(pull), queued: await submit(pull, { pipeline: 'queued', manifest: 'queued.yaml' }) };
    await untilRunning(runs.running);
    const sha = repository.commit({ branch: pull.branch, files: { 'NOTES.md': 'new' } });
    const kept = await submit({ ...pull, sha });

    const pushed = await succeeded(cancel({ 'pr-number': String(pull.number), 'keep-sha': sha, 'on-push': onPush }));
    const list = JSON.parse(pushed.outputs['cancelled'] ?? '') as { run: string }[];
    expect(list.map(({ run }) => run).sort()).toEqual(ended.map((name) => runs[name as keyof typeof runs]).sort());
    const found = repository.checks(pull.sha).map(({ conclusion }) => conclusion);
    expect(found.filter((conclusion) => conclusion !== undefined)).toEqual(conclusions);
    expect(await recordOf(kept)).toMatchObject({ state: 'queued' });
    expect(await jobOf(kept)).toBeDefined();
    if (!ended.includes('running')) expect(pushed.stdout).toContain('goes on as it is');
    await succeeded(cancel({ 'pr-number': String(pull.number) }));
  });

  it('ends what a submission left half-way: a record without a run, and a run that no record notes', async () => {
    const pull = pullRequest();
    const without = await seedRun(records, repository, { sha: pull.sha, pullRequest: pull.number, state: 'queued' }, namespace);
    const bare = await records.update(without, ({ run: _, ...record }) => record);
    const half = await seedRun(
      records,
      repository,
      { sha: pull.sha, pullRequest: pull.number, pipeline: 'half', state: 'queued' },
      namespace,
    );
    const unnoted = await records.update(half, ({ run: _, ...record }) => record);
    const job = JSON.parse(manifest()) as KubernetesObject;
    const made = (name: string, uid: string): Promise<unknown> =>
      client.create(jobs, {
        ...job,
        metadata: { name, namespace, annotations: { [recordAnnotation]: uid } },
      });
    await made(half.name, half.uid);
    await made(without.name, 'somebody-else');

    const cancelled = await succeeded(cancel({ 'pr-number': String(pull.number) }));
    expect(JSON.parse(cancelled.outputs['cancelled'] ?? '')).toMatchObject([{ run: '' }, { run: '' }]);
    for (const stored of [bare, unnoted]) {
      expect((await records.get(namespace, stored?.name ?? ''))?.record).toMatchObject({ state: 'cancelled', cancel: { by: 'grace' } });
    }
    expect(await client.get(jobs, namespace, half.name)).toBeUndefined();
    expect(await client.get(jobs, namespace, without.name)).toBeDefined();
  });

  it('does not call a run cancelled that ended by itself, or that somebody deleted; goes on with one that broke off', async () => {
    const pull = pullRequest();
    const broken = { at: '2026-11-21T10:00:00Z', by: 'ada', why: 'closed' };
    const half = await seedRun(
      records,
      repository,
      { sha: pull.sha, pullRequest: pull.number, pipeline: 'half', state: 'queued', record: { cancel: broken } },
      namespace,
    );
    await seedRun(records, repository, { sha: pull.sha, pullRequest: pull.number, state: 'succeeded' }, namespace);
    // No Job has the UID that it notes.
    const gone = await seedRun(
      records,
      repository,
      { sha: pull.sha, pullRequest: pull.number, pipeline: 'gone', state: 'queued' },
      namespace,
    );
    const cancelled = await succeeded(cancel({ 'pr-number': String(pull.number) }));
    expect(JSON.parse(cancelled.outputs['cancelled'] ?? '')).toMatchObject([{ run: half.record.run }]);
    expect((await records.get(namespace, half.name))?.record).toMatchObject({ state: 'cancelled', cancel: { by: 'ada' } });
    expect(cancelled.stdout).toContain('is left as it is: it has ended already (deleted)');
    expect((await records.get(namespace, gone.name))?.record.cancel).toBeUndefined();
  });

  it('a dry run says what it would do, and writes nothing', async () => {
    const pull = pullRequest();
    const run = await submit(pull);
    await untilRunning(run);
    const before = cluster.requests.length;
    const tried = await succeeded(cancel({ 'pr-number': String(pull.number), 'dry-run': 'true' }, { checks: 'read' }));
    expect(tried.outputs['cancelled']).toBe('[]');
    expect(tried.stdout).toContain('would be cancelled (running)');
    expect(cluster.requests.slice(before).filter(({ method }) => method !== 'GET')).toEqual([]);
    await succeeded(cancel({ 'pr-number': String(pull.number) }));
  });

  it('ends the run where the check may not be concluded, and says which permission is missing', async () => {
    const pull = pullRequest();
    const run = await submit(pull);
    const cancelled = await succeeded(cancel({ 'pr-number': String(pull.number) }, { checks: 'read' }));
    expect(await recordOf(run)).toMatchObject({ state: 'cancelled' });
    expect(cancelled.annotations).toMatchObject([{ level: 'warning', message: expect.stringContaining('checks: write') }]);
  });

  it.each([
    [{}, 'input "pr-number" is required'],
    [{ 'pr-number': '0' }, 'input "pr-number" is "0"'],
    [{ 'pr-number': '1', 'keep-sha': 'abc' }, 'input "keep-sha" is "abc"; allowed: a full commit SHA'],
    [{ 'pr-number': '1', 'on-push': 'stop' }, 'input "on-push" is "stop"; allowed: one of keep, cancel-queued, cancel'],
    [{ 'pr-number': '1', grace: '30' }, 'input "grace" is "30"'],
    [{ 'pr-number': '1', reason: 'a\nb' }, 'input "reason" has 3 characters; allowed: one line'],
    [{ 'pr-number': '1', 'kube-context': 'production' }, 'production'],
  ] as [Record<string, string>, string][])('refuses %j', async (inputs, message) => {
    const refused = await cancel(inputs);
    expect(refused.code).toBe(1);
    expect(refused.annotations.map((annotation) => annotation.message).join()).toContain(message);
  });
});
