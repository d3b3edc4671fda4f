import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { pods, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { kindFor } from '@slashtrain/core/kinds/index';
import type { Kind } from '@slashtrain/core/kinds/kind';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import { parseReference } from '@slashtrain/core/run/reference';
import type { RunResult } from '@slashtrain/core/run/result';
import { runBundle, startBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { succeeded } from '../support/steps.ts';
import { filesOf, openTarget, sayWhatIsSkipped, targets, unique, type Target } from '../support/targets.ts';

/*
 * A training from commit to record, through the bundles as users run them: the digits as a Job.
 */
sayWhatIsSkipped('the digits training');

const quiet = { info() {}, debug() {}, notice() {}, warning() {}, error() {}, startGroup() {}, endGroup() {}, mask() {} };
const jobs = (kindFor('batch/v1', 'Job') as Kind).resource;

describe.each(targets)('on the %s cluster', (name) => {
  let target: Target;
  let client: KubernetesClient;
  let github: FakeGitHub;
  let repository: Repository;
  let token: string;
  const namespace = unique('slashtrain-train');

  beforeAll(async () => {
    target = await openTarget(name);
    client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: quiet });
    await client.create(
      { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    );
    github = await startGitHub();
    repository = github.createRepository({ owner: 'acme', name: 'digits', files: filesOf('examples/digits') });
    token = github.token({ contents: 'read', checks: 'write', 'pull-requests': 'read' }, { repository });
  });
  afterAll(async () => {
    await client.delete({ group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' }, '', namespace);
    await github.close();
    await target.close();
  });

  /** A pull request of its own, so that each case has its own request. */
  function pullRequest(files: Record<string, string> = {}): { sha: string; number: number } {
    const branch = unique('change');
    const sha = repository.commit({ branch, files: { 'NOTES.md': branch, ...files } });
    return { sha, number: repository.openPullRequest({ head: branch, author: 'ada' }) };
  }

  type Step = { inputs?: Record<string, string>; runId?: number; runAttempt?: number; temp?: string };
  const common = (): { github: Parameters<typeof runBundle>[0]['github'] } => ({
    github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } },
  });
  const clusterInputs = (): Record<string, string> => ({ kubeconfig: target.kubeconfig, 'kube-context': target.context, namespace, token });

  async function buildImage(sha: string): Promise<string> {
    const built = await succeeded(
      runBundle({
        action: 'build-image',
        ...common(),
        inputs: { image: `${target.registry}/${namespace}/digits`, base: target.base, sha, token },
      }),
    );
    return built.outputs['image'] ?? '';
  }
  const submit = ({ sha, number }: { sha: string; number: number }, { inputs, ...step }: Step = {}): Promise<BundleResult> =>
    runBundle({
      action: 'submit-pipeline',
      ...common(),
      ...step,
      inputs: {
        manifest: 'pipelines/train.yaml',
        sha,
        'pr-number': String(number),
        pipeline: 'digits',
        deadline: '30m',
        ...clusterInputs(),
        ...inputs,
      },
    });
  const wait = (run: string, { inputs, ...step }: Step = {}): Promise<BundleResult> =>
    runBundle({ action: 'wait-for-run', ...common(), ...step, inputs: { run, ...clusterInputs(), ...inputs } });

  it('trains, shows every line once, keeps metrics and concludes the check; the record outlives Job and pods', async () => {
    const pull = pullRequest();
    const image = await buildImage(pull.sha);
    const submitted = await succeeded(submit(pull, { inputs: { parameters: 'epochs: 20', images: `train: ${image}` } }));
    expect(submitted).toMatchObject({ code: 0, outputs: { adopted: 'false', namespace } });
    const run = submitted.outputs['run'] ?? '';
    expect(repository.checks(pull.sha)).toMatchObject([{ name: 'train: digits', status: 'queued' }]);

    const waited = await wait(run);
    expect(waited).toMatchObject({ code: 0, outputs: { state: 'succeeded', run } });
    const epochs = waited.stdout.split('\n').flatMap((line) => /^slashtrain-metric .*"accuracy".*"step":\s*(\d+)/u.exec(line)?.[1] ?? []);
    expect(epochs).toEqual(Array.from({ length: 20 }, (_, index) => String(index + 1)));
    const [check] = repository.checks(pull.sha);
    expect(check).toMatchObject({ conclusion: 'success', externalId: expect.stringContaining(`${namespace}/`) });
    expect(check?.output?.summary).toContain(image);
    expect(waited.summary).toContain(pull.sha);

    const reference = parseReference(run);
    await client.delete(jobs, namespace, reference.name);
    for (;;) {
      const left = await client.list(pods, namespace, { labelSelector: `batch.kubernetes.io/job-name=${reference.name}` });
      if (left.items.length === 0) break;
    }
    const again = await wait(run);
    expect(again).toMatchObject({ code: 0, outputs: { state: 'succeeded', run } });
    const result = JSON.parse(readFileSync(again.outputs['result-file'] ?? '', 'utf8')) as RunResult;
    expect(result).toMatchObject({ run, sha: pull.sha, state: 'succeeded', pods: [{ phase: 'Succeeded' }] });
    const records = recordStore(client);
    const stored = await records.get(namespace, reference.name);
    const metrics = stored && (await records.readMetrics(stored));
    const accuracy = metrics?.series.find((series) => series.name === 'accuracy')?.points ?? [];
    expect(accuracy).toHaveLength(20);
    expect(accuracy.at(-1)?.value).toBeGreaterThan(0.9);
  });

  it('two submissions at the same moment make one Job; a re-run after success adopts; another comment is a second attempt', async () => {
    const pull = pullRequest();
    const images = `train: ${await buildImage(pull.sha)}`;
    const asked = { images, parameters: 'epochs: 1', 'comment-id': '1' };
    const both = await Promise.all([submit(pull, { inputs: asked, runId: 1 }), submit(pull, { inputs: asked, runId: 2 })]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(both.map(({ outputs }) => outputs['adopted']).sort()).toEqual(['false', 'true']);
    const run = both[0]?.outputs['run'] ?? '';
    expect(both[1]?.outputs['run']).toBe(run);
    await expect(wait(run)).resolves.toMatchObject({ outputs: { state: 'succeeded' } });

    await expect(submit(pull, { inputs: asked, runId: 1, runAttempt: 2 })).resolves.toMatchObject({ outputs: { run, adopted: 'true' } });
    const second = await succeeded(submit(pull, { inputs: { ...asked, 'comment-id': '2' } }));
    expect(second).toMatchObject({ code: 0, outputs: { adopted: 'false' } });
    const names = (await client.list(jobs, namespace, { labelSelector: `slashtrain.dev/sha=${pull.sha}` })).items.map(
      ({ metadata }) => metadata.name,
    );
    expect(names.sort()).toEqual([parseReference(run).name, `${parseReference(run).name}-2`]);
    await wait(second.outputs['run'] ?? '');
    expect(repository.checks(pull.sha).map(({ conclusion }) => conclusion)).toEqual(['success', 'success']);
  });

  it('a runner that is killed while it waits loses nothing', async () => {
    const pull = pullRequest();
    const submitted = await succeeded(
      submit(pull, { inputs: { images: `train: ${await buildImage(pull.sha)}`, parameters: 'epochs: 60' } }),
    );
    const run = submitted.outputs['run'] ?? '';
    const seen = Promise.withResolvers<void>();
    const killed = startBundle({
      action: 'wait-for-run',
      ...common(),
      inputs: { run, ...clusterInputs() },
      onLine: (line) => line.includes('"step":3') && seen.resolve(),
    });
    await seen.promise;
    killed.kill();
    await killed.result;
    expect(repository.checks(pull.sha)).toMatchObject([{ conclusion: undefined }]);
    const waited = await wait(run);
    expect(waited).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
    const epochs = waited.stdout.split('\n').filter((line) => /^slashtrain-metric .*"accuracy"/u.test(line));
    expect(epochs).toHaveLength(60);
    expect(repository.checks(pull.sha)).toMatchObject([{ conclusion: 'success' }]);
  });

  it('a Job that fails fails the step, with state, reason and the last 30 lines; hostile lines stay lines', async () => {
    const train = [
      "for (let i = 1; i <= 40; i++) console.log('line ' + i);",
      "console.log('::error::owned');",
      "console.log('##[error]owned | `|` <b>@acme</b>');",
      'process.exit(3);',
    ];
    const pull = pullRequest({ 'train.js': train.join('\n') });
    const submitted = await succeeded(submit(pull, { inputs: { images: `train: ${await buildImage(pull.sha)}` } }));
    const waited = await wait(submitted.outputs['run'] ?? '');
    expect(waited).toMatchObject({ code: 1, outputs: { state: 'failed', reason: 'crash' } });
    const result = JSON.parse(readFileSync(waited.outputs['result-file'] ?? '', 'utf8')) as RunResult;
    expect(result.logTail).toHaveLength(30);
    expect(result.logTail[0]).toBe('line 13');
    expect(result.pods[0]?.containers[0]).toMatchObject({ exitCode: 3 });
    expect(waited.annotations.map(({ message }) => message).filter((message) => message.includes('owned'))).toEqual([]);
    const [check] = repository.checks(pull.sha);
    expect(check).toMatchObject({ conclusion: 'failure' });
    expect(check?.output?.summary).toContain('line 40');
  });

  it('a run that is not done in time is stopped, and everything says so', async () => {
    const pull = pullRequest({ 'train.js': 'setInterval(() => {}, 1000);' });
    const submitted = await succeeded(submit(pull, { inputs: { images: `train: ${await buildImage(pull.sha)}` } }));
    const run = submitted.outputs['run'] ?? '';
    const waited = await wait(run, { inputs: { timeout: '3s' } });
    expect(waited).toMatchObject({ code: 1, outputs: { state: 'cancelled' } });
    expect(waited.stdout).toContain('did not end within 3 s; it was stopped');
    expect(repository.checks(pull.sha)).toMatchObject([{ conclusion: 'timed_out' }]);
    await expect(client.get(jobs, namespace, parseReference(run).name)).resolves.toBeUndefined();
    await expect(wait(run)).resolves.toMatchObject({ code: 1, outputs: { state: 'cancelled' } });
  });

  it.each([
    ['detach', 'running', 'goes on', 1],
    ['cancel', 'cancelled', 'was stopped', 0],
  ])('a cancelled workflow with on-cancel: %s leaves the run %s', async (onCancel, state, words, left) => {
    const pull = pullRequest({ 'train.js': "console.log('begun'); setInterval(() => {}, 1000);" });
    const submitted = await succeeded(submit(pull, { inputs: { images: `train: ${await buildImage(pull.sha)}` } }));
    const run = submitted.outputs['run'] ?? '';
    // Its first line can come before the API server says that it runs.
    const begun = Promise.withResolvers<void>();
    const waiting = startBundle({
      action: 'wait-for-run',
      ...common(),
      inputs: { run, 'on-cancel': onCancel, ...clusterInputs() },
      onLine: (line) => line.startsWith('running for') && begun.resolve(),
    });
    await begun.promise;
    waiting.interrupt();
    const waited = await waiting.result;
    expect(waited).toMatchObject({ code: 1, outputs: { state } });
    expect(waited.stdout).toContain(words);
    const found = await client.get(jobs, namespace, parseReference(run).name);
    expect(found ? 1 : 0).toBe(left);
    if (found) await client.delete(jobs, namespace, parseReference(run).name);
  });

  it('a run that somebody deletes is deleted, never succeeded', async () => {
    const pull = pullRequest({
      'train.js': "console.log('begun'); process.on('SIGTERM', () => process.exit(143)); setInterval(() => {}, 1000);",
    });
    const submitted = await succeeded(submit(pull, { inputs: { images: `train: ${await buildImage(pull.sha)}` } }));
    const run = submitted.outputs['run'] ?? '';
    const begun = Promise.withResolvers<void>();
    const waiting = startBundle({
      action: 'wait-for-run',
      ...common(),
      inputs: { run, ...clusterInputs() },
      onLine: (line) => line === 'begun' && begun.resolve(),
    });
    await begun.promise;
    await client.delete(jobs, namespace, parseReference(run).name, { graceSeconds: 0 });
    await expect(waiting.result).resolves.toMatchObject({ code: 1, outputs: { state: 'deleted', reason: 'deleted' } });
    expect(repository.checks(pull.sha)).toMatchObject([{ conclusion: 'failure' }]);
  });
});
