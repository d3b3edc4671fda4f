import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { kfpClient } from '@slashtrain/core/backend/kfp/client';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { pods, type KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { Pod } from '@slashtrain/core/kubernetes/pod';
import { watchObject } from '@slashtrain/core/kubernetes/watch';
import type { MetricsFile } from '@slashtrain/core/metrics/metrics';
import { recordStore } from '@slashtrain/core/records/kubernetes';
import { nodeExchange } from '@slashtrain/core/registry/http';
import { formatReference, parseReference } from '@slashtrain/core/run/reference';
import { runBundle, startBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startCluster, type EmbeddedCluster } from '@slashtrain/testing/cluster/cluster';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { startKfp, type FakeKfp } from '@slashtrain/testing/kfp/kfp';
import { keptLog } from '../support/kubernetes.ts';
import { succeeded } from '../support/steps.ts';
import { unique } from '../support/targets.ts';

/*
 * Pipelines of Kubeflow Pipelines through the bundles: the records on the embedded cluster, the API a fake whose requests and answers
 * are those of the published description. No real server ran here.
 */
const compiled = (file: string): string =>
  readFileSync(resolve(import.meta.dirname, '../../packages/testing/src/kfp/pipelines', file), 'utf8');

let cluster: EmbeddedCluster;
let client: KubernetesClient;
let github: FakeGitHub;
let repository: Repository;
let kfp: FakeKfp;
const namespace = 'ml';
const image = `localhost:1/digits@sha256:${'a'.repeat(64)}`;

beforeAll(async () => {
  cluster = await startCluster();
  cluster.registerImage(image, mkdtempSync(join(tmpdir(), 'kfp-image-')));
  client = await openKubernetes({ kubeconfig: cluster.kubeconfig, environment: {}, log: keptLog() });
  const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  github = await startGitHub();
  repository = github.createRepository({ owner: 'acme', name: 'digits' });
});
afterAll(async () => {
  await cluster.stop();
  await github.close();
});
beforeEach(async () => {
  kfp = await startKfp({ multiUser: true });
});
afterEach(() => kfp.close());

type Inputs = Record<string, string>;

function stepOf(action: string, inputs: Inputs): Parameters<typeof runBundle>[0] {
  const token = github.token({ contents: 'read', checks: 'write', 'pull-requests': 'write' }, { repository });
  return {
    action,
    github: { url: github.url, token, repository: { owner: 'acme', name: 'digits', id: repository.id } },
    inputs: { kubeconfig: cluster.kubeconfig, namespace, token, ...inputs },
  };
}
const step = (action: string, inputs: Inputs): Promise<BundleResult> => runBundle(stepOf(action, inputs));
const wait = (run: string, inputs: Inputs = {}): Promise<BundleResult> => step('wait-for-run', { run, 'kfp-url': kfp.url, ...inputs });

/** A pull request with this pipeline. */
function pullRequest(file = 'digits.yaml'): { sha: string; number: number } {
  const branch = unique('change');
  const sha = repository.commit({ branch, files: { 'pipeline.yaml': compiled(file), 'NOTES.md': branch } });
  return { sha, number: repository.openPullRequest({ head: branch, author: 'ada' }) };
}
const submit = ({ sha, number }: { sha: string; number: number }, inputs: Inputs = {}): Promise<BundleResult> =>
  step('submit-pipeline', {
    manifest: 'pipeline.yaml',
    sha,
    'pr-number': String(number),
    pipeline: 'digits',
    parameters: 'name: first',
    'kfp-url': kfp.url,
    ...inputs,
  });
const recordOf = async (run: string): Promise<NonNullable<Awaited<ReturnType<ReturnType<typeof recordStore>['get']>>>['record']> =>
  (await recordStore(client).get(namespace, parseReference(run).name))!.record;

describe('a pipeline of Kubeflow Pipelines', () => {
  it('is submitted once with its parameters in their types, waited for with its tasks, and linked', async () => {
    kfp.play([
      { state: 'PENDING' },
      { state: 'RUNNING', tasks: { prepare: 'cached', train: 'RUNNING' } },
      { state: 'SUCCEEDED', tasks: { prepare: 'cached', train: 'SUCCEEDED', evaluate: 'SUCCEEDED' } },
    ]);
    const pull = pullRequest();
    const parameters = 'name: first\nepochs: "20"\nrate: 1e-2\nlayers: "[64, 32]"\noptions: {"optimizer": "sgd"}\nshuffle: "false"'.replace(
      '{"optimizer": "sgd"}',
      `'{"optimizer": "sgd"}'`,
    );
    const submitted = await succeeded(submit(pull, { parameters, 'kfp-pipeline-root': 's3://pipelines/digits', deadline: '2h' }));
    const run = submitted.outputs['run'] ?? '';
    expect(kfp.runs).toHaveLength(1);
    const [made] = kfp.runs;
    expect(run).toBe(formatReference({ plural: 'runs', group: 'kfp', namespace, name: made?.name ?? '', uid: made?.id ?? '' }));
    expect(submitted.outputs['run-url']).toBe(`${kfp.url}/#/runs/details/${made?.id}`);
    expect(kfp.experiments).toMatchObject([{ name: `acme/digits #${pull.number}`, namespace }]);
    expect(made?.body).toMatchObject({
      runtime_config: {
        pipeline_root: 's3://pipelines/digits',
        parameters: { name: 'first', epochs: 20, rate: 0.01, layers: [64, 32], options: { optimizer: 'sgd' }, shuffle: false },
      },
      pipeline_spec: {
        pipeline_spec: { pipelineInfo: { name: 'digits' } },
        platform_spec: { platforms: { kubernetes: { deploymentSpec: { executors: { 'exec-train': { activeDeadlineSeconds: 7200 } } } } } },
      },
      description: expect.stringContaining(pull.sha),
    });
    const again = await succeeded(submit(pull, { parameters, 'kfp-pipeline-root': 's3://pipelines/digits', deadline: '2h' }));
    expect(again.outputs).toMatchObject({ run, adopted: 'true' });
    expect(kfp.runs).toHaveLength(1);

    const waited = await succeeded(wait(run));
    expect(waited.outputs).toMatchObject({ state: 'succeeded', run, message: '1 of 3 tasks was taken from the cache: prepare' });
    expect(waited.stdout).toContain('prepare cached, train running');
    expect(repository.checks(pull.sha)).toMatchObject([{ name: 'train: digits', conclusion: 'success' }]);
    expect(repository.checks(pull.sha)[0]?.output?.summary).toContain(`${kfp.url}/#/runs/details/${made?.id}`);
    const recorded = await recordOf(run);
    expect(recorded).toMatchObject({ state: 'succeeded', kind: { plural: 'runs', group: 'kfp' } });
    expect(recorded.result?.outputs).toEqual([
      { name: 'accuracy', value: '0.93' },
      { name: 'loss', value: '-0.5' },
      { name: 'classes.auc', value: '0.65' },
      { name: 'prepare.data', value: 's3://pipelines/data' },
      { name: 'train.model', value: 's3://pipelines/model' },
      { name: 'train.metrics', value: 's3://pipelines/metrics' },
    ]);
    const [data, model, metrics, classes] = [
      { name: 'prepare.data', type: 'system.Dataset', uri: 's3://pipelines/data', from: [], cached: true },
      { name: 'train.model', type: 'system.Model', uri: 's3://pipelines/model', from: ['prepare.data'] },
      { name: 'train.metrics', type: 'system.Metrics', uri: 's3://pipelines/metrics', from: ['prepare.data'] },
      { name: 'evaluate.classes', type: 'system.ClassificationMetrics', uri: '', from: ['train.model'] },
    ];
    expect(recorded.result?.artifacts).toEqual([
      data,
      model,
      metrics,
      classes,
      { ...classes, name: 'evaluate.sliced', type: 'system.SlicedClassificationMetrics' },
    ]);
    const fetched = await succeeded(step('fetch-metrics', { run, gates: '[{metric: accuracy, direction: higher, min: 0.9}]' }));
    expect(fetched.outputs['verdict']).toBe('pass');
    const file = JSON.parse(readFileSync(fetched.outputs['metrics-file'] ?? '', 'utf8')) as MetricsFile;
    expect(file.candidates[0]?.tables?.map(({ name, kind }) => [name, kind])).toEqual([
      ['evaluate.classes', 'confusion'],
      ['evaluate.classes, ROC', 'classes'],
      ['evaluate.sliced, small', 'confusion'],
    ]);
    expect(file.candidates[0]?.tables?.[0]?.rows).toEqual([
      { label: 'cat', values: [9, 1] },
      { label: 'dog', values: [2, 8] },
    ]);
    expect(file.candidates[0]?.artifacts?.[1]).toEqual(model);
    await succeeded(
      step('report-pr', { run, sha: pull.sha, 'pr-number': String(pull.number), 'metrics-file': fetched.outputs['metrics-file'] ?? '' }),
    );
    const [report] = repository.comments(pull.number);
    expect(report?.body).toContain('1 of 3 tasks was taken from the cache: prepare');
    expect(report?.body).toContain('| `train.model` | Model | `s3://pipelines/model` | `prepare.data` |');
  });

  it('is one run also where the answer to its making was lost', async () => {
    kfp.loseNextAnswer();
    const submitted = await succeeded(submit(pullRequest()));
    expect(kfp.runs).toHaveLength(1);
    expect(submitted.outputs['run']).toContain(`@${kfp.runs[0]?.id}`);
    expect((await recordOf(submitted.outputs['run'] ?? '')).state).toBe('queued');
  });

  it('that two steps made at once is one: the older stays, and the other is stopped', async () => {
    kfp.play([{ state: 'RUNNING' }]);
    kfp.raceNextRun();
    const submitted = await succeeded(submit(pullRequest()));
    const [older, younger] = kfp.runs;
    expect(kfp.runs).toHaveLength(2);
    expect(submitted.outputs['run']).toContain(`@${older?.id}`);
    expect(older?.frames[0]?.state).toBe('RUNNING');
    expect(younger?.frames[0]?.state).toBe('CANCELING');
    expect((await recordOf(submitted.outputs['run'] ?? '')).run).toBe(submitted.outputs['run']);
  });

  it('with a wrong parameter is refused with those it has, and nothing is made', async () => {
    const pull = pullRequest();
    const refused = await submit(pull, { parameters: 'name: a\nepoch: 3' });
    expect(refused.stdout).toContain('did you mean "epochs"? it has epochs (int), layers (list), name (str)');
    expect(kfp.runs).toEqual([]);
    expect(repository.checks(pull.sha)).toMatchObject([{ conclusion: 'failure' }]);
  });

  it('of kfp 1 is told how to compile it anew', async () => {
    const refused = await submit(pullRequest('digits.v1.yaml'));
    expect(refused.stdout).toContain(
      'pipeline.yaml is a pipeline that kfp 1.8.22 compiled, and Kubeflow Pipelines v2 takes what kfp 2 compiles; install kfp 2',
    );
  });

  it('that fails says which task and why; retried in place, it may succeed', async () => {
    const failed = { train: { state: 'FAILED' as const, message: 'exit code 137' } };
    kfp.play([
      { state: 'RUNNING', tasks: { train: 'RUNNING' } },
      { state: 'FAILED', tasks: failed },
    ]);
    const { outputs } = await succeeded(submit(pullRequest()));
    const waited = await wait(outputs['run'] ?? '');
    expect(waited).toMatchObject({ code: 1, outputs: { state: 'failed', message: 'task "train" failed: exit code 137' } });

    kfp.playRetry([{ state: 'RUNNING' }, { state: 'SUCCEEDED' }]);
    const second = await succeeded(submit(pullRequest()));
    const retried = await succeeded(wait(second.outputs['run'] ?? '', { 'kfp-retries': '1' }));
    expect(retried.outputs['state']).toBe('succeeded');
    expect(kfp.runs.map(({ retries }) => retries)).toEqual([0, 1]);
  });

  it('is cancelled by a chat comment, also while it is waited for, and is then no failure', async () => {
    kfp.play([{ state: 'RUNNING', tasks: { train: 'RUNNING' } }]);
    const pull = pullRequest();
    const { outputs } = await succeeded(submit(pull));
    const run = outputs['run'] ?? '';
    const cancelled = await succeeded(step('cancel-runs', { 'pr-number': String(pull.number), 'kfp-url': kfp.url }));
    expect(cancelled.outputs['cancelled']).toContain(run);
    expect(await recordOf(run)).toMatchObject({ state: 'cancelled' });
    expect(repository.checks(pull.sha)).toMatchObject([{ conclusion: 'cancelled' }]);

    // Stopped by a person on its page: the API calls it FAILED in the end.
    const other = await succeeded(submit(pullRequest()));
    kfp.runs.at(-1)!.frames = [{ state: 'CANCELING' }, { state: 'FAILED' }];
    expect((await wait(other.outputs['run'] ?? '')).outputs['state']).toBe('cancelled');
  });

  it('has the logs of its tasks where its pods are in the cluster, without those of its drivers', async () => {
    kfp.hasMetadata = false;
    const { outputs } = await succeeded(submit(pullRequest()));
    const run = outputs['run'] ?? '';
    // The labels and names that Kubeflow Pipelines 2.17 and its Argo give pods.
    for (const name of ['digits-x7k2p-system-container-impl-1', 'digits-x7k2p-system-container-driver-2']) {
      const program = `console.log('slashtrain-metric {"name":"f1","value":0.5,"step":1}'); console.log('by ${name}');`;
      await client.create(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace, labels: { 'pipeline/runid': parseReference(run).uid } },
        spec: { restartPolicy: 'Never', containers: [{ name: 'main', image, command: ['node', '-e', program] }] },
      });
    }
    const waited = await succeeded(wait(run));
    expect(waited.stdout).toContain('by digits-x7k2p-system-container-impl-1');
    expect(waited.stdout).not.toContain('by digits-x7k2p-system-container-driver-2');
    expect(waited.stdout).toContain('passes on no ML Metadata');
    const stored = await recordStore(client).get(namespace, parseReference(run).name);
    expect(await recordStore(client).readMetrics(stored!)).toMatchObject({ series: [{ name: 'f1', points: [{ value: 0.5 }] }] });
  });

  it('whose end nobody saw is concluded by sync-runs', async () => {
    const { outputs } = await succeeded(submit(pullRequest()));
    const synced = await succeeded(step('sync-runs', { 'kfp-url': kfp.url }));
    expect(synced.outputs['ended']).toContain(outputs['run']);
    expect(await recordOf(outputs['run'] ?? '')).toMatchObject({ state: 'succeeded' });
  });
});

describe('a pipeline with a version for each commit', () => {
  const versioned = { 'kfp-pipeline': 'digits training', deadline: '2h' };

  it('is uploaded once for a commit, and its runs refer to it; another specification under that name is refused', async () => {
    kfp.play([
      { state: 'PENDING' },
      { state: 'RUNNING', tasks: { prepare: 'SUCCEEDED', train: 'RUNNING' } },
      { state: 'SUCCEEDED', tasks: { prepare: 'SUCCEEDED', train: 'SUCCEEDED', evaluate: 'SUCCEEDED' } },
    ]);
    const pull = pullRequest();
    const first = await succeeded(submit(pull, versioned));
    expect(kfp.pipelines).toMatchObject([{ name: 'digits training', namespace, versions: [{ name: pull.sha }] }]);
    const [version] = kfp.pipelines[0]!.versions;
    expect(version?.description).toContain(pull.sha);
    expect(version?.spec).toMatchObject({ pipeline_spec: { pipelineInfo: { name: 'digits' } }, platform_spec: { platforms: {} } });
    // What is a run's or a pull request's alone is not in it.
    const text = JSON.stringify(version?.spec);
    expect(text).toContain(`"name":"SLASHTRAIN_SHA","value":"${pull.sha}"`);
    expect(text).not.toMatch(/SLASHTRAIN_RUN|SLASHTRAIN_PULL_REQUEST|WANDB_NAME|slashtrain\.dev\/pull-request/u);
    expect(text).not.toContain(kfp.runs[0]?.name);
    const waited = await succeeded(wait(first.outputs['run'] ?? ''));
    expect(waited.stdout).toContain('prepare done, train running');

    const other = await succeeded(submit(pull, { ...versioned, parameters: 'name: second' }));
    expect(other.outputs['run']).not.toBe(first.outputs['run']);
    expect(kfp.pipelines[0]?.versions).toHaveLength(1);
    for (const { body } of kfp.runs) {
      expect(body).toMatchObject({ pipeline_version_reference: { pipeline_id: kfp.pipelines[0]?.id, pipeline_version_id: version?.id } });
      expect(body).not.toHaveProperty('pipeline_spec');
    }
    expect(kfp.runs.map(({ body }) => body['runtime_config'])).toEqual([
      { parameters: { name: 'first' } },
      { parameters: { name: 'second' } },
    ]);

    const refused = await submit(pull, { ...versioned, env: 'LEVEL: high' });
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain(`the pipeline "digits training" on ${kfp.url} has a version "${pull.sha}" with another specification`);
    expect(refused.stdout).toContain('container.env');
    expect(kfp.runs).toHaveLength(2);
    expect(repository.checks(pull.sha).at(-1)).toMatchObject({ conclusion: 'failure' });
  });

  it.each(['pipelines', 'upload_version', 'runs'] as const)(
    'is one version and one run where the answer to POST %s was lost',
    async (to) => {
      kfp.loseNextAnswer(to);
      const submitted = await succeeded(submit(pullRequest(), versioned));
      expect(kfp.pipelines).toHaveLength(1);
      expect(kfp.pipelines[0]?.versions).toHaveLength(1);
      expect(kfp.runs).toHaveLength(1);
      expect(submitted.outputs['run']).toContain(`@${kfp.runs[0]?.id}`);
    },
  );
});

describe('a server that is reached by its Service', () => {
  // Kubeflow Pipelines as a cluster has it: a Service that leads to a pod by the name of its port. The pod is the fake's.
  const services = { group: '', version: 'v1', plural: 'services', kind: 'Service' };
  const service = 'ml-pipeline-ui';
  const serve = async (name: string): Promise<void> => {
    const to = new URL(kfp.url).port;
    const program = `const net = require('node:net'); net.createServer((from) => {
      const to = net.connect(${to}, '127.0.0.1'); from.on('error', () => to.destroy()); to.on('error', () => from.destroy());
      from.pipe(to).pipe(from); }).listen(3000);`;
    const container = { name: 'ui', image, command: ['node', '-e', program], ports: [{ name: 'http', containerPort: 3000 }] };
    const metadata = { name, namespace, labels: { app: service } };
    await client.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { containers: [container], terminationGracePeriodSeconds: 0 },
    });
    for await (const { object } of watchObject<Pod>(client, pods, namespace, name, { signal: AbortSignal.timeout(30_000) })) {
      if (object?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) return;
    }
  };
  const by = { 'kfp-service': `${namespace}/${service}` };
  const submitBy = (pull: ReturnType<typeof pullRequest>, more: Inputs = {}): Promise<BundleResult> => {
    const inputs = { manifest: 'pipeline.yaml', sha: pull.sha, 'pr-number': String(pull.number), pipeline: 'digits' };
    return step('submit-pipeline', { ...inputs, parameters: 'name: first', ...by, ...more });
  };

  beforeAll(async () => {
    const spec = { selector: { app: service }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] };
    await client.create(services, { apiVersion: 'v1', kind: 'Service', metadata: { name: service, namespace }, spec });
  });
  afterEach(async () => {
    const { items } = await client.list(pods, namespace, { labelSelector: `app=${service}` });
    for (const { metadata } of items) await client.delete(pods, namespace, metadata.name ?? '', { graceSeconds: 0 });
  });

  it('is asked by every step, also after its pod was replaced', async () => {
    await serve('ui-1');
    kfp.play([{ state: 'RUNNING', tasks: { train: 'RUNNING' } }]);
    const first = await succeeded(submitBy(pullRequest()));
    expect(kfp.runs).toHaveLength(1);
    // Nobody said where its pages are.
    expect(first.outputs['run-url']).toBe('');
    let isReplaced = false;
    const waited = startBundle({
      ...stepOf('wait-for-run', { run: first.outputs['run'] ?? '', ...by }),
      onLine: (line) => {
        if (isReplaced || !line.startsWith('running')) return;
        isReplaced = true;
        void client.delete(pods, namespace, 'ui-1', { graceSeconds: 0 }).then(async () => {
          await serve('ui-2');
          kfp.runs[0]!.frames = [{ state: 'SUCCEEDED' }];
        });
      },
    });
    const ended = await succeeded(waited.result);
    expect(ended.outputs['state']).toBe('succeeded');
    // What was asked of the pod that went failed at once.
    expect(ended.stdout).not.toContain('no byte came or went');
    // ML Metadata came the same way.
    expect((await recordOf(first.outputs['run'] ?? '')).result?.outputs[0]).toEqual({ name: 'accuracy', value: '0.93' });

    const pull = pullRequest();
    const second = await succeeded(submitBy(pull, { 'kfp-url': 'https://kubeflow.example.com/pipeline' }));
    expect(second.outputs['run-url']).toBe(`https://kubeflow.example.com/pipeline/#/runs/details/${kfp.runs[1]?.id}`);
    expect((await succeeded(step('sync-runs', by))).stdout).toContain('goes on (running)');
    const cancelled = await succeeded(step('cancel-runs', { 'pr-number': String(pull.number), ...by }));
    expect(cancelled.outputs['cancelled']).toContain(second.outputs['run']);
    expect(kfp.runs[1]?.frames[0]?.state).toBe('CANCELING');
  });

  it('is named as namespace and name', async () => {
    const refused = await submitBy(pullRequest(), { 'kfp-service': service });
    const allowed = `input "kfp-service" is "${service}"; allowed: namespace/name or namespace/name:port, such as kubeflow/ml-pipeline-ui`;
    expect([refused.code, refused.stdout]).toEqual([1, expect.stringContaining(allowed)]);
  });
});

describe('a server', () => {
  const page = {
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: '<!doctype html><title>Dex</title><form><input type="password">',
  };

  it.each<[string, NonNullable<FakeKfp['signIn']> | undefined, object]>([
    [
      'answers with a page on which to sign in',
      page,
      { code: 'permission', message: expect.stringContaining('was answered with a page (HTML) on which to sign in, not by the API') },
    ],
    [
      'redirects to one',
      { status: 302, headers: { location: '/dex/auth?client=a' }, body: '' },
      { code: 'permission', message: expect.stringContaining('a redirect to /dex/auth on which to sign in') },
    ],
    ['refuses', undefined, { code: 'permission', message: expect.stringContaining('with 401: User identity is empty') }],
    [
      'is something else',
      { ...page, body: '<!doctype html><title>nginx</title>' },
      {
        code: 'unreachable',
        message: expect.stringContaining('a page (HTML), not by the API'),
        remedy: expect.stringContaining('check kfp-url'),
      },
    ],
  ])('that %s is told as such', async (_, signIn, error) => {
    kfp.tokens.add('good');
    if (signIn) kfp.signIn = signIn;
    const credentials = { headers: async () => ({}), renew: () => true };
    const direct = kfpClient({ url: kfp.url, credentials, exchange: nodeExchange(), wait: async () => undefined });
    await expect(direct.findRuns('digits', {})).rejects.toMatchObject(error);
  });

  it('whose token expires in the middle is asked with a new one; without one the end is clear, and the run is not lost', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kfp-'));
    const token = join(folder, 'token');
    const as = (text: string): void => {
      kfp.tokens.clear();
      kfp.tokens.add(text);
      writeFileSync(token, text);
    };
    as('first');
    kfp.play([{ state: 'RUNNING' }]);
    const command = { 'kfp-token-command': `cat ${token}` };
    const { outputs } = await succeeded(submit(pullRequest(), command));
    const run = outputs['run'] ?? '';
    // Each look after the first finds another token: the session of Dex has ended.
    kfp.signIn = page;
    let isRenewed = false;
    const waited = startBundle({
      ...stepOf('wait-for-run', { run, 'kfp-url': kfp.url, ...command }),
      onLine: (line) => {
        if (isRenewed || !line.startsWith('running')) return;
        isRenewed = true;
        as('second');
        kfp.runs[0]!.frames = [{ state: 'SUCCEEDED' }];
      },
    });
    expect((await succeeded(waited.result)).masks).toEqual(expect.arrayContaining(['first', 'second']));

    kfp.play([{ state: 'RUNNING' }]);
    const other = (await succeeded(submit(pullRequest(), command))).outputs['run'] ?? '';
    as('third');
    const cut = await wait(other, { 'kfp-token': 'second' });
    expect(cut.code).toBe(1);
    expect(cut.stdout).toContain(`goes on at ${kfp.url}/#/runs/details/`);
    expect(await recordOf(other)).toMatchObject({ state: 'queued' });
    rmSync(folder, { recursive: true });
  });
});
