import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { runBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { keptLog } from '../support/kubernetes.ts';
import { succeeded } from '../support/steps.ts';
import { filesOf, openTarget, sayWhatIsSkipped, targets, unique, type Target } from '../support/targets.ts';

/*
 * The chain through its six bundles, one after the other, as a workflow calls them: comment → image → run → metrics →
 * report. What passes between them is their outputs and nothing else.
 */
sayWhatIsSkipped('the chain from comment to report');

const permissions = { contents: 'read', checks: 'write', 'pull-requests': 'write' } as const;
const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };

describe.each(targets)('the chain on the %s cluster', (name) => {
  let target: Target;
  let client: KubernetesClient;
  let github: FakeGitHub;
  let repository: Repository;
  let minutes = 0;
  const namespace = unique('slashtrain-chain');

  beforeAll(async () => {
    target = await openTarget(name);
    client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    // People take their time: a push and a comment within one second would be refused, since nobody could have looked.
    github = await startGitHub({ now: () => Date.now() + minutes * 60_000 });
    repository = github.createRepository({ owner: 'acme', name: 'digits', files: filesOf('examples/digits') });
    repository.setPermission('ada', 'write');
    repository.protect('main', { requiredChecks: [{ context: 'train: digits' }, { context: 'metrics: digits' }] });
  });
  afterAll(async () => {
    await client.delete(namespaces, '', namespace);
    await github.close();
    await target.close();
  });

  interface Trained {
    image: BundleResult;
    run: BundleResult;
    wait: BundleResult;
    metrics: BundleResult;
    report: BundleResult;
  }

  /** What the example's workflow does at a comment, step by step. */
  async function train(pull: number, body: string): Promise<Trained> {
    minutes++;
    const comment = repository.comment(pull, 'ada', body);
    const token = github.token(permissions, { repository });
    const event = repository.events.issueComment(comment);
    const common = {
      github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } },
      event,
      actor: 'ada',
      runId: comment.id,
    };
    const parsed = await succeeded(runBundle({ action: 'chatops-parse', ...common, inputs: { token } }));
    expect(parsed.outputs['matched']).toBe('true');
    const { sha = '', 'pr-number': number = '', arguments: parameters = '', 'comment-id': commentId = '', attempt = '' } = parsed.outputs;
    const cluster = { kubeconfig: target.kubeconfig, 'kube-context': target.context, namespace, token };
    const which = { sha, 'pr-number': number, pipeline: 'digits' };

    const image = await succeeded(
      runBundle({
        action: 'build-image',
        ...common,
        inputs: { image: `${target.registry}/${namespace}/digits`, base: target.base, sha, token },
      }),
    );
    const run = await succeeded(
      runBundle({
        action: 'submit-pipeline',
        ...common,
        inputs: {
          ...which,
          ...cluster,
          manifest: 'pipelines/train.yaml',
          parameters,
          attempt,
          'comment-id': commentId,
          images: `train: ${image.outputs['image'] ?? ''}`,
          deadline: '30m',
        },
      }),
    );
    const reference = run.outputs['run'] ?? '';
    const wait = await runBundle({ action: 'wait-for-run', ...common, inputs: { run: reference, ...cluster } });
    const metrics = await succeeded(runBundle({ action: 'fetch-metrics', ...common, inputs: { run: reference, ...which, ...cluster } }));
    const report = await succeeded(
      runBundle({
        action: 'report-pr',
        ...common,
        inputs: {
          run: reference,
          ...which,
          ...cluster,
          'metrics-file': metrics.outputs['metrics-file'] ?? '',
          'result-file': wait.outputs['result-file'] ?? '',
        },
      }),
    );
    return { image, run, wait, metrics, report };
  }

  const settings = (values: object): Record<string, string> => ({
    'settings.json': JSON.stringify({ hidden: 32, 'learning-rate': 0.1, batch: 16, ...values }),
  });
  function change(values: object, branch = unique('change')): { branch: string; number: number; sha: string } {
    const sha = repository.commit({ branch, files: settings(values), author: 'ada' });
    return { branch, sha, number: repository.openPullRequest({ head: branch, author: 'ada' }) };
  }
  const ours = (pull: number): string[] =>
    repository
      .comments(pull)
      .filter(({ user }) => user.login === 'github-actions[bot]')
      .map(({ body }) => body);

  it('comment → image → run → metrics → report; a worse commit fails the gate, and the same comment says why', async () => {
    const first = change({ hidden: 32 });
    const { metrics } = await train(first.number, '/train epochs=10');
    expect(metrics.outputs['verdict']).toBe('no-baseline');
    expect(repository.canMerge(first.number).allowed).toBe(true);
    repository.merge(first.number, 'squash');

    const better = change({ hidden: 64 });
    const trained = await train(better.number, '/train epochs=20');
    expect(trained.metrics.outputs['verdict']).toBe('pass');
    const [report = '', ...more] = ours(better.number);
    expect(more).toEqual([]);
    expect(report).toContain(trained.image.outputs['digest']);
    expect(report).toContain(better.sha.slice(0, 7));
    expect(report).toContain('accuracy');
    expect(report).toContain('```mermaid');
    expect(repository.canMerge(better.number).allowed).toBe(true);

    const worse = repository.commit({ branch: better.branch, files: settings({ 'learning-rate': 0.0001 }), author: 'ada' });
    const failed = await train(better.number, '/train epochs=5');
    expect(failed.metrics.outputs['verdict']).toBe('fail');
    expect(ours(better.number)).toHaveLength(1);
    expect(ours(better.number)[0]).toContain(worse.slice(0, 7));
    expect(repository.checks(worse).map((check) => [check.name, check.conclusion])).toEqual([
      ['train: digits', 'success'],
      ['metrics: digits', 'failure'],
    ]);
    expect(repository.canMerge(better.number).allowed).toBe(false);
  });

  it('a training that fails is reported with its reason, and blocks', async () => {
    const branch = unique('broken');
    const sha = repository.commit({
      branch,
      files: { 'train.js': "console.log('`x` | <b>@acme</b> ::error::no'); throw new Error('broken');" },
      author: 'ada',
    });
    const number = repository.openPullRequest({ head: branch, author: 'ada' });
    const { wait, metrics } = await train(number, '/train');
    expect(wait.outputs['state']).toBe('failed');
    expect(metrics.outputs['verdict']).toBe('error');
    expect(ours(number)[0]).toContain('crash');
    expect(repository.checks(sha).map(({ conclusion }) => conclusion)).toEqual(['failure', 'failure']);
  });
});
