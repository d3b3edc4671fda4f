import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseMetricsFile } from '@slashtrain/core/metrics/file';
import type { MetricsFile } from '@slashtrain/core/metrics/metrics';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import { runBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startCluster, type EmbeddedCluster } from '@slashtrain/testing/cluster/cluster';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { recordsOf, seedRun } from '../support/records.ts';
import { unique } from '../support/targets.ts';

/*
 * What fetch-metrics finds and decides, through its bundle: records as submit-pipeline and wait-for-run leave them,
 * and merges as GitHub makes them.
 */

let cluster: EmbeddedCluster;
let records: RecordStore;
let github: FakeGitHub;
let repository: Repository;

beforeAll(async () => {
  cluster = await startCluster();
  records = await recordsOf(cluster);
  github = await startGitHub();
});
afterAll(async () => {
  await cluster.stop();
  await github.close();
});
beforeEach(() => {
  repository = github.createRepository({ owner: 'acme', name: unique('digits') });
});

const gates = '- { metric: accuracy, direction: higher, max-regression: "1%" }';

interface Fetched extends BundleResult {
  file: MetricsFile;
  /** Requests to GitHub. */
  asked: string[];
}

async function fetchMetrics(inputs: Record<string, string>, options: { workspace?: string } = {}): Promise<Fetched> {
  github.requests.splice(0);
  const result = await runBundle({
    action: 'fetch-metrics',
    github: {
      url: github.url,
      token: github.token({ contents: 'read', 'pull-requests': 'read' }, { repository }),
      repository: { owner: 'acme', name: repository.name, id: repository.id },
    },
    inputs: { pipeline: 'digits', kubeconfig: cluster.kubeconfig, gates, ...inputs },
    ...options,
  });
  const path = result.outputs['metrics-file'];
  return {
    ...result,
    file: path ? parseMetricsFile(readFileSync(path, 'utf8'), path) : (undefined as unknown as MetricsFile),
    asked: github.requests.map(({ method, path: asked }) => `${method} ${asked}`),
  };
}

interface Pull {
  sha: string;
  number: number;
}

let branches = 0;
function pullRequest(files: Record<string, string>): Pull {
  const branch = `change-${++branches}`;
  const sha = repository.commit({ branch, files });
  return { sha, number: repository.openPullRequest({ head: branch, author: 'ada' }) };
}

const train = (pull: Pull, accuracy: number[], more: Partial<Parameters<typeof seedRun>[2]> = {}): Promise<StoredRecord> =>
  seedRun(records, repository, { sha: pull.sha, pullRequest: pull.number, metrics: { accuracy }, ...more });

describe('the baseline', () => {
  it.each(['merge', 'squash', 'rebase'] as const)('is the pull request that was merged last, by %s', async (method) => {
    repository.commit({ files: { '.github/slashtrain.yml': 'retention: 90d\n' } });
    const before = pullRequest({ 'a.txt': '1' });
    await train(before, [0.5, 0.95]);
    const merged = repository.merge(before.number, method);
    const pull = pullRequest({ 'b.txt': '2' });
    const run = await train(pull, [0.6, 0.96]);

    const { file, outputs, asked, code } = await fetchMetrics({ sha: pull.sha, 'pr-number': String(pull.number) });
    expect(code).toBe(0);
    expect(outputs).toMatchObject({ verdict: 'pass', 'best-run': run.record.run });
    expect(file.baseline?.sha).toBe(before.sha);
    // Nothing else was merged meanwhile, so that main has the very files that were trained.
    expect(file.baseline?.description).toBe(
      `#${before.number} at ${before.sha.slice(0, 7)}, the same files as main at ${merged.slice(0, 7)}`,
    );
    expect(file.notes).toEqual([]);
    expect(file.gates).toMatchObject([{ outcome: 'pass', candidate: 0.96, baseline: 0.95 }]);
    // Configuration, pull request, commits of main.
    expect(asked).toHaveLength(3);
  });

  it.each(['merge', 'squash', 'rebase'] as const)(
    'is found where main has other files than what was trained, after a %s, and it says so',
    async (method) => {
      const before = pullRequest({ 'a.txt': '1' });
      await train(before, [0.95]);
      repository.commit({ files: { 'other.txt': 'meanwhile' } });
      const merged = repository.merge(before.number, method);
      const pull = pullRequest({ 'b.txt': '2' });
      await train(pull, [0.96]);

      const { file, outputs } = await fetchMetrics({ sha: pull.sha, 'pr-number': String(pull.number) });
      expect(outputs['verdict']).toBe('pass');
      expect(file.baseline).toMatchObject({
        sha: before.sha,
        description: `#${before.number} at ${before.sha.slice(0, 7)}, merged as ${merged.slice(0, 7)}`,
      });
      expect(file.notes[0]).toContain(`main at ${merged.slice(0, 7)} has others too (its git tree is another)`);
    },
  );

  it('is the base commit itself where main is trained on push', async () => {
    const base = repository.commit({ files: { 'a.txt': '1' } });
    await seedRun(records, repository, { sha: base, metrics: { accuracy: [0.9] } });
    const pull = pullRequest({ 'b.txt': '2' });
    await train(pull, [0.8]);
    repository.commit({ files: { 'later.txt': '1' } });
    const { file, outputs } = await fetchMetrics({ sha: pull.sha, 'pr-number': String(pull.number) });
    expect(file.baseline?.description).toBe(`main at ${base.slice(0, 7)}`);
    expect(outputs['verdict']).toBe('fail');
    expect(file.gates[0]?.why).toBe('0.8 against 0.9 of the baseline, −0.1 (−11 %), allowed: 1% worse (single run)');
  });

  it('of a commit without a pull request is what its first parent stands for', async () => {
    const first = repository.commit({ files: { 'a.txt': '1' } });
    await seedRun(records, repository, { sha: first, metrics: { accuracy: [0.9] } });
    const second = repository.commit({ files: { 'a.txt': '2' } });
    const run = await seedRun(records, repository, { sha: second, metrics: { accuracy: [0.95] } });
    const { file, outputs } = await fetchMetrics({ run: run.record.run ?? '' });
    expect(file.baseline?.sha).toBe(first);
    expect(file.notes).toEqual([]);
    expect(outputs['verdict']).toBe('pass');
  });

  it('may lie further back, and it says how far', async () => {
    const base = repository.commit({ files: { 'a.txt': '1' } });
    await seedRun(records, repository, { sha: base, metrics: { accuracy: [0.9] } });
    repository.commit({ files: { 'README.md': 'docs' } });
    repository.commit({ files: { 'README.md': 'more docs' } });
    const pull = pullRequest({ 'b.txt': '2' });
    await train(pull, [0.95]);
    const { file } = await fetchMetrics({ sha: pull.sha, 'pr-number': String(pull.number) });
    expect(file.baseline?.sha).toBe(base);
    expect(file.notes[0]).toContain('the baseline is 2 commits older than');

    const near = await fetchMetrics({ sha: pull.sha, 'pr-number': String(pull.number), 'baseline-depth': '2' });
    expect(near.outputs['verdict']).toBe('no-baseline');
    expect(near.file.notes[0]).toContain('of 2 commits back from main at');
  });

  it('is never the candidate, its pull request, a failed run, another pipeline or another repository', async () => {
    const base = repository.commit({ files: { 'a.txt': '1' } });
    const other = github.createRepository({ owner: 'acme', name: unique('other') });
    await seedRun(records, repository, { sha: base, state: 'failed', metrics: { accuracy: [0.1] } });
    await seedRun(records, repository, { sha: base, pipeline: 'letters', metrics: { accuracy: [0.1] } });
    await seedRun(records, other, { sha: other.head(), metrics: { accuracy: [0.1] }, record: { sha: base, tree: repository.tree(base) } });
    const pull = pullRequest({ 'b.txt': '2' });
    await train({ ...pull, sha: base }, [0.1]);
    await train(pull, [0.95]);
    const { file, outputs } = await fetchMetrics({ sha: pull.sha, 'pr-number': String(pull.number) });
    expect(file.baseline).toBeUndefined();
    expect(outputs['verdict']).toBe('no-baseline');
  });

  it('passes by a pull request whose last commit was not trained, and says so', async () => {
    const before = pullRequest({ 'a.txt': '1' });
    await train(before, [0.95]);
    repository.commit({ branch: repository.pull(before.number).head.ref, files: { 'a.txt': '2' } });
    repository.merge(before.number, 'squash');
    const pull = pullRequest({ 'b.txt': '2' });
    await train(pull, [0.96]);
    const { file } = await fetchMetrics({ sha: pull.sha, 'pr-number': String(pull.number) });
    expect(file.baseline).toBeUndefined();
    expect(file.notes[0]).toContain(`#${before.number}, merged as`);
    expect(file.notes[0]).toContain('was trained, but not its last commit');
  });

  it('may be a commit by name, or none', async () => {
    const base = repository.commit({ files: { 'a.txt': '1' } });
    await seedRun(records, repository, { sha: base, metrics: { accuracy: [0.5] } });
    repository.commit({ files: { 'a.txt': '2' } });
    const pull = pullRequest({ 'b.txt': '2' });
    const run = await train(pull, [0.95]);
    const named = await fetchMetrics({ run: run.record.run ?? '', baseline: base });
    expect(named.file.baseline?.sha).toBe(base);
    const none = await fetchMetrics({ run: run.record.run ?? '', baseline: 'none' });
    expect(none.file.baseline).toBeUndefined();
    expect(none.asked).toHaveLength(2);
  });

  it('is chosen by the configuration of the default branch', async () => {
    repository.commit({
      files: {
        '.github/slashtrain.yml':
          'pipelines:\n  digits:\n    baseline: none\n    no-baseline: fail\n    gates:\n      - { metric: accuracy, direction: higher, min: 0.9, max-regression: "0" }\n',
      },
    });
    const pull = pullRequest({ '.github/slashtrain.yml': 'pipelines:\n  digits:\n    gates: []\n' });
    await train(pull, [0.95]);
    const { file, outputs, asked } = await fetchMetrics({ sha: pull.sha, 'pr-number': String(pull.number), gates: '', 'fail-on': 'never' });
    expect(outputs['verdict']).toBe('no-baseline');
    expect(file).toMatchObject({ noBaseline: 'fail', gates: [{ gate: { min: 0.9 }, place: { file: '.github/slashtrain.yml', line: 6 } }] });
    expect(asked).toHaveLength(1);
  });

  it('is not moved by the pull request that is judged, and neither are its gates', async () => {
    const config = (baseline: string, gates: string): string =>
      `pipelines:\n  digits:\n    baseline: '${baseline}'\n    gates: [${gates}]\n`;
    const gate = '{ metric: accuracy, direction: higher, max-regression: "0" }';
    repository.commit({ files: { '.github/slashtrain.yml': config('file:best.json', gate), 'best.json': '{"accuracy": 0.95}' } });
    const own = { '.github/slashtrain.yml': config('{accuracy: 0.1}', ''), 'best.json': '{"accuracy": 0.1}' };
    const pull = pullRequest(own);
    await train(pull, [0.5]);
    const workspace = mkdtempSync(join(tmpdir(), 'slashtrain-checkout-'));
    mkdirSync(join(workspace, '.github'));
    for (const [name, text] of Object.entries(own)) writeFileSync(join(workspace, name), text);
    const { file, outputs } = await fetchMetrics({ sha: pull.sha, 'pr-number': String(pull.number), gates: '' }, { workspace });
    expect(outputs['verdict']).toBe('fail');
    expect(file.gates).toMatchObject([{ candidate: 0.5, baseline: 0.95 }]);
  });
});

describe('the verdict', () => {
  it('is written into the record with what it was made from, while others write too', async () => {
    const base = repository.commit({ files: { 'a.txt': '1' } });
    const baseline = await seedRun(records, repository, { sha: base, metrics: { accuracy: [0.9] } });
    const pull = pullRequest({ 'b.txt': '2' });
    const stored = await train(pull, [0.5]);
    const results = await Promise.all([1, 2, 3].map(() => fetchMetrics({ run: stored.record.run ?? '' })));
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
    const { record } = (await records.get('default', stored.name))!;
    expect(record).toMatchObject({
      state: 'succeeded',
      verdict: 'fail',
      comparison: { baseline: { sha: base, record: baseline.name }, gates: [{ outcome: 'fail' }], noBaseline: 'pass', notes: [] },
    });
  });

  it('stands beside what changed besides the code: parameters, data version, accelerator, packages', async () => {
    const price = (accelerator: string): Parameters<typeof seedRun>[2]['record'] => ({ price: { perHour: 1, accelerator } });
    const base = repository.commit({ files: { 'requirements.txt': 'torch==2.8.0\nnumpy==2.1.0\n' } });
    const before = { ...price('a100'), dataVersion: 'v3', parameters: [{ name: 'epochs', value: '10' }] };
    await seedRun(records, repository, { sha: base, metrics: { accuracy: [0.9] }, record: before });
    const pull = pullRequest({ 'requirements.txt': 'torch==2.9.0\nnumpy==2.1.0\nnew==1\n' });
    const now = { ...price('h100'), dataVersion: 'v4', parameters: [{ name: 'epochs', value: '20' }] };
    const stored = await seedRun(records, repository, {
      sha: pull.sha,
      pullRequest: pull.number,
      metrics: { accuracy: [0.95] },
      record: now,
    });
    const inputs = { run: stored.record.run ?? '', packages: 'requirements.txt' };
    const { file, outputs } = await fetchMetrics(inputs);
    expect(outputs['verdict']).toBe('pass');
    expect(file.differences).toEqual([
      { what: 'parameter', name: 'epochs', candidate: '20', baseline: '10' },
      { what: 'data', name: '', candidate: 'v4', baseline: 'v3' },
      { what: 'package', name: 'torch', candidate: '2.9.0', baseline: '2.8.0' },
      { what: 'package', name: 'new', candidate: '1' },
      { what: 'gpu', name: '', candidate: 'h100', baseline: 'a100' },
    ]);
    const absent = await fetchMetrics({ ...inputs, packages: 'uv.lock' });
    expect(absent.outputs['verdict']).toBe('pass');
    expect(absent.file.notes).toContain(`packages are not compared: there is no uv.lock at ${base.slice(0, 7)}`);
  });

  it('of a run that goes on is not written', async () => {
    const pull = pullRequest({ 'b.txt': '2' });
    const stored = await train(pull, [0.5], { state: 'running' });
    const { outputs, file } = await fetchMetrics({ run: stored.record.run ?? '' });
    expect(outputs['verdict']).toBe('error');
    expect(file.notes).toContain('the run has not ended, it is running');
    expect((await records.get('default', stored.name))?.record.verdict).toBeUndefined();
  });

  it.each<[string, Record<string, number[]> | undefined, string, string]>([
    ['no metrics at all', undefined, 'missing', 'there are no metrics: nothing was measured'],
    ['metrics without a reading', {}, 'missing', 'there are no metrics'],
    ['another metric', { acuracy: [0.9] }, 'missing', 'did you mean "acuracy"?'],
    ['NaN', { accuracy: [0.9, Number.NaN] }, 'fail', 'NaN is no number that a gate can pass'],
  ])('of a run with %s is no pass', async (_, metrics, verdict, why) => {
    const pull = pullRequest({ 'b.txt': '2' });
    const stored = await seedRun(records, repository, { sha: pull.sha, pullRequest: pull.number, ...(metrics && { metrics }) });
    const { outputs, summary } = await fetchMetrics({
      run: stored.record.run ?? '',
      gates: '- { metric: accuracy, direction: higher, min: 0.5 }',
    });
    expect(outputs['verdict']).toBe(verdict);
    expect(summary).toContain(why);
  });

  it('of a failed run is an error, whatever its metrics', async () => {
    const pull = pullRequest({ 'b.txt': '2' });
    const stored = await train(pull, [0.99], { state: 'failed', result: { reason: 'out-of-memory' } });
    const { outputs, file } = await fetchMetrics({ run: stored.record.run ?? '' });
    expect(outputs['verdict']).toBe('error');
    expect(file.gates[0]?.why).toBe('the run did not succeed, it is failed (out-of-memory)');
  });

  it('fails the step where the workflow says so, and its outputs are there all the same', async () => {
    const pull = pullRequest({ 'b.txt': '2' });
    const stored = await train(pull, [0.5]);
    const inputs = { run: stored.record.run ?? '', gates: '- { metric: accuracy, direction: higher, min: 0.9 }', 'fail-on': 'fail' };
    const { code, outputs, annotations } = await fetchMetrics(inputs);
    expect(code).toBe(1);
    expect(outputs['verdict']).toBe('fail');
    expect(annotations.at(-1)?.message).toContain('the verdict is fail: accuracy: 0.5 is below the minimum of 0.9');
    const free = await fetchMetrics({ ...inputs, gates: '- { metric: accuracy, direction: higher, max-regression: "0" }' });
    expect(free).toMatchObject({ code: 0, outputs: { verdict: 'no-baseline' } });
  });
});

describe('the candidate', () => {
  it('is the newest attempt with metrics of commit, pull request and pipeline', async () => {
    const pull = pullRequest({ 'b.txt': '2' });
    const older = await train(pull, [0.91]);
    const newer = await train(pull, [0.92], { attempt: 2 });
    await seedRun(records, repository, { sha: pull.sha, pullRequest: pull.number, attempt: 3, state: 'failed' });
    const { outputs } = await fetchMetrics({ sha: pull.sha, 'pr-number': String(pull.number) });
    expect(outputs['best-run']).toBe(newer.record.run);
    const byName = await fetchMetrics({ run: older.record.run ?? '', sha: pull.sha });
    expect(JSON.parse(byName.outputs['metrics'] ?? '')).toEqual({ accuracy: { candidate: 0.91, outcome: 'no-baseline' } });
  });

  it('of another commit, pull request, pipeline or repository is refused with both', async () => {
    const pull = pullRequest({ 'b.txt': '2' });
    const run = (await train(pull, [0.9])).record.run ?? '';
    const other = 'f'.repeat(40);
    const refusals: [Record<string, string>, string][] = [
      [{ sha: other }, `trained ${pull.sha}, and input "sha" is ${other}`],
      [{ 'pr-number': '999' }, `belongs to #${pull.number}, and input "pr-number" is 999`],
      [{ pipeline: 'letters' }, 'belongs to the pipeline "digits", and input "pipeline" is "letters"'],
    ];
    for (const [inputs, words] of refusals) {
      const { code, outputs, stdout } = await fetchMetrics({ run, ...inputs });
      expect({ code, verdict: outputs['verdict'] }).toEqual({ code: 1, verdict: 'error' });
      expect(stdout).toContain(words);
    }
    repository = github.createRepository({ owner: 'acme', name: unique('other') });
    expect((await fetchMetrics({ run })).stdout).toContain(`this workflow to acme/${repository.name}`);
  });

  it('that is nowhere is named with server and context', async () => {
    const { code, stdout } = await fetchMetrics({ sha: 'f'.repeat(40), 'pr-number': '7' });
    expect(code).toBe(1);
    expect(stdout).toContain(
      `no run of pipeline "digits" for #7 at ${'f'.repeat(40)} in namespace "default" on ${cluster.url} (context embedded)`,
    );
  });
});

describe('files', () => {
  const workspace = (files: Record<string, string>): string => {
    const folder = mkdtempSync(join(tmpdir(), 'slashtrain-workspace-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return folder;
  };

  it('need no cluster', async () => {
    const sha = repository.head();
    const folder = workspace({ 'metrics.json': '{"accuracy": 0.95, "val": {"loss": 0.1}}' });
    const result = await fetchMetrics(
      { source: 'files', files: '[metrics.json]', sha, kubeconfig: '', gates: '- { metric: accuracy, direction: higher, min: 0.9 }' },
      { workspace: folder },
    );
    expect(result.outputs).toMatchObject({ verdict: 'pass', 'best-run': 'metrics.json' });
    expect(result.file.candidates[0]?.metrics.map(({ name }) => name)).toEqual(['accuracy', 'val.loss']);
    expect(result.file.notes).toEqual(['no baseline: no cluster is named whose records could hold one']);
  });

  it('are compared with what the cluster has, and the verdict is the run’s', async () => {
    const base = repository.commit({ files: { 'a.txt': '1' } });
    await seedRun(records, repository, { sha: base, metrics: { accuracy: [0.9] } });
    const pull = pullRequest({ 'b.txt': '2' });
    const stored = await seedRun(records, repository, { sha: pull.sha, pullRequest: pull.number });
    const folder = workspace({ 'curve.csv': 'step,accuracy\n1,0.5\n2,0.8\n' });
    const { outputs, file } = await fetchMetrics(
      { source: 'files', files: '- curve.csv', run: stored.record.run ?? '' },
      { workspace: folder },
    );
    expect(outputs['verdict']).toBe('fail');
    expect(file.baseline?.sha).toBe(base);
    expect((await records.get('default', stored.name))?.record.verdict).toBe('fail');
  });

  it.each<[string, Record<string, string>, string, string]>([
    ['empty', { 'metrics.json': '' }, 'error', 'metrics.json cannot be read: it is empty'],
    ['missing', {}, 'error', 'metrics.json cannot be read: ENOENT'],
    ['without numbers', { 'metrics.json': '{}' }, 'missing', 'metrics.json has no numbers'],
    ['cut', { 'metrics.json': '{"accuracy": 0.95, "loss": 0.' }, 'pass', 'metrics.json: it ends in the middle; what is whole was read'],
    ['cut before the gated metric', { 'metrics.json': '{"loss": 0.1, "accuracy": 0.9' }, 'missing', 'it has "loss"'],
  ])('that are %s say so', async (_, files, verdict, words) => {
    const { outputs, summary } = await fetchMetrics(
      {
        source: 'files',
        files: '[metrics.json]',
        sha: repository.head(),
        kubeconfig: '',
        gates: '- { metric: accuracy, direction: higher, min: 0.9 }',
      },
      { workspace: workspace(files) },
    );
    expect(outputs['verdict']).toBe(verdict);
    expect(summary.replaceAll('&#39;', "'").replaceAll('&#34;', '"')).toContain(words);
  });
});

describe('an input', () => {
  it.each<[Record<string, string>, string]>([
    [{}, 'neither input "run" nor input "sha" was given'],
    [{ sha: 'main' }, 'input "sha" is "main"; allowed: a full commit SHA'],
    [{ source: 'mlfow', sha: 'a'.repeat(40) }, 'input "source" is "mlfow"; allowed: one or a list of run, files'],
    [{ source: 'files', sha: 'a'.repeat(40) }, 'input "files" is empty'],
    [{ files: '[a.json]', sha: 'a'.repeat(40) }, 'input "files" was given, and input "source" is "run"'],
    [{ baseline: 'main', sha: 'a'.repeat(40) }, 'input "baseline" is "main"; allowed: auto, none, a full commit SHA, models:/NAME@ALIAS'],
    [{ 'baseline-depth': '0', sha: 'a'.repeat(40) }, 'input "baseline-depth" is "0"; allowed: a whole number from 1 to 1000'],
    [{ run: 'digits-pr1' }, '"digits-pr1" is no run reference'],
    [{ 'fail-on': 'true', sha: 'a'.repeat(40) }, 'input "fail-on" is "true"; allowed: one of never, fail'],
  ])('%j is refused, and the verdict is an error', async (inputs, words) => {
    const { code, stdout, outputs } = await fetchMetrics(inputs);
    expect(code).toBe(1);
    expect(stdout).toContain(words);
    expect(outputs['verdict']).toBe('error');
  });

  it('with wrong gates is refused with line and column', async () => {
    const pull = pullRequest({ 'b.txt': '2' });
    const run = (await train(pull, [0.9])).record.run ?? '';
    const { stdout } = await fetchMetrics({ run, gates: '- metric: accuracy\n  direction: up\n  min: 1' });
    expect(stdout).toContain('input "gates":2:3: direction is needed: higher or lower, whichever is better');
  });
});

describe('hostile names and notes', () => {
  it('are text in summary, markdown and log', async () => {
    const pull = pullRequest({ 'b.txt': '2' });
    const name = '</summary>|`x`\n\n# @octocat <img src=x>\n::error::pwned';
    const stored = await seedRun(records, repository, {
      sha: pull.sha,
      pullRequest: pull.number,
      metrics: { [name]: [1], __proto__x: [2] },
    });
    const { outputs, summary, annotations } = await fetchMetrics({ run: stored.record.run ?? '' });
    for (const text of [outputs['markdown'] ?? '', summary]) {
      expect(text).not.toContain('<img');
      expect(text).not.toMatch(/^# @/mu);
      expect(text).not.toMatch(/(^|\W)@octocat/u);
    }
    expect(annotations.filter(({ level }) => level === 'error')).toEqual([]);
    expect(JSON.parse(outputs['metrics'] ?? '')).toHaveProperty([name]);
  });
});
