import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { configPath } from '@slashtrain/core/config/types';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { pods, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import { parseMetricLine } from '@slashtrain/core/metrics/lines';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import { startBundle, type BundleResult, type RunningBundle } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { keptLog } from './kubernetes.ts';
import { succeeded } from './steps.ts';
import { filesOf, openTarget, unique, type Target } from './targets.ts';

const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };

/** A pull request of the digits with examples/sweep laid over it, and the bundles that its workflow calls. */
export class Sweeps {
  readonly target: Target;
  readonly client: KubernetesClient;
  readonly github: FakeGitHub;
  readonly repository: Repository;
  readonly namespace: string;
  readonly pull: number;
  readonly sha: string;
  image = '';
  #runs = 100;

  static async open(name: Target['name']): Promise<Sweeps> {
    const target = await openTarget(name);
    const client = await openKubernetes({ kubeconfig: target.kubeconfig, context: target.context, environment: {}, log: keptLog() });
    const namespace = unique('slashtrain-sweep');
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const github = await startGitHub();
    const config = readFileSync(resolve(import.meta.dirname, '../../examples/sweep', configPath), 'utf8');
    const kinds = config.replace('kinds: [Job.batch, ', 'kinds: [Job.batch, Workflow.argoproj.io, Experiment.kubeflow.org, ');
    const files = { ...filesOf('examples/digits'), ...filesOf('examples/sweep'), [configPath]: kinds };
    const repository = github.createRepository({ owner: 'acme', name: 'digits', files });
    repository.setPermission('ada', 'write');
    const sha = repository.commit({ branch: 'change', files: { 'settings.json': '{ "batch": 16 }' }, author: 'ada' });
    const pull = repository.openPullRequest({ head: 'change', author: 'ada' });
    const sweeps = new Sweeps({ target, client, github, repository, namespace, pull, sha });
    const built = await succeeded(
      sweeps.run('build-image', { image: `${target.registry}/${namespace}/digits`, base: target.base, token: sweeps.#token }),
    );
    sweeps.image = built.outputs['image'] ?? '';
    return sweeps;
  }

  private constructor(parts: Pick<Sweeps, 'target' | 'client' | 'github' | 'repository' | 'namespace' | 'pull' | 'sha'>) {
    ({
      target: this.target,
      client: this.client,
      github: this.github,
      repository: this.repository,
      namespace: this.namespace,
      pull: this.pull,
      sha: this.sha,
    } = parts);
  }

  async close(): Promise<void> {
    await this.client.delete(namespaces, '', this.namespace);
    await this.github.close();
    await this.target.close();
  }

  get #token(): string {
    return this.github.token({ contents: 'read', checks: 'write', 'pull-requests': 'write' }, { repository: this.repository });
  }

  /** One step as a workflow calls it, with what all of them are given. */
  run(action: string, inputs: Record<string, string>): Promise<BundleResult> {
    return this.start(action, inputs).result;
  }

  start(action: string, inputs: Record<string, string>, onLine?: (line: string) => void): RunningBundle {
    const token = this.#token;
    const cluster = { kubeconfig: this.target.kubeconfig, 'kube-context': this.target.context, namespace: this.namespace };
    const common = action === 'build-image' ? { sha: this.sha, token } : { ...cluster, token };
    return startBundle({
      action,
      github: { url: this.github.url, token, repository: { owner: 'acme', name: 'digits', id: this.repository.id } },
      actor: 'ada',
      runId: this.#runs++,
      inputs: { ...common, ...inputs },
      ...(onLine ? { onLine } : {}),
    });
  }

  /** The example's step `Submit it`. */
  submit(inputs: Record<string, string>): Promise<BundleResult> {
    return this.run('submit-pipeline', {
      manifest: 'pipelines/train.yaml',
      pipeline: 'digits-sweep',
      ...this.which,
      images: `train: ${this.image}`,
      deadline: '30m',
      ...inputs,
    });
  }

  get which(): Record<string, string> {
    return { sha: this.sha, 'pr-number': String(this.pull) };
  }

  /** So many trials of one parameter that have all ended, as a record of another pipeline made from the sweep's. @returns its run */
  async seedTrials(pipeline: string, count: number): Promise<string> {
    const records = recordStore(this.client);
    const [first] = await records.find(this.namespace, { repositoryId: this.repository.id, pipeline: 'digits-sweep' });
    const { record } = first!;
    const trials = Array.from({ length: count }, (_, index) => [String(index / count)]);
    const name = `${pipeline}-1a2b3c4-9f8e7d6`;
    const run = record.run!.replace(first!.name, name);
    const sweep = { ...record.sweep!, parameters: ['learning-rate'], trials, maxTrials: count };
    const stored = await records.create(this.namespace, name, { ...record, run, pipeline, sweep, request: 'f'.repeat(64) });
    const metric = (value: number): object => ({ last: value, min: value, max: value, mean: value, step: 1 });
    const measured = trials.map((values, index) => {
      const metrics = [{ name: 'accuracy', ...metric(1 - Math.abs(index - 0.7 * count) / count) }] as never;
      return { index, values, state: 'succeeded' as const, metrics };
    });
    await records.writeMetrics(stored!, { version: 1, series: [], trials: measured, dropped: [] });
    return run;
  }

  /** The comments that report-pr wrote. */
  reports(): string[] {
    return this.repository
      .comments(this.pull)
      .filter(({ user }) => user.login === 'github-actions[bot]')
      .map(({ body }) => body);
  }

  /** Each trial's last value of a metric, read from its pod's own log: by hand, so to speak. */
  async byHand(selector: string, metric: string): Promise<Map<number, number>> {
    const { items } = await this.client.list(pods, this.namespace, { labelSelector: selector });
    const found = new Map<number, number>();
    for (const { metadata } of items) {
      const index = metadata.labels?.['batch.kubernetes.io/job-completion-index'] ?? metadata.labels?.['slashtrain.dev/trial'];
      const options = { container: metadata.labels?.['slashtrain.dev/trial'] === undefined ? 'train' : 'main' };
      for await (const lines of this.client.log(this.namespace, metadata.name ?? '', options, AbortSignal.timeout(30_000))) {
        for (const line of lines) {
          const reading = parseMetricLine(line.slice(line.indexOf(' ') + 1).trimEnd());
          if (typeof reading === 'object' && reading.name === metric) found.set(Number(index), reading.value);
        }
      }
    }
    return found;
  }
}

/** A small sweep of the digits. */
export function sweepText(change: Record<string, unknown>): string {
  const sweep = {
    method: 'grid',
    metric: 'accuracy',
    goal: 'maximize',
    'max-trials': 24,
    parallel: 6,
    parameters: { 'learning-rate': [0.001, 0.1], hidden: [4, 16] },
    ...change,
  };
  return JSON.stringify(sweep);
}
