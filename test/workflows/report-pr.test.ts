import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '@slashtrain/core/action/log';
import { openGitHub } from '@slashtrain/core/github/client';
import { job } from '@slashtrain/core/kinds/job';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { jsonNumber } from '@slashtrain/core/metrics/lines';
import type { MetricsFile } from '@slashtrain/core/metrics/metrics';
import { summariseAll } from '@slashtrain/core/metrics/summary';
import type { RecordStore, StoredRecord } from '@slashtrain/core/records/store';
import type { RunRecord } from '@slashtrain/core/run/record';
import { formatReference } from '@slashtrain/core/run/reference';
import { runBundle, type BundleResult } from '@slashtrain/testing/bundle/bundle';
import { startCluster, type EmbeddedCluster } from '@slashtrain/testing/cluster/cluster';
import type { WorkflowEvent } from '@slashtrain/testing/github/events';
import { startGitHub, type FakeGitHub, type Repository } from '@slashtrain/testing/github/github';
import { commitTo } from '../../actions/report-pr/src/charts/branch.ts';
import { keepReport } from '../../actions/report-pr/src/comment.ts';
import { keptLog } from '../support/kubernetes.ts';
import { recordsOf, seedRun, seriesOf, type SeededRun } from '../support/records.ts';
import { unique } from '../support/targets.ts';

/*
 * What report-pr leaves on a pull request, through its bundle: one comment and one check, whoever reports how often and in
 * which order.
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

const permissions = { checks: 'write', 'pull-requests': 'write' } as const;

interface Reported extends BundleResult {
  /** Requests to GitHub. */
  asked: string[];
}

async function report(
  inputs: Record<string, string>,
  granted: Record<string, 'read' | 'write'> = permissions,
  event?: WorkflowEvent,
): Promise<Reported> {
  const first = github.requests.length;
  const result = await runBundle({
    action: 'report-pr',
    github: {
      url: github.url,
      token: github.token(granted, { repository }),
      repository: { owner: 'acme', name: repository.name, id: repository.id },
    },
    inputs: { kubeconfig: cluster.kubeconfig, ...inputs },
    ...(event && { event }),
  });
  return { ...result, asked: github.requests.slice(first).map(({ method, path }) => `${method} ${path}`) };
}

interface Pull {
  sha: string;
  number: number;
}

let branches = 0;
function pullRequest(): Pull {
  const branch = `change-${++branches}`;
  const sha = repository.commit({ branch, files: { 'a.txt': branch } });
  return { sha, number: repository.openPullRequest({ head: branch, author: 'ada' }) };
}

const gate = { metric: 'accuracy', direction: 'higher', 'max-regression': '1%' } as const;

/** A run that fetch-metrics has judged, as it leaves the record. */
async function judged(
  pull: Pick<Pull, 'sha'> & Partial<Pull>,
  verdict: NonNullable<RunRecord['verdict']>,
  accuracy: number[],
  more: Partial<SeededRun> & { baseline?: StoredRecord } = {},
): Promise<StoredRecord> {
  const { baseline, ...run } = more;
  return seedRun(records, repository, {
    sha: pull.sha,
    ...(pull.number === undefined ? {} : { pullRequest: pull.number }),
    metrics: { accuracy },
    ...run,
    record: {
      verdict,
      comparison: {
        ...(baseline && { baseline: { description: '#1 at 1a2b3c4', sha: baseline.record.sha, record: baseline.name } }),
        gates: [{ gate, outcome: verdict, why: `said of ${accuracy.at(-1)}` }],
        noBaseline: 'pass',
        notes: [],
      },
      ...run.record,
    },
  });
}

const ours = (number: number): string[] =>
  repository
    .comments(number)
    .filter(({ user }) => user?.login === 'github-actions[bot]')
    .map(({ body }) => body);

describe('the comment and the check', () => {
  it('tell a better model, in at most 6 requests, and mark the run as reported', async () => {
    const baseline = await seedRun(records, repository, { sha: repository.head(), metrics: { accuracy: [0.5, 0.9, 0.95] } });
    const pull = pullRequest();
    const stored = await judged(pull, 'pass', [0.5, 0.9, 0.96], { baseline });
    const result = await report({ run: stored.record.run ?? '', 'pr-number': String(pull.number), sha: pull.sha, pipeline: 'digits' });

    expect(result.code).toBe(0);
    const [body = ''] = ours(pull.number);
    expect(body).toMatch(/^<!-- slashtrain:report:digits -->\n### ✅ Better than the baseline · digits at \[/u);
    expect(body.replaceAll('\u00a0', ' ')).toContain('| `accuracy` | **0.96** | 0.95 | +0.01 (+1.1 %) better |');
    expect(body).toContain('```mermaid');
    expect(body).toContain('/train epochs=20');
    expect(result.summary).toContain('✅ Better than the baseline');
    const [check] = repository.checks(pull.sha);
    expect(check).toMatchObject({
      name: 'metrics: digits',
      conclusion: 'success',
      output: { title: 'Better than the baseline: accuracy 0.96, was 0.95' },
    });
    expect(result.outputs).toEqual({
      'comment-id': String(repository.comments(pull.number)[0]?.id),
      'comment-url': expect.stringContaining(`/pull/${pull.number}#issuecomment-`),
      'check-run-id': String(check?.id),
    });
    expect(result.asked.length).toBeLessThanOrEqual(6);
    expect((await records.get('default', stored.name))?.record.reportedAt).toMatch(/^\d{4}-/u);

    const again = await report({ run: stored.record.run ?? '' });
    expect(again.asked.length).toBeLessThanOrEqual(5);
    expect(ours(pull.number)).toHaveLength(1);
    expect(repository.checks(pull.sha)).toHaveLength(1);
  });

  it('of a worse commit are the same comment, a failed check, and why', async () => {
    const pull = pullRequest();
    const better = await judged(pull, 'pass', [0.96]);
    await report({ run: better.record.run ?? '' });
    const sha = repository.commit({ branch: repository.pull(pull.number).head.ref, files: { 'a.txt': 'worse' } });
    const worse = await judged({ sha, number: pull.number }, 'fail', [0.8]);
    await report({ run: worse.record.run ?? '' });

    const bodies = ours(pull.number);
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toContain('### ❌ Does not pass');
    expect(bodies[0]).toContain('- ❌ fail: `accuracy`: said of 0.8');
    expect(bodies[0]).toContain('1 earlier run of this pull request');
    expect(bodies[0]).toContain('| ✅ pass | `accuracy`: said of 0.96 |');
    expect(repository.checks(sha)).toMatchObject([{ name: 'metrics: digits', conclusion: 'failure' }]);
    expect(repository.checks(pull.sha)).toMatchObject([{ conclusion: 'success' }]);
  });

  it('show the newest commit, in whichever order the reports come', async () => {
    const pull = pullRequest();
    const older = await judged(pull, 'fail', [0.7]);
    const sha = repository.commit({ branch: repository.pull(pull.number).head.ref, files: { 'a.txt': 'better' } });
    const newer = await judged({ sha, number: pull.number }, 'pass', [0.99]);
    await report({ run: newer.record.run ?? '' });
    await report({ run: older.record.run ?? '' });
    expect(ours(pull.number)[0]).toContain('### ✅ Passes');
    expect(repository.checks(pull.sha)).toMatchObject([{ conclusion: 'failure' }]);
    expect(repository.checks(sha)).toMatchObject([{ conclusion: 'success' }]);
  });

  it('leave the check of a commit to its newest attempt', async () => {
    const pull = pullRequest();
    const first = await judged(pull, 'fail', [0.7]);
    const second = await judged(pull, 'pass', [0.99], { attempt: 2 });
    await report({ run: second.record.run ?? '' });
    const late = await report({ run: first.record.run ?? '' });
    expect(late.stdout).toContain('the check is left to the newer attempt');
    expect(repository.checks(pull.sha)).toMatchObject([{ conclusion: 'success' }]);
  });

  it.each<[string, Partial<SeededRun>, string, string]>([
    [
      'failed',
      {
        state: 'failed',
        result: { reason: 'crash', message: 'exit code 1', remedy: 'look at the log', logTail: ['Traceback', '```', '</details>'] },
      },
      '### ❌ The training failed after 1 min 30 s: crash',
      'failure',
    ],
    ['was cancelled', { state: 'cancelled' }, '### ⚪ The training was cancelled', 'cancelled'],
    ['was deleted', { state: 'deleted' }, '### ❌ The run was deleted before it ended', 'failure'],
  ])('say that a run %s', async (_, run, heading, conclusion) => {
    const pull = pullRequest();
    const stored = await seedRun(records, repository, { sha: pull.sha, pullRequest: pull.number, ...run });
    await report({ run: stored.record.run ?? '' });
    expect(ours(pull.number)[0]).toContain(heading);
    expect(repository.checks(pull.sha)).toMatchObject([{ conclusion }]);
    expect((await records.get('default', stored.name))?.record.reportedAt).toBeDefined();
  });

  it('say how a run stands that goes on, and are brought up to date at its end', async () => {
    const pull = pullRequest();
    const stored = await seedRun(records, repository, { sha: pull.sha, pullRequest: pull.number, state: 'running' });
    await report({ run: stored.record.run ?? '' });
    expect(ours(pull.number)[0]).toContain('### ⏳ Training');
    expect(repository.checks(pull.sha)).toMatchObject([{ status: 'in_progress' }]);
    const { record } = (await records.get('default', stored.name))!;
    expect(record.reportedAt).toBeUndefined();

    await records.writeMetrics(stored, { version: 1, series: seriesOf({ accuracy: [0.97] }), dropped: [] });
    await records.update((await records.get('default', stored.name))!, (old) => ({ ...old, state: 'succeeded', verdict: 'pass' }));
    await report({ run: stored.record.run ?? '' });
    expect(ours(pull.number)).toHaveLength(1);
    expect(ours(pull.number)[0]).toContain('### ✅ Trained');
    expect(repository.checks(pull.sha)).toMatchObject([{ status: 'completed', conclusion: 'success' }]);
  });

  it('look at a run that goes on, and say how it stands', async () => {
    const pull = pullRequest();
    const client = await openKubernetes({ kubeconfig: cluster.kubeconfig, environment: {}, log: keptLog() });
    const made = await client.create<KubernetesObject>(job.resource, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: unique('suspended'), namespace: 'default' },
      spec: { suspend: true, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'train', image: 'localhost:5000/a/b' }] } } },
    });
    const { name = '', uid = '' } = made?.metadata ?? {};
    const run = formatReference({ plural: 'jobs', group: 'batch', namespace: 'default', name, uid });
    await seedRun(records, repository, { sha: pull.sha, pullRequest: pull.number, state: 'running', record: { run } });
    await report({ 'pr-number': String(pull.number), sha: pull.sha, pipeline: 'digits' });
    expect(ours(pull.number)[0]).toContain('### ⏳ Suspended');
  });

  it('say why a run waits, from the file of the step that waited', async () => {
    const pull = pullRequest();
    const stored = await seedRun(records, repository, { sha: pull.sha, pullRequest: pull.number, state: 'queued' });
    const file = join(mkdtempSync(join(tmpdir(), 'slashtrain-result-')), 'result.json');
    const { run = '', sha, pipeline, createdAt } = stored.record;
    const result = {
      version: 1,
      run,
      sha,
      pipeline,
      attempt: 1,
      state: 'queued',
      reason: 'no-gpu',
      message: 'no node has 4 free GPUs',
      remedy: 'wait',
      createdAt,
      pods: [],
      outputs: [],
      gpuHours: 0,
      logTail: [],
    };
    writeFileSync(file, JSON.stringify(result));
    await report({ run, 'result-file': file });
    expect(ours(pull.number)[0]).toContain('### ⏳ Waiting to start');
    expect(ours(pull.number)[0]).toContain('**Why:** no node has 4 free GPUs');
  });

  it('show curves as pictures of a branch, whoever else writes there, or else in Mermaid with the reason', async () => {
    const [one, other] = [pullRequest(), pullRequest()];
    const first = await judged(one, 'pass', [0.5, 0.9, 0.96]);
    const second = await judged(other, 'pass', [0.5, 0.8, 0.97]);
    const inputs = { charts: 'svg' };
    const refused = await report({ ...inputs, run: first.record.run ?? '' });
    expect(refused.code).toBe(0);
    expect(ours(one.number)[0]).toContain('```mermaid');
    expect(ours(one.number)[0]).toContain('<sub>No SVG could be written: missing permission "contents: write"; add it');

    const allowed = { ...permissions, contents: 'write' } as const;
    const all = await Promise.all([first, second].map(({ record }) => report({ ...inputs, run: record.run ?? '' }, allowed)));
    expect(all.map(({ code }) => code)).toEqual([0, 0]);
    const { git } = repository.data;
    for (const { number, sha } of [one, other]) {
      const body = ours(number)[0] ?? '';
      expect(body).not.toContain('```mermaid');
      const [, commit = '', path = ''] =
        /!\[learning curves of accuracy\]\(<[^>]+\/blob\/([0-9a-f]{40})\/([0-9a-f/]+\.svg)\?raw=true>\)/u.exec(body) ?? [];
      expect(path).toMatch(new RegExp(`^${sha}/`, 'u'));
      const blob = git.lookUp(git.commits.get(commit)?.tree ?? '', path);
      expect(String(git.blobs.get(blob?.sha ?? ''))).toMatch(/^<svg .*this commit.*<\/svg>$/su);
    }
    // Nobody's commit was lost, nothing of the code is on the branch, and the same report again commits nothing.
    const tip = repository.head('slashtrain-charts');
    expect(git.history(tip).map(({ parents }) => parents.length)).toEqual([1, 0]);
    expect([...git.readFiles(repository.tree(tip)).keys()].every((path) => path.endsWith('.svg'))).toBe(true);
    await report({ ...inputs, run: second.record.run ?? '' }, allowed);
    expect(repository.head('slashtrain-charts')).toBe(tip);
  });

  it('lose no picture where five write at once', async () => {
    const context = { owner: 'acme', repo: repository.name, repositoryId: repository.id, apiUrl: github.apiUrl, serverUrl: github.url };
    const names = ['a', 'b', 'c', 'd', 'e'];
    const commits = await Promise.all(
      names.map((name) => {
        const client = openGitHub({ token: github.token({ contents: 'write' }, { repository }), context, log: keptLog() });
        return commitTo(client, 'charts', new Map([[`${name}.svg`, name]]), name);
      }),
    );
    const { git } = repository.data;
    expect(names.filter((name, index) => git.lookUp(repository.tree(commits[index] ?? ''), `${name}.svg`) === undefined)).toEqual([]);
    expect([...git.readFiles(repository.tree(repository.head('charts'))).keys()]).toEqual(names.map((name) => `${name}.svg`));
  });

  it('point at the line of a gate that does not pass', async () => {
    const pull = pullRequest();
    const place = { file: '.github/slashtrain.yml', line: 7 };
    const stored = await judged(pull, 'fail', [0.5], {
      record: {
        comparison: {
          gates: [
            { gate, place, outcome: 'fail', why: '0.5 against 0.9\n::error::of the baseline' },
            { gate: { ...gate, metric: 'loss' }, outcome: 'fail', why: 'of an input' },
          ],
          noBaseline: 'pass',
          notes: [],
        },
      },
    });
    const waiting = await report({ check: 'queued', sha: pull.sha, pipeline: 'digits' });
    const [first, again] = [await report({ run: stored.record.run ?? '' }), await report({ run: stored.record.run ?? '' })];
    expect([waiting, first, again].map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(repository.checks(pull.sha)).toMatchObject([
      {
        conclusion: 'failure',
        annotations: [
          {
            path: '.github/slashtrain.yml',
            startLine: 7,
            endLine: 7,
            level: 'failure',
            title: 'fail: the gate of accuracy',
            message: '0.5 against 0.9 ::error::of the baseline',
          },
        ],
      },
    ]);
  });

  it('of a run without a pull request are a check and a summary', async () => {
    const stored = await judged({ sha: repository.head() }, 'pass', [0.96]);
    const { summary, outputs, asked } = await report({ run: stored.record.run ?? '' });
    expect(summary).toContain('✅');
    expect(Object.keys(outputs)).toEqual(['check-run-id']);
    expect(asked).toHaveLength(2);
  });
});

describe('ten report steps at once', () => {
  it('leave one comment, with everything that is known', async () => {
    const pull = pullRequest();
    const shas = [
      pull.sha,
      ...[1, 2].map((index) => repository.commit({ branch: repository.pull(pull.number).head.ref, files: { 'a.txt': `more ${index}` } })),
    ];
    const stored = await Promise.all(shas.map((sha, index) => judged({ sha, number: pull.number }, 'fail', [0.1 * index])));
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) => report({ run: stored[index % stored.length]?.record.run ?? '' })),
    );
    expect(results.map(({ code }) => code)).toEqual(Array.from({ length: 10 }, () => 0));
    const bodies = ours(pull.number);
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toContain('2 earlier runs of this pull request');
    expect(bodies[0]).toContain(`/commit/${shas[2]}>)\n`);
    for (const sha of shas) expect(repository.checks(sha).map(({ conclusion }) => conclusion)).toContain('failure');
  });

  it('read the records again after writing, so that what came meanwhile is not lost', async () => {
    const pull = pullRequest();
    const older = await judged(pull, 'fail', [0.7]);
    const sha = repository.commit({ branch: repository.pull(pull.number).head.ref, files: { 'a.txt': 'meanwhile' } });
    const newer = await judged({ sha, number: pull.number }, 'pass', [0.99]);
    // The first reader does not see what was written while it was reading.
    let reads = 0;
    const late: RecordStore = { ...records, find: async () => (++reads === 1 ? [older] : [older, newer]) };
    const log: Log = Object.fromEntries(
      ['info', 'debug', 'notice', 'warning', 'error', 'startGroup', 'endGroup', 'mask'].map((name) => [name, () => undefined]),
    ) as unknown as Log;
    const context = { owner: 'acme', repo: repository.name, repositoryId: repository.id, apiUrl: github.apiUrl, serverUrl: github.url };
    const client = openGitHub({ token: github.token(permissions, { repository }), context, log });
    await keepReport({ stored: older, records: late, standing: () => Promise.resolve(undefined) }, pull.number, {
      github: client,
      handed: {},
      added: [],
      inputs: { title: undefined, charts: 'none', check: 'none', command: '/train', issue: 'never' },
      links: { repository: 'https://github.com/acme/digits', workflow: 'https://github.com/acme/digits/actions/runs/1' },
    });
    expect(ours(pull.number)).toHaveLength(1);
    expect(ours(pull.number)[0]).toContain(`/commit/${sha}`);
    expect(ours(pull.number)[0]).toContain('### ✅ Passes');
  });

  it('keep two pipelines apart', async () => {
    const pull = pullRequest();
    const digits = await judged(pull, 'pass', [0.96]);
    const letters = await judged(pull, 'fail', [0.5], { pipeline: 'letters' });
    await Promise.all([digits, letters].map(({ record }) => report({ run: record.run ?? '' })));
    expect(
      ours(pull.number)
        .map((body) => body.split('\n', 1)[0])
        .toSorted(),
    ).toEqual(['<!-- slashtrain:report:digits -->', '<!-- slashtrain:report:letters -->']);
    expect(
      repository
        .checks(pull.sha)
        .map(({ name, conclusion }) => `${name} ${conclusion}`)
        .toSorted(),
    ).toEqual(['metrics: digits success', 'metrics: letters failure']);
  });

  it('leave a stranger’s comment with our marker alone', async () => {
    const pull = pullRequest();
    repository.comment(pull.number, 'mallory', '<!-- slashtrain:report:digits -->\n### ✅ Better');
    const stored = await judged(pull, 'fail', [0.5]);
    await report({ run: stored.record.run ?? '' });
    expect(repository.comments(pull.number).map(({ user }) => user?.login)).toEqual(['mallory', 'github-actions[bot]']);
    expect(repository.comments(pull.number)[0]?.body).toContain('✅ Better');
  });

  it('heal doubles of our own: the oldest stays, and says what is known', async () => {
    const pull = pullRequest();
    const [first] = [1, 2, 3].map(() => repository.comment(pull.number, 'github-actions[bot]', '<!-- slashtrain:report:digits -->\nold'));
    repository.comment(pull.number, 'github-actions[bot]', '<!-- slashtrain:report:letters -->\nanother');
    const stored = await judged(pull, 'fail', [0.5]);
    const { outputs } = await report({ run: stored.record.run ?? '' });
    expect(outputs['comment-id']).toBe(String(first?.id));
    const bodies = ours(pull.number);
    expect(bodies).toHaveLength(2);
    expect(bodies[0]).toContain('### ❌');
    expect(bodies[1]).toContain('another');
  });
});

describe('check: queued', () => {
  it('blocks a commit that nobody has trained, without a cluster; the report takes the check over', async () => {
    const pull = pullRequest();
    const inputs = { check: 'queued', sha: pull.sha, 'pr-number': String(pull.number), pipeline: 'digits', kubeconfig: '' };
    const rights = { checks: 'write', contents: 'read', 'pull-requests': 'read' } as const;
    const first = await report(inputs, rights);
    expect(first.code).toBe(0);
    // The check, the configuration (and that there is none), the new check.
    expect(first.asked).toHaveLength(4);
    const [check] = repository.checks(pull.sha);
    expect(check).toMatchObject({
      name: 'metrics: digits',
      status: 'queued',
      externalId: 'untrained',
      output: { title: 'Comment /train to run' },
    });
    await report(inputs, rights);
    expect(repository.checks(pull.sha)).toHaveLength(1);
    expect(ours(pull.number)).toEqual([]);

    const stored = await judged(pull, 'pass', [0.96]);
    const { outputs } = await report({ run: stored.record.run ?? '' });
    expect(outputs['check-run-id']).toBe(String(check?.id));
    expect(repository.checks(pull.sha)).toMatchObject([{ status: 'completed', conclusion: 'success' }]);
    const after = await report(inputs, rights);
    expect(after.outputs['check-run-id']).toBe(String(check?.id));
  });

  it('is skipped where the pull request touches none of the paths', async () => {
    repository.commit({
      files: { '.github/slashtrain.yml': "pipelines: { digits: { manifest: train.yaml, paths: ['train/**', '!**.md'] } }\n" },
    });
    const queued = async (branch: string, file: string): Promise<unknown> => {
      const sha = repository.commit({ branch, files: { [file]: branch } });
      const number = repository.openPullRequest({ head: branch, author: 'ada' });
      const inputs = { check: 'queued', sha, 'pr-number': String(number), pipeline: 'digits', kubeconfig: '' };
      const { code } = await report(inputs, { checks: 'write', contents: 'read', 'pull-requests': 'read' });
      expect(code).toBe(0);
      return repository.checks(sha)[0];
    };
    expect(await queued('code', 'train/a.js')).toMatchObject({ status: 'queued', externalId: 'untrained' });
    expect(await queued('docs', 'train/README.md')).toMatchObject({
      conclusion: 'skipped',
      output: { title: 'Nothing to train', summary: 'This pull request touches none of `train/**`, `!**.md`.' },
    });
  });

  it('none makes no check', async () => {
    const pull = pullRequest();
    const stored = await judged(pull, 'pass', [0.96]);
    const { asked } = await report({ run: stored.record.run ?? '', check: 'none' }, { 'pull-requests': 'write' });
    expect(repository.checks(pull.sha)).toEqual([]);
    expect(asked.length).toBeLessThanOrEqual(4);
  });
});

describe('template and sections', () => {
  it('make the comment, from the default branch and from files of the job', async () => {
    repository.commit({ files: { '.github/report.md': '## {{ headline.words }}\n\n{{ sections.metrics }}\n\n{{ sections.Data }}' } });
    // Attack 23: the pull request's own says that all is well.
    const sha = repository.commit({ branch: 'evil', files: { '.github/report.md': '## Better' } });
    const pull = { sha, number: repository.openPullRequest({ head: 'evil', author: 'ada' }) };
    const stored = await judged(pull, 'fail', [0.4]);
    const file = join(mkdtempSync(join(tmpdir(), 'slashtrain-section-')), 'data.txt');
    writeFileSync(file, 'rows 1797\n``` @octocat\n');
    const inputs = { run: stored.record.run ?? '', template: '.github/report.md', sections: `Data: ${file}` };
    const { code } = await report(inputs, { ...permissions, contents: 'read' });
    expect(code).toBe(0);
    expect(ours(pull.number)[0]).toMatch(/^<!-- slashtrain:report:digits -->\n## Does not pass\n\n\| Metric/u);
    expect(ours(pull.number)[0]).toContain('<details><summary>Data</summary>\n\n````\nrows 1797\n``` @octocat\n````');
  });

  it.each([
    [{ template: 'nowhere.md' }, 'input "template" is "nowhere.md", and the default branch has no such file'],
    [{ template: '.github/wrong.md' }, '.github/wrong.md: undefined variable: titel, line:1, col:4'],
    [{ sections: 'Data: nowhere.txt' }, 'input "sections" names "nowhere.txt" for "Data"'],
  ])('that are wrong leave nothing: %j', async (inputs, message) => {
    repository.commit({ files: { '.github/wrong.md': '{{ titel }}' } });
    const pull = pullRequest();
    const stored = await judged(pull, 'fail', [0.4]);
    const { code, shown } = await report({ run: stored.record.run ?? '', ...inputs }, { ...permissions, contents: 'read' });
    expect(code).toBe(1);
    expect(shown).toContain(message);
    expect([ours(pull.number), repository.checks(pull.sha)]).toEqual([[], []]);
  });
});

describe('issue: on-failure', () => {
  const rights = { ...permissions, issues: 'write' } as const;
  const issues = (): { title: string; state: string; body: string }[] =>
    [...repository.data.issues.values()].map(({ title, state, body }) => ({ title, state, body: body ?? '' }));
  const onMain = async (verdict: NonNullable<RunRecord['verdict']>, accuracy: number): Promise<Reported> => {
    const stored = await judged({ sha: repository.commit({ files: { a: unique('') } }) }, verdict, [accuracy]);
    return report({ run: stored.record.run ?? '', issue: 'on-failure' }, rights);
  };

  it('opens one when a model does not pass, keeps it up to date, and closes it when it passes again', async () => {
    expect((await onMain('pass', 0.9)).outputs).toMatchObject({ 'issue-number': '' });
    const { outputs } = await onMain('fail', 0.4);
    await onMain('fail', 0.3);
    expect(issues()).toMatchObject([
      { state: 'open', title: 'digits: Does not pass', body: expect.stringContaining('**0.3**') as unknown },
    ]);
    expect((await onMain('pass', 0.95)).outputs).toMatchObject({ 'issue-number': outputs['issue-number'] });
    expect(issues()).toMatchObject([{ state: 'closed', title: 'digits: Passes' }]);
    expect(repository.comments(Number(outputs['issue-number'])).map(({ body }) => body)).toEqual([
      expect.stringContaining('It passes again at') as unknown,
    ]);
    // A closed one is history: the next failure is another.
    await onMain('fail', 0.2);
    expect(issues()).toHaveLength(2);
  });

  it('keeps none for a pull request, and says which permission is missing', async () => {
    const pull = pullRequest();
    const stored = await judged(pull, 'fail', [0.1]);
    await report({ run: stored.record.run ?? '', issue: 'on-failure' }, rights);
    expect(issues().filter(({ body }) => body.includes('slashtrain:issue'))).toEqual([]);
    const main = await judged({ sha: repository.head() }, 'fail', [0.1]);
    const { code, shown } = await report({ run: main.record.run ?? '', issue: 'on-failure' }, { ...permissions, issues: 'read' });
    expect(code).toBe(1);
    expect(shown).toContain('missing permission "issues: write" for input "issue"');
  });
});

describe('check: merge-group', () => {
  const grouped = async (...pulls: Pull[]): Promise<{ result: Reported; check: unknown }> => {
    const group = repository.mergeGroup(...pulls.map(({ number }) => number));
    const event = repository.events.mergeGroup(group);
    const result = await report(
      { check: 'merge-group', pipeline: 'digits' },
      { checks: 'write', 'pull-requests': 'read', contents: 'read' },
      event,
    );
    return { result, check: repository.checks(group.sha)[0] };
  };
  /** Pull requests that a queue can merge one after the other. */
  const change = (file: string): Pull => {
    const sha = repository.commit({ branch: file, files: { [file]: file } });
    return { sha, number: repository.openPullRequest({ head: file, author: 'ada' }) };
  };

  it('passes where each pull request passed, or is none of the pipeline’s business', async () => {
    repository.commit({ files: { '.github/slashtrain.yml': "pipelines: { digits: { manifest: train.yaml, paths: ['*.js'] } }\n" } });
    const [one, other, docs] = [change('a.js'), change('b.js'), change('c.md')];
    await judged(one, 'pass', [0.9]);
    await judged(other, 'pass', [0.9]);
    const { result, check } = await grouped(one, other, docs);
    expect(result.code).toBe(0);
    expect(check).toMatchObject({ name: 'metrics: digits', conclusion: 'success', output: { title: 'All 3 pull requests pass' } });
    expect(check).toMatchObject({ output: { summary: expect.stringMatching(/✅ pass.*\n.*✅ pass.*\n.*nothing to train/u) as unknown } });
  });

  it('fails where one did not pass, was not trained, or was trained at another commit', async () => {
    const [passed, failed, untrained, moved] = [change('a.js'), change('b.js'), change('c.js'), change('d.js')];
    await judged(passed, 'pass', [0.9]);
    await judged(failed, 'fail', [0.1]);
    await judged({ ...moved, sha: repository.head() }, 'pass', [0.9]);
    const { check } = await grouped(passed, failed, untrained, moved);
    const numbers = [failed, untrained, moved].map(({ number }) => `#${number}`).join(', ');
    expect(check).toMatchObject({ conclusion: 'failure', output: { title: `${numbers} do not pass` } });
    expect(check).toMatchObject({ output: { summary: expect.stringMatching(/❌ fail[^]*not trained[^]*not trained/u) as unknown } });
  });

  it('believes no check, and nothing without the event', async () => {
    const pull = change('a.js');
    repository.addCheck({ name: 'metrics: digits', headSha: pull.sha, app: github.actions, conclusion: 'success' });
    expect((await grouped(pull)).check).toMatchObject({ conclusion: 'failure' });
    const { code, shown } = await report({ check: 'merge-group', pipeline: 'digits' });
    expect(code).toBe(1);
    expect(shown).toContain('input "check" is "merge-group", and the event is');
  });
});

describe('the metrics file', () => {
  const write = (file: MetricsFile): string => {
    const path = join(mkdtempSync(join(tmpdir(), 'slashtrain-metrics-')), 'metrics.json');
    writeFileSync(
      path,
      JSON.stringify(file, (_, value: unknown) => (typeof value === 'number' ? jsonNumber(value) : value)),
    );
    return path;
  };
  const fileOf = (sha: string, change: Partial<MetricsFile> = {}): MetricsFile => ({
    version: 1,
    sha,
    pipeline: 'digits',
    candidates: [{ id: 'metrics.json', sha, parameters: [], metrics: summariseAll(seriesOf({ accuracy: [0.5, Number.NaN] })) }],
    gates: [{ gate, outcome: 'fail', why: 'NaN is no number that a gate can pass' }],
    noBaseline: 'pass',
    verdict: 'fail',
    notes: [],
    ...change,
  });

  it('of files alone is reported without a cluster', async () => {
    const pull = pullRequest();
    const { code } = await report({ 'metrics-file': write(fileOf(pull.sha)), 'pr-number': String(pull.number), kubeconfig: '' });
    expect(code).toBe(0);
    expect(ours(pull.number)[0]).toContain('| `accuracy` | **NaN** |');
    expect(repository.checks(pull.sha)).toMatchObject([{ conclusion: 'failure' }]);
  });

  it('of another commit is refused with both', async () => {
    const pull = pullRequest();
    const stored = await judged(pull, 'pass', [0.96]);
    const other = 'f'.repeat(40);
    for (const inputs of [{ run: stored.record.run ?? '' }, { sha: pull.sha }]) {
      const { code, stdout } = await report({ ...inputs, pipeline: 'digits', 'metrics-file': write(fileOf(other)) });
      expect(code).toBe(1);
      expect(stdout).toContain(other);
      expect(stdout).toContain(pull.sha);
    }
    expect(ours(pull.number)).toEqual([]);
    expect(repository.checks(pull.sha)).toEqual([]);
  });

  it('that is none is refused with the place', async () => {
    const path = write({ ...fileOf(repository.head()), verdict: 'great' as 'pass' });
    expect((await report({ 'metrics-file': path })).stdout).toContain(`input "metrics-file" (${path}) is no metrics file: #/verdict`);
  });
});

describe('what is refused', () => {
  it('a run of another commit or repository, with both', async () => {
    const pull = pullRequest();
    const run = (await judged(pull, 'pass', [0.96])).record.run ?? '';
    const other = 'e'.repeat(40);
    expect((await report({ run, sha: other })).stdout).toContain(`trained ${pull.sha}, and input "sha" is ${other}`);
    repository = github.createRepository({ owner: 'acme', name: unique('other') });
    expect((await report({ run })).stdout).toContain(`this workflow to acme/${repository.name}`);
  });

  it.each<[Record<string, string>, string]>([
    [{}, 'none of the inputs "run", "metrics-file" and "sha" was given'],
    [{ check: 'queued' }, 'input "sha" is required for check: queued'],
    [{ check: 'maybe', sha: 'a'.repeat(40) }, 'input "check" is "maybe"; allowed: one of verdict, queued, merge-group, none'],
    [{ charts: 'png', sha: 'a'.repeat(40) }, 'input "charts" is "png"; allowed: one of mermaid, svg, none'],
    [{ command: 'train', sha: 'a'.repeat(40) }, 'input "command" is "train"; allowed: one line that begins with a command'],
    [{ 'result-file': '{}', sha: 'a'.repeat(40) }, 'input "result-file" is no result file'],
    [{ sha: 'a'.repeat(40), pipeline: 'digits' }, `no run of pipeline "digits" at ${'a'.repeat(40)} in namespace "default"`],
  ])('%j', async (inputs, words) => {
    const { code, stdout } = await report(inputs);
    expect(code).toBe(1);
    expect(stdout).toContain(words);
  });

  it.each([
    ['checks', 'missing permission "checks: write"'],
    ['pull-requests', '"pull-requests: write"'],
  ])('by GitHub, without %s: the other half is written, the step fails and says what is missing', async (missing, words) => {
    const pull = pullRequest();
    const stored = await judged(pull, 'pass', [0.96]);
    const granted: Record<string, 'read' | 'write'> = { ...permissions, [missing]: 'read' };
    const { code, stdout, summary } = await report({ run: stored.record.run ?? '' }, granted);
    expect(code).toBe(1);
    expect(stdout).toContain(words);
    expect(stdout).toContain('add it under permissions: in the job');
    expect(summary).toContain('✅');
    expect([ours(pull.number).length, repository.checks(pull.sha).length]).toEqual(missing === 'checks' ? [1, 0] : [0, 1]);
    expect((await records.get('default', stored.name))?.record.reportedAt).toBeUndefined();
  });
});

describe('the best setting of a sweep', () => {
  const params = (rate: string): string => `# What we train with\nlearning-rate: ${rate}  # ada: tried 0.3\nhidden: 8\n`;
  let attempts = 0;
  /** A sweep of two settings, of which the second is the better one. */
  async function swept(pull: Pull, values = ['0.01', '0.1']): Promise<string> {
    const sweep = { method: 'grid', metric: 'accuracy', direction: 'higher', on: 'last', parameters: ['learning-rate'] } as const;
    const stored = await judged(pull, 'pass', [0.96], {
      pipeline: 'digits-sweep',
      attempt: ++attempts,
      record: {
        sweep: { ...sweep, parameters: ['learning-rate'], trials: values.map((value) => [value]), maxTrials: 2, parallel: 1, maxFailed: 0 },
      },
    });
    const trials = values.map((value, index) => {
      const accuracy = { last: 0.9 + index / 50, min: 0.9, max: 0.96, mean: 0.9, step: 1 };
      return { index, values: [value], state: 'succeeded' as const, metrics: [{ name: 'accuracy', ...accuracy }] };
    });
    await records.writeMetrics(stored, { version: 1, series: seriesOf({ accuracy: [0.96] }), trials, dropped: [] });
    return stored.record.run ?? '';
  }
  /** A pull request that changes files of what main has. */
  function changes(files: Record<string, string>): Pull {
    const sha = repository.commit({ branch: `change-${++branches}`, files });
    return { sha, number: repository.openPullRequest({ head: `change-${branches}`, author: 'ada' }) };
  }
  const suggested = (number: number): [number | undefined, string][] =>
    repository.reviewComments(number).map(({ place, body }) => [place?.line, body]);
  const propose = (run: string, granted: Record<string, 'read' | 'write'> = permissions): Promise<Reported> =>
    report({ run, 'params-file': 'params.yaml' }, { contents: 'read', ...granted });

  it('is suggested on its line, once, and taken back where the file has it', async () => {
    const pull = changes({ 'params.yaml': params('0.05') });
    const run = await swept(pull);
    const first = await propose(run);
    expect(first.code).toBe(0);
    const [[line, body] = []] = suggested(pull.number);
    expect(line).toBe(2);
    expect(body).toMatch(/^<!-- slashtrain:settings:digits-sweep -->\nThe sweep `digits-sweep` ran at [0-9a-f]{7}\. \*\*Best setting:/u);
    expect(body).toMatch(/\n\n```suggestion\nlearning-rate: 0\.1 {2}# ada: tried 0\.3\n```$/u);
    const [comment] = repository.reviewComments(pull.number);
    expect(ours(pull.number)[0]).toMatch(
      new RegExp(`the best setting is \\[suggested at its line\\]\\(<.*#discussion_r${comment!.id}>\\)`, 'u'),
    );
    expect(first.asked.filter((one) => !/\/(check-runs|issues)/u.test(one)).length).toBeLessThanOrEqual(8);

    // Reported again, and with another best setting: the same comment.
    await propose(run);
    await propose(await swept(pull, ['0.01', '1e-5']));
    expect(suggested(pull.number)).toEqual([[2, expect.stringContaining('learning-rate: 1.0e-5  # ada')]]);
    expect(repository.reviewComments(pull.number)[0]?.id).toBe(comment?.id);
    // An older sweep has nothing to say any more, and one that found what is there takes it back.
    await propose(run);
    expect(suggested(pull.number)).toEqual([[2, expect.stringContaining('1.0e-5')]]);
    await propose(await swept(pull, ['0.01', '0.05']));
    expect(suggested(pull.number)).toEqual([]);
    expect(ours(pull.number)[0]).not.toContain('params.yaml');
  });

  it('is a diff to copy, with why, where GitHub takes no suggestion', async () => {
    repository.commit({ files: { 'params.yaml': params('0.05') } });
    const elsewhere = changes({ 'a.txt': 'x' });
    const result = await propose(await swept(elsewhere));
    expect(result.code).toBe(0);
    expect(suggested(elsewhere.number)).toEqual([]);
    const [body = ''] = ours(elsewhere.number);
    expect(body).toContain('GitHub takes suggestions within the diff alone, and this pull request does not change the file:');
    expect(body).toContain(
      '```diff\n--- a/params.yaml\n+++ b/params.yaml\n@@ -1,3 +1,3 @@\n # What we train with\n-learning-rate: 0.05  # ada: tried 0.3\n+learning-rate: 0.1  # ada: tried 0.3\n hidden: 8\n```',
    );

    // The commit that was swept is no more one of the pull request's: GitHub's own refusal.
    const pushed = changes({ 'params.yaml': params('0.07') });
    const run = await swept(pushed);
    repository.push(
      `change-${branches}`,
      repository.commit({ branch: `other-${branches}`, files: { 'params.yaml': params('0.07'), b: '' } }),
    );
    expect((await propose(run)).code).toBe(0);
    expect(ours(pushed.number)[0]).toMatch(/GitHub takes no suggestion: .*end&#95;commit&#95;oid is not part of the pull request/u);

    // A comment may be written with issues: write, a suggestion may not.
    const within = changes({ 'params.yaml': params('0.06') });
    const { code, annotations } = await propose(await swept(within), { ...permissions, 'pull-requests': 'read', issues: 'write' });
    expect([code, annotations[0]?.message]).toEqual([0, expect.stringContaining('missing permission "pull-requests: write"')]);
    expect(ours(within.number)[0]).toContain('+learning-rate: 0.1  # ada: tried 0.3');
  });

  it('says why a file has no place for it, and refuses a path that leads out', async () => {
    const pull = changes({ 'params.yaml': 'hidden: 8 # <img src=x> @ada\n' });
    const run = await swept(pull);
    expect((await propose(run)).code).toBe(0);
    expect(ours(pull.number)[0]).toContain('no change is proposed, since the file has nothing at "learning-rate".');
    const refused = await report({ run, 'params-file': '../params.yaml' });
    expect([refused.code, refused.annotations[0]?.message]).toEqual([
      1,
      expect.stringContaining('input "params-file" is "../params.yaml"; allowed: '),
    ]);
  });

  it('cannot break out of its fence', async () => {
    const pull = changes({ 'params.yaml': 'learning-rate: 0.05 # ```` ``` @octocat\n' });
    await propose(await swept(pull));
    expect(suggested(pull.number)[0]?.[1]).toMatch(/\n\n`{5}suggestion\nlearning-rate: 0\.1 # ```` ``` @octocat\n`{5}$/u);
  });
});

describe('hostile names, messages and log lines', () => {
  it('are text in comment, check and log', async () => {
    const pull = pullRequest();
    const hostile = '</details>|`x`\n\n# @octocat fixes #1 <img src=x> <!-- slashtrain:report:letters -->\n::error::pwned';
    const stored = await seedRun(records, repository, {
      sha: pull.sha,
      pullRequest: pull.number,
      state: 'failed',
      metrics: { [hostile]: [1, 2] },
      record: { parameters: [{ name: hostile, value: hostile }], actor: hostile },
      result: { reason: 'crash', message: hostile, remedy: hostile, logTail: [hostile, '`````', '::set-output name=x::y'] },
    });
    const { annotations } = await report({ run: stored.record.run ?? '' });
    const [check] = repository.checks(pull.sha);
    for (const text of [ours(pull.number)[0] ?? '', check?.output.summary ?? '']) {
      const prose = text.replace(/^(`{3,})[^`\n]*\n.*?\n\1$/gmsu, '').replace(/(`+)[^`].*?\1/gu, '');
      expect(prose).not.toContain('<img');
      expect(prose).not.toMatch(/(^|\W)@octocat/u);
      expect(prose).not.toMatch(/#1\b/u);
      expect(prose.match(/<details>/gu)?.length).toBe(prose.match(/<\/details>/gu)?.length);
    }
    expect(annotations).toEqual([]);
  });
});
