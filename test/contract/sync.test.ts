import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { kindFor } from '@slashtrain/core/kinds/index';
import type { Kind } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import type { RecordStore } from '@slashtrain/core/records/store';
import { parseReference } from '@slashtrain/core/run/reference';
import { runBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { keptLog } from '../support/kubernetes.ts';
import { succeeded } from '../support/steps.ts';
import { openTarget, sayWhatIsSkipped, targets, unique, type Target } from '../support/targets.ts';

/*
 * A run that nobody waits for, through the bundles as the workflow of docs/long-runs.md runs them: submitted, synced, told,
 * compared, reported; and one that was deleted before anybody looked.
 */
sayWhatIsSkipped('detached runs');

const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
const job = kindFor('batch/v1', 'Job') as Kind;

describe.each(targets)('on the %s cluster', (name) => {
  let target: Target;
  let client: KubernetesClient;
  let records: RecordStore;
  let github: FakeGitHub;
  let repository: Repository;
  const namespace = unique('slashtrain-sync');

  beforeAll(async () => {
    target = await openTarget(name);
    client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
    records = recordStore(client);
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    github = await startGitHub();
    repository = github.createRepository({ owner: 'acme', name: 'digits' });
  });
  afterAll(async () => {
    await client.delete(namespaces, '', namespace);
    await github.close();
    await target.close();
  });

  function step(action: string, inputs: Record<string, string>, permissions: Record<string, 'read' | 'write'>): Promise<BundleResult> {
    const token = github.token({ contents: 'read', ...permissions }, { repository });
    return runBundle({
      action,
      github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } },
      inputs: { kubeconfig: target.kubeconfig, 'kube-context': target.context, namespace, token, ...inputs },
    });
  }
  const sync = async (): Promise<{ run: string; sha: string; 'pr-number': number; pipeline: string }[]> =>
    JSON.parse((await succeeded(step('sync-runs', {}, { checks: 'write' }))).outputs['ended'] ?? '') as Awaited<ReturnType<typeof sync>>;

  /** A pull request whose training runs this program. */
  async function submit(program: string): Promise<{ run: string; sha: string; number: number }> {
    const branch = unique('change');
    const container = { name: 'train', image: target.base, command: ['node', '-e', program] };
    const spec = { template: { spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers: [container] } } };
    const manifest = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'digits' }, spec };
    const sha = repository.commit({ branch, files: { 'train.yaml': JSON.stringify(manifest) } });
    const number = repository.openPullRequest({ head: branch, author: 'ada' });
    const inputs = { manifest: 'train.yaml', sha, 'pr-number': String(number), pipeline: 'digits', deadline: '10m' };
    const submitted = await succeeded(step('submit-pipeline', inputs, { checks: 'write', 'pull-requests': 'read' }));
    return { run: submitted.outputs['run'] ?? '', sha, number };
  }
  async function untilEnded(run: string): Promise<void> {
    for (;;) {
      const object = await client.get(job.resource, namespace, parseReference(run).name);
      if (object && job.status(object).state === 'succeeded') return;
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  it('a detached run whose end nobody saw is concluded, told, compared and reported, once, also after its Job was removed', async () => {
    const metric = JSON.stringify({ name: 'accuracy', value: 0.9, step: 1 });
    const { run, sha, number } = await submit(
      `setTimeout(() => { console.log('slashtrain-metric ' + ${JSON.stringify(metric)}); console.log('the end'); }, 5000);`,
    );
    const left = await succeeded(step('wait-for-run', { run, timeout: '1s', 'on-timeout': 'detach' }, { checks: 'write' }));
    expect(['queued', 'running']).toContain(left.outputs['state']);
    expect(repository.checks(sha)).toMatchObject([{ name: 'train: digits', status: 'in_progress' }]);
    await untilEnded(run);
    expect(await sync()).toEqual([{ run, sha, 'pr-number': number, pipeline: 'digits' }]);
    const { name: recordName } = parseReference(run);
    const stored = await records.get(namespace, recordName);
    expect(stored?.record).toMatchObject({
      state: 'succeeded',
      result: { state: 'succeeded', pods: [{ phase: 'Succeeded' }], logTail: expect.arrayContaining(['the end']) },
    });
    expect(stored && (await records.readMetrics(stored))).toMatchObject({ series: [{ name: 'accuracy', points: [{ value: 0.9 }] }] });
    expect(repository.checks(sha)).toMatchObject([{ name: 'train: digits', conclusion: 'success' }]);
    // Its time to live, a week, is over.
    await client.patch(job.resource, namespace, recordName, { spec: { ttlSecondsAfterFinished: 0 } });
    while (await client.get(job.resource, namespace, recordName)) await new Promise((done) => setTimeout(done, 100));

    const common = { run, sha };
    const waited = await succeeded(step('wait-for-run', common, { checks: 'write' }));
    expect(waited.outputs).toMatchObject({ state: 'succeeded', run });
    await succeeded(step('fetch-metrics', { ...common, 'pr-number': String(number), pipeline: 'digits' }, { 'pull-requests': 'read' }));
    expect(await sync()).toHaveLength(1);
    const reporting = { ...common, 'pr-number': String(number), pipeline: 'digits' };
    await succeeded(step('report-pr', reporting, { checks: 'write', 'pull-requests': 'write' }));
    expect(repository.comments(number).map(({ body }) => body)).toEqual([expect.stringContaining('accuracy')]);
    expect(repository.checks(sha).map((check) => [check.name, check.conclusion])).toEqual([
      ['train: digits', 'success'],
      ['metrics: digits', 'success'],
    ]);
    expect(await sync()).toEqual([]);
  });

  it('a run that was deleted before anybody looked is said to be deleted, and blocks', async () => {
    const { run, sha, number } = await submit('setInterval(() => {}, 1000);');
    expect(await sync()).toEqual([]);
    await client.delete(job.resource, namespace, parseReference(run).name);
    expect(await sync()).toEqual([{ run, sha, 'pr-number': number, pipeline: 'digits' }]);
    expect((await records.get(namespace, parseReference(run).name))?.record).toMatchObject({
      state: 'deleted',
      result: { reason: 'deleted' },
    });

    const waited = await step('wait-for-run', { run, sha }, { checks: 'write' });
    expect(waited).toMatchObject({ code: 1, outputs: { state: 'deleted' } });
    const other = run.replace(/@.*/u, '@00000000-0000-4000-8000-000000000000');
    const replaced = await step('wait-for-run', { run: other, sha }, { checks: 'write' });
    expect(replaced.code).toBe(1);
    expect(replaced.stdout).toContain(`the run ${other} was replaced by another run: ${run}`);
    const unknown = await step('wait-for-run', { run: other.replace('digits-', 'nothing-') }, { checks: 'write' });
    expect(unknown.stdout).toMatch(
      /no record of the run .* on https?:.*; check that kubeconfig and kube-context are those of submit-pipeline/u,
    );
    await step('report-pr', { run, sha, 'pr-number': String(number), pipeline: 'digits' }, { checks: 'write', 'pull-requests': 'write' });
    expect(repository.comments(number).map(({ body }) => body)).toEqual([expect.stringContaining('deleted')]);
    expect(repository.checks(sha).map((check) => [check.name, check.conclusion])).toEqual([
      ['train: digits', 'failure'],
      ['metrics: digits', 'failure'],
    ]);
    expect(await sync()).toEqual([]);
  });
});
