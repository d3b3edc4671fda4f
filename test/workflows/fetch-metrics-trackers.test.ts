import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseMetricsFile } from '@slashtrain/core/metrics/file';
import type { MetricsFile } from '@slashtrain/core/metrics/metrics';
import { runBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { startMlflow, type FakeMlflow, type LoggedRun } from '@slashtrain/testing/trackers/mlflow';
import { startWandb, type WandbRun } from '@slashtrain/testing/trackers/wandb';
import { unique } from '../support/targets.ts';

/* What fetch-metrics makes of a tracker's runs, without a cluster, through its bundle. */

let github: FakeGitHub;
let mlflow: FakeMlflow;
let repository: Repository;
let workspace: string;
let base: string;
let head: string;
let number: number;
const token = 'tracking-token-0123456789';

beforeAll(async () => {
  [github, mlflow] = await Promise.all([startGitHub(), startMlflow({ token })]);
  workspace = mkdtempSync(join(tmpdir(), 'slashtrain-trackers-'));
  writeFileSync(join(workspace, 'metrics.json'), '{"accuracy": 0.9}');
  repository = github.createRepository({ owner: 'acme', name: unique('digits') });
  base = repository.commit({ files: { 'metrics.json': '{"accuracy": 0.9, "step": 3}' } });
  head = repository.commit({ branch: 'change', files: { 'a.txt': '1', 'metrics.json': '{"accuracy": 0.1}' } });
  number = repository.openPullRequest({ head: 'change', author: 'ada' });
  const of = (sha: string, run: string, pull?: number): LoggedRun['context'] => ({
    'mlflow.source.git.commit': sha,
    'slashtrain.run': run,
    'slashtrain.pipeline': 'digits',
    ...(pull === undefined ? {} : { 'slashtrain.pull-request': String(pull) }),
  });
  const seeds = (values: number[], context: LoggedRun['context'], epochs: string): LoggedRun[] =>
    values.map((value, seed) => ({
      experiment: 'digits',
      name: `seed ${seed}`,
      ...(context && { context }),
      parameters: { seed: String(seed), epochs },
      metrics: {
        accuracy: [
          [1, 0.5],
          [2, value],
        ],
        [`hostile\n\`|${'x'.repeat(10_000)}`]: [[0, 1]],
        '': [[0, seed === 0 ? 'NaN' : 1]],
      },
    }));
  const ours = of(head, runName, number);
  await mlflow.log([
    ...seeds([0.9, 0.91, 0.92, 0.93], of(base, 'digits-base', undefined), '10'),
    { experiment: 'digits', context: of(base, 'digits-old', undefined)!, metrics: { accuracy: [[0, 0.99]] }, status: 'FAILED' },
    ...seeds([0.95, 0.951, 0.953, 0.954], ours, '20'),
    { experiment: 'digits', name: 'rank 1', context: ours!, parameters: { seed: '0', epochs: '20' }, metrics: { accuracy: [[2, 0.1]] } },
    { experiment: 'digits', name: 'laptop', context: { 'mlflow.source.git.commit': head }, metrics: { accuracy: [[2, 1]] } },
    { experiment: 'digits', name: 'other attempt', context: of(head, `${runName}-2`, number)!, metrics: { accuracy: [[2, 1]] } },
    { experiment: 'digits', name: 'no commit', context: { 'slashtrain.run': runName }, metrics: { accuracy: [[2, 1]] } },
    { experiment: 'digits', name: 'running', context: ours!, status: 'RUNNING', metrics: { accuracy: [[2, 1]] } },
    { experiment: 'digits', name: 'deployed before', context: { stage: 'production' }, metrics: { accuracy: [[2, 0.99]] } },
    { experiment: 'digits', name: 'deployed', context: { stage: 'production' }, metrics: { accuracy: [[2, 0.93]] } },
    { experiment: 'digits', name: 'deployed, failed', context: { stage: 'production' }, status: 'FAILED', metrics: { accuracy: [[2, 1]] } },
    {
      experiment: 'digits',
      name: 'champion',
      context: {},
      metrics: { accuracy: [[2, 0.94]] },
      model: { name: 'digits', alias: 'champion' },
    },
    {
      experiment: 'digits',
      name: 'own',
      context: ours!,
      status: 'KILLED',
      metrics: { accuracy: [[2, 1]] },
      model: { name: 'own', alias: 'champion' },
    },
  ]);
});
afterAll(() => Promise.all([github.close(), mlflow.close()]));

const runName = 'digits-pr1-0123456-9f8e7d6';

async function fetchMetrics(
  inputs: Record<string, string>,
  env: Record<string, string> = {},
): Promise<BundleResult & { file: MetricsFile }> {
  const result = await runBundle({
    action: 'fetch-metrics',
    github: {
      url: github.url,
      token: github.token({ contents: 'read', 'pull-requests': 'read' }, { repository }),
      repository: { owner: 'acme', name: repository.name, id: repository.id },
    },
    inputs: {
      source: 'mlflow',
      'tracker-url': mlflow.url,
      sha: head,
      'pr-number': String(number),
      run: `jobs.batch/ml/${runName}@00000000-0000-4000-8000-000000000000`,
      pipeline: 'digits',
      gates: '- { metric: accuracy, direction: higher, max-regression: "0", require-seeds: 3, confidence: 0.95 }',
      ...inputs,
    },
    env: { MLFLOW_TRACKING_TOKEN: token, ...env },
    workspace,
  });
  const path = result.outputs['metrics-file'];
  return { ...result, file: path ? parseMetricsFile(readFileSync(path, 'utf8'), path) : (undefined as unknown as MetricsFile) };
}

describe('runs of a tracker', () => {
  it('count with this commit and this run’s name, one a seed; the others are listed with the reason', async () => {
    const { file, outputs, code, stdout } = await fetchMetrics({});
    expect(stdout.split('\n').filter((line) => line.includes(token) && !line.startsWith('::add-mask::'))).toEqual([]);
    expect(code).toBe(0);
    expect(file.candidates.map(({ metrics }) => metrics.find(({ name }) => name === 'accuracy')?.last)).toEqual([
      0.954, 0.953, 0.951, 0.95,
    ]);
    expect(file.excluded?.map(({ name, reason }) => [name, reason.split(/[,:]/u)[0]]).sort()).toEqual([
      ['laptop', 'no run of submit-pipeline made it'],
      ['no commit', 'it names no commit'],
      ['other attempt', 'it is of another attempt'],
      ['own', 'it did not finish'],
      ['rank 1', 'its parameters are all those of seed 0'],
      ['running', 'it has not ended'],
    ]);
    expect(outputs['verdict']).toBe('pass');
    expect(file.baseline).toMatchObject({ sha: base, description: `main at ${base.slice(0, 7)}` });
    expect(file.baseline?.runs).toHaveLength(4);
    expect(file.differences).toEqual([{ what: 'parameter', name: 'epochs', candidate: '20', baseline: '10' }]);
    const accuracy = file.comparisons?.find(({ name }) => name === 'accuracy');
    expect(accuracy).toMatchObject({ candidate: { n: 4 }, baseline: { n: 4 }, change: { method: 'exact', confidence: 0.95 } });
    expect(accuracy?.change?.p).toBeCloseTo(2 / 70, 10);
    // Curves came with the values.
    expect(file.candidates[0]?.metrics.find(({ name }) => name === 'accuracy')?.history).toHaveLength(2);
  });

  it.each<[string, string, Record<string, unknown>]>([
    ['models:/digits@champion', 'models:/digits@champion (champion)', { sha: '0'.repeat(40) }],
    ['tag:stage=production', 'tag:stage=production (deployed)', { sha: '0'.repeat(40) }],
    ['file:metrics.json', 'metrics.json at', {}],
    ['{accuracy: 0.5}', 'values that are written down', {}],
  ])('are compared with %s', async (baseline, description, more) => {
    const { file, outputs } = await fetchMetrics({ baseline, gates: '- { metric: accuracy, direction: higher, max-regression: "0" }' });
    expect(outputs['verdict']).toBe('pass');
    expect(file.baseline?.description).toContain(description);
    expect(file.baseline).toMatchObject(more);
    if (baseline.startsWith('file:')) expect(file.baseline?.runs[0]?.metrics[0]?.last).toBe(0.9);
  });

  it('of W&B are samples where they are trials of one sweep, and are compared with a tag', async () => {
    const key = 'wandb-key-0123456789';
    const wandb = await startWandb({ key, entity: 'acme', project: 'digits' });
    const trial = (lr: number, accuracy: number, more: Partial<WandbRun> = {}): WandbRun => ({
      name: `t${lr}`,
      sweepName: 's1',
      commit: head,
      group: runName,
      tags: ['slashtrain', `pr-${number}`],
      config: { lr },
      history: [
        { _step: 0, accuracy: 0.99 },
        { _step: 1, accuracy },
      ],
      ...more,
    });
    wandb.log([
      trial(0.1, 0.95),
      trial(0.2, 0.97),
      trial(0.3, 0.9, { state: 'crashed' }),
      // An agent of the same sweep on somebody's own machine.
      trial(0.4, 1, { group: 'sweep-s1' }),
      { name: 'p', commit: base, tags: ['production'], config: { lr: 0.1 }, history: [{ _step: 0, accuracy: 0.9 }] },
    ]);
    const inputs = { source: 'wandb', 'tracker-url': wandb.url, experiment: 'acme/digits', baseline: 'tag:production' };
    const gates = '- { metric: accuracy, direction: higher, max-regression: "0", on: best }';
    const { file, outputs, stdout } = await fetchMetrics({ ...inputs, gates }, { WANDB_API_KEY: key });
    await wandb.close();
    expect(stdout.split('\n').filter((line) => line.includes(key) && !line.startsWith('::add-mask::'))).toEqual([]);
    expect(outputs['verdict']).toBe('pass');
    expect(file.gates[0]).toMatchObject({ candidate: 0.99, baseline: 0.9 });
    expect(file.candidates.map(({ name }) => name)).toEqual(['t0.2', 't0.1']);
    expect(file.excluded?.map(({ name, reason }) => `${name}: ${reason}`).sort()).toEqual([
      't0.3: it did not finish, it is failed',
      't0.4: it is of another attempt, sweep-s1',
    ]);
    expect(file.baseline).toMatchObject({ sha: base, description: 'tag:production (p)' });
  });

  it('are never their own baseline, whatever the registry says', async () => {
    const { file, outputs } = await fetchMetrics({ baseline: 'models:/own@champion' });
    expect(outputs['verdict']).toBe('no-baseline');
    expect(file.notes.join()).toContain('is of this very commit or pull request');
  });
});

describe('a tracker that', () => {
  it.each<[string, Parameters<FakeMlflow['fail']>[0], string]>([
    ['refuses us', { status: 403 }, 'MLflow answered POST'],
    [
      'answers with a page',
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<!doctype html>Sign in' },
      'a page (HTML), not JSON',
    ],
    ['has no such path', { status: 404 }, 'with 404'],
  ])('%s leaves the other sources standing, and the verdict is an error', async (_, fault, words) => {
    mlflow.fail(fault);
    const { file, outputs, summary } = await fetchMetrics({
      source: '[files, mlflow]',
      files: '[metrics.json]',
      baseline: '{accuracy: 0.5}',
      gates: '- { metric: accuracy, direction: higher, min: 0.5 }',
    });
    expect(outputs['verdict']).toBe('error');
    expect(file.notes.join('\n')).toContain('the source mlflow could not be read');
    expect(file.notes.join('\n')).toContain(words);
    expect(summary).toContain('error');
    mlflow.requests.splice(0);
  });

  it('is busy is asked again', async () => {
    mlflow.fail({ status: 429, headers: { 'retry-after': '0' } }, 2);
    const { outputs } = await fetchMetrics({ baseline: 'none', gates: '- { metric: accuracy, direction: higher, min: 0.5 }' });
    expect(outputs['verdict']).toBe('pass');
  });
});
