import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startCluster, type EmbeddedCluster } from '@slashtrain/testing/cluster/cluster';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { unique } from '../support/targets.ts';

/*
 * What submit-pipeline refuses, and how: nothing is half done, the message says what is wrong, where, and what to do.
 * The way that succeeds is in test/contract/train.test.ts.
 */

let cluster: EmbeddedCluster;
let github: FakeGitHub;
let repository: Repository;

beforeAll(async () => {
  cluster = await startCluster();
  github = await startGitHub();
});
afterAll(async () => {
  await cluster.stop();
  await github.close();
});
beforeEach(() => {
  repository = github.createRepository({ owner: 'acme', name: unique('digits') });
});

const image = `localhost:1/digits@sha256:${'a'.repeat(64)}`;
const manifest = (change: { spec?: object; pod?: object; container?: object; metadata?: object } = {}): string =>
  JSON.stringify({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'digits', ...change.metadata },
    spec: {
      suspend: true,
      ...change.spec,
      template: {
        spec: {
          restartPolicy: 'Never',
          ...change.pod,
          containers: [{ name: 'train', image, command: ['node', 'train.js'], ...change.container }],
        },
      },
    },
  });

interface Pull {
  sha: string;
  number: number;
}
function pullRequest(text: string): Pull {
  const sha = repository.commit({ branch: 'change', files: { 'train.yaml': text } });
  return { sha, number: repository.openPullRequest({ head: 'change', author: 'ada' }) };
}

function submit(
  pull: Pull,
  inputs: Record<string, string> = {},
  permissions: Record<string, 'read' | 'write'> = { contents: 'read', checks: 'write', 'pull-requests': 'read' },
): Promise<BundleResult> {
  return runBundle({
    action: 'submit-pipeline',
    github: {
      url: github.url,
      token: github.token(permissions, { repository }),
      repository: { owner: 'acme', name: repository.name, id: repository.id },
    },
    inputs: {
      manifest: 'train.yaml',
      sha: pull.sha,
      'pr-number': String(pull.number),
      pipeline: 'digits',
      kubeconfig: cluster.kubeconfig,
      ...inputs,
    },
  });
}

let seen = 0;
/** What was made in the cluster since the last look. */
function writes(): string[] {
  const fresh = cluster.requests.slice(seen);
  seen = cluster.requests.length;
  return fresh
    .filter(({ method, path }) => method !== 'GET' && !path.includes('dryRun=All'))
    .map(({ method, path }) => `${method} ${path}`);
}

describe('a manifest', () => {
  it.each<[string, string, RegExp]>([
    ['that is no YAML', 'kind: [Job', /train\.yaml:1:\d+: not YAML/u],
    ['that is empty', '# nothing\n', /train\.yaml is empty/u],
    ['that is a list', '- kind: Job\n', /train\.yaml:1:1: not a Kubernetes object but a list/u],
    ['without a kind', 'apiVersion: batch/v1\n', /train\.yaml:1:1: a Kubernetes object needs "apiVersion" and "kind"/u],
    [
      'of a kind that nobody knows',
      'apiVersion: acme.io/v1\nkind: Trainer\nmetadata: {}\n',
      /train\.yaml:1:1: acme\.io\/v1 Trainer is not a kind of run .*use one of batch\/v1 Job, .*or describe it under "kinds:" in \.github\/slashtrain\.yml.*docs\/kinds\.md/u,
    ],
    ['with two runs', `${manifest()}\n---\n${manifest()}\n`, /train\.yaml:3:1: a second run, Job; the first stands at train\.yaml:1:1/u],
    [
      'with a field that the API server does not know',
      manifest({ pod: { restartPolice: 'x' } }),
      /unknown field "spec\.template\.spec\.restartPolice"/u,
    ],
    [
      'that breaks the policy',
      manifest({ pod: { hostNetwork: true } }),
      /Job\/digits-pr\d+-[0-9a-f]{7}-[0-9a-f]{7}: spec\.template\.spec\.hostNetwork is true.*rule "host-network", default/u,
    ],
    ['that poses as a record', manifest({ metadata: { labels: { 'slashtrain.dev/state': 'succeeded' } } }), /slashtrain\.dev\/state/u],
    [
      'with a parameter that has no value',
      manifest({ container: { args: ['$(params.epochs)'] } }),
      /the manifest's parameter "epochs" has no value/u,
    ],
  ])('%s is refused; a failed check is all that is left', async (_, text, words) => {
    const pull = pullRequest(text);
    writes();
    const result = await submit(pull);
    expect(result.code).toBe(1);
    expect(result.annotations.map(({ message }) => message).join('\n')).toMatch(words);
    expect(writes()).toEqual([]);
    expect(repository.checks(pull.sha)).toMatchObject([{ name: 'train: digits', conclusion: 'failure' }]);
    expect(result.outputs).not.toHaveProperty('run');
  });

  it('names rule and place where the default branch has a policy', async () => {
    repository.commit({ files: { '.github/slashtrain.yml': 'policy:\n  registries: [ghcr.io/acme]\n' } });
    const result = await submit(pullRequest(manifest()));
    expect(result.stdout).toMatch(/containers\[0\]\.image .*allowed: .*ghcr\.io\/acme.*\.github\/slashtrain\.yml: policy\.registries/u);
  });

  it('is read from the commit, whatever the default branch has', async () => {
    repository.commit({ files: { 'train.yaml': 'broken: [' } });
    await expect(submit(pullRequest(manifest()))).resolves.toMatchObject({ code: 0 });
  });

  it('may be the text itself, or a file on the runner', async () => {
    const pull = pullRequest('broken: [');
    const file = join(tmpdir(), `${unique('manifest')}.yaml`);
    writeFileSync(file, manifest());
    await expect(submit(pull, { manifest: `${manifest()}\n# two lines` })).resolves.toMatchObject({
      code: 0,
      outputs: { adopted: 'false' },
    });
    await expect(submit(pull, { manifest: file })).resolves.toMatchObject({ code: 0 });
    await expect(submit(pull, { manifest: '/nowhere/train.yaml' })).resolves.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('names the file "/nowhere/train.yaml", which cannot be read'),
    });
    await expect(submit(pull, { manifest: 'nowhere.yaml' })).resolves.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('has no such file'),
    });
  });
});

describe('an input', () => {
  it.each<[Record<string, string>, string]>([
    [{ again: 'yes' }, 'input "again" is "yes"; allowed: one of true, false'],
    [{ parameters: 'epochs: 20' }, 'names "epochs", which the manifest does not have'],
    [{ parameters: 'lr: 0.1', manifest: `${manifest({ container: { args: ['$(params.epochs)'] } })}\n#` }, 'it has epochs'],
    [{ images: 'train: digits:latest' }, 'gives "train" the image "digits:latest", which is not pinned'],
    [{ images: `other: ${image}` }, 'names "other", which is neither a container nor an image of the manifest'],
    [{ 'kube-context': 'production' }, 'embedded'],
    [{ attempt: '2' }, 'the command was checked in attempt 2 of this workflow run, and this is attempt 1'],
  ])('%j is refused', async (inputs, words) => {
    const pull = pullRequest(manifest());
    writes();
    const result = await submit(pull, inputs);
    expect(result.code).toBe(1);
    expect(result.stdout).toContain(words);
    expect(writes()).toEqual([]);
  });
});

describe('a submission', () => {
  it('is refused where the head is another commit by now, with both SHAs', async () => {
    const pull = pullRequest(manifest());
    const newer = repository.commit({ branch: 'change', files: { 'NOTES.md': 'one more' } });
    const result = await submit(pull);
    expect(result.code).toBe(1);
    expect(result.stdout).toContain(`is ${newer} by now, and ${pull.sha} was to be trained`);
  });

  it('without the right to its check is none: no run, no record, and the error names the right', async () => {
    const pull = pullRequest(manifest());
    writes();
    const result = await submit(pull, {}, { contents: 'read', 'pull-requests': 'read' });
    expect(result.code).toBe(1);
    expect(result.outputs).not.toHaveProperty('run');
    expect(result.stdout).toMatch(/nothing was submitted.*: missing permission "checks: write" .*; add it under permissions: in the job/u);
    const name = `digits-pr${pull.number}-${pull.sha.slice(0, 7)}`;
    expect(writes().map((line) => line.replace(new RegExp(`${name}-[0-9a-f]{7}|\\?.*`, 'gu'), ''))).toEqual([
      'POST /api/v1/namespaces/default/configmaps',
      'PATCH /api/v1/namespaces/default/configmaps/',
      'DELETE /api/v1/namespaces/default/configmaps/',
    ]);
    await expect(submit(pull)).resolves.toMatchObject({ code: 0, outputs: { adopted: 'false', name: expect.stringMatching(`^${name}`) } });
  });

  it('names the address of a cluster that does not answer', async () => {
    const dead = cluster.kubeconfig.replace(cluster.url, 'http://127.0.0.1:9');
    const result = await submit(pullRequest(manifest()), { kubeconfig: dead });
    expect(result.code).toBe(1);
    expect(result.stdout).toContain('http://127.0.0.1:9');
  });

  it('is one run with our name, labels and record, within 5 requests to GitHub', async () => {
    repository.commit({ files: { '.github/slashtrain.yml': 'policy:\n  require-deadline: true\n' } });
    const pull = pullRequest(manifest());
    const before = github.requests.length;
    const result = await submit(pull, { deadline: '2h', env: 'SEED: 1' });
    expect(result).toMatchObject({ code: 0, outputs: { adopted: 'false', namespace: 'default' } });
    expect(github.requests.length - before).toBeLessThanOrEqual(5);
    const object = JSON.parse(readFileSync(result.outputs['manifest-file'] ?? '', 'utf8')) as {
      metadata: object;
      spec: { template: { spec: { containers: { env: object[] }[] } } };
    };
    expect(object).toMatchObject({
      metadata: {
        labels: {
          'app.kubernetes.io/managed-by': 'slashtrain',
          'slashtrain.dev/sha': pull.sha,
          'slashtrain.dev/pull-request': String(pull.number),
        },
      },
      spec: { activeDeadlineSeconds: 7200, ttlSecondsAfterFinished: 604_800 },
    });
    expect(object.spec.template.spec.containers[0]?.env).toEqual(
      expect.arrayContaining([
        { name: 'SEED', value: '1' },
        { name: 'SLASHTRAIN_SHA', value: pull.sha },
      ]),
    );
  });

  it('brings along what its manifest holds, before the run', async () => {
    const rates = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'rates' }, data: { lr: '0.1' } };
    const run = manifest({ container: { envFrom: [{ configMapRef: { name: 'rates' } }] } });
    const pull = pullRequest(`${JSON.stringify(rates)}\n---\n${run}`);
    writes();
    const result = await submit(pull);
    expect(result).toMatchObject({ code: 0, outputs: { adopted: 'false' } });
    const name = `rates-pr${pull.number}-${pull.sha.slice(0, 7)}`;
    const { items } = JSON.parse(readFileSync(result.outputs['manifest-file'] ?? '', 'utf8')) as { items: { kind: string }[] };
    expect(items).toMatchObject([{ metadata: { name: expect.stringContaining(name) } }, { kind: 'Job' }]);
    expect(JSON.stringify(items[1])).toContain(`"configMapRef":{"name":"${name}`);
    const kinds = writes().map((line) => line.replace(/\/namespaces\/default|\?.*/gu, ''));
    // The record, what the run needs, the run, its UID, the owner, and the check's id.
    expect(kinds.map((line) => line.replace(/(configmaps|jobs)\/.*/u, '$1'))).toEqual([
      'POST /api/v1/configmaps',
      'POST /api/v1/configmaps',
      'POST /apis/batch/v1/jobs',
      ...Array<string>(3).fill('PATCH /api/v1/configmaps'),
    ]);
  });

  it('that is dry checks all of it and makes nothing', async () => {
    const pull = pullRequest(manifest());
    writes();
    const result = await submit(pull, { 'dry-run': 'true' });
    expect(result).toMatchObject({ code: 0, summary: expect.stringContaining('dry run: nothing was submitted') });
    expect(writes()).toEqual([]);
    expect(repository.checks(pull.sha)).toEqual([]);
  });
});
