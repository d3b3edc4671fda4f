import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readConfig } from '@slashtrain/core/config/read';
import { startCluster } from '@slashtrain/testing/cluster/cluster';
import { startGitHub } from '@slashtrain/testing/github/github';
import { registryImages } from '@slashtrain/testing/registry/images';
import { startRegistry } from '@slashtrain/testing/registry/server';
import { fakeForRunner } from '@slashtrain/testing/runner/github';
import { WorkflowRuns } from '@slashtrain/testing/runner/workflow-runs';
import { check, checkWorkflow, type Ask } from '../../packages/create-slashtrain/src/check.ts';
import { main, readTemplate, UsageError } from '../../packages/create-slashtrain/src/main.ts';
import { rights } from '../../packages/create-slashtrain/src/rights.ts';
import { readText, root } from '../repository/repository.ts';

/*
 * npm create slashtrain in a repository that knows nothing of us, and what its workflow then does.
 */
// Ordinary least squares in Python alone: requirements.txt wants scikit-learn, which the base image would bring.
const train = `import random
random.seed(0)
points = [(x, 2 * x + random.gauss(0, 0.1)) for x in range(20)]
slope = sum(x * y for x, y in points) / sum(x * x for x, _ in points)
print('slashtrain-metric {"name":"r2","value":%f}' % (1 - sum((y - slope * x) ** 2 for x, y in points) / sum(y * y for _, y in points)))
`;
const plain = { 'requirements.txt': 'scikit-learn==1.7.2\n', 'train.py': train, 'README.md': '# Houses\n' };
const python = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).stdout?.trim() ?? '';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'slashtrain-create-')), 'Houses 2');
  write(plain);
});
afterEach(() => rmSync(dirname(folder), { recursive: true, force: true }));

function write(files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

async function create(args: string[], answers?: string[]): Promise<{ code: number; said: string }> {
  const lines: string[] = [];
  const question = answers && ((text: string) => (lines.push(text), Promise.resolve(answers.shift() ?? '')));
  const template = readTemplate([join(root, 'examples/digits')]);
  const code = await main(args, { folder, template, say: (line) => lines.push(line), question, ask: () => undefined });
  return { code, said: lines.join('\n') };
}

const filesThere = (): string[] =>
  globSync('**/*', { cwd: folder, withFileTypes: false, exclude: [] }).concat(globSync('.github/**/*', { cwd: folder }));
const read = (path: string): string => readFileSync(join(folder, path), 'utf8');

describe('in a plain scikit-learn repository', () => {
  it('writes three files that are right, says what each is for, and overwrites nothing', async () => {
    const { code, said } = await create([]);
    expect([code, said]).toEqual([0, expect.stringContaining('Found: scikit-learn, train.py, 0 workflow files.')]);
    for (const path of ['.github/workflows/slashtrain.yml', '.github/slashtrain.yml', 'pipelines/train.yaml'])
      expect(said).toMatch(new RegExp(`^wrote {2}${path.replaceAll('.', String.raw`\.`)}: \\w`, 'mu'));
    const config = readConfig(read('.github/slashtrain.yml'), '.github/slashtrain.yml');
    expect([...config.pipelines.keys()]).toEqual(['houses-2']);
    expect(read('.github/workflows/slashtrain.yml')).toContain("vars.SLASHTRAIN_BASE || 'python:3.12-slim'");
    expect(check(folder, () => undefined).filter(({ level }) => level !== 'not-seen')).toEqual([]);
    if (spawnSync('actionlint', ['-version']).status === 0) {
      const { stdout } = spawnSync('actionlint', ['-no-color', join(folder, '.github/workflows/slashtrain.yml')], { encoding: 'utf8' });
      expect(stdout).toBe('');
    }
    write({ 'pipelines/train.yaml': 'mine\n' });
    expect((await create(['--name', 'other'])).said).toContain('kept    pipelines/train.yaml');
    expect([read('pipelines/train.yaml'), read('.github/slashtrain.yml')]).toEqual(['mine\n', expect.stringContaining('houses-2:')]);
  });

  it('shows everything and writes nothing with --dry-run', async () => {
    const before = filesThere();
    const { said } = await create(['--dry-run', '--metric', 'r2']);
    expect(said).toContain('metric: r2, direction: higher');
    expect(filesThere()).toEqual(before);
  });

  it('asks for what no flag says, with what it found as the answer to an empty line', async () => {
    const answers = ['', 'in-cluster', '', 'fit.ipynb', '', 'mlflow', 'rmse'];
    const { said } = await create(['--lower', '--gpus', '2'], answers);
    expect(said).toContain('A name for the pipeline? [houses-2] ');
    expect(answers).toEqual([]);
    const workflow = read('.github/workflows/slashtrain.yml');
    expect(workflow).not.toContain('secrets.KUBECONFIG');
    expect(workflow).toMatch(/notebook: fit\.ipynb\n[^]*runs-on: self-hosted/u);
    expect(workflow).toContain("source: '[run, mlflow]'");
    expect(read('.github/slashtrain.yml')).toMatch(/metric: rmse, direction: lower[^]*/u);
    expect(read('pipelines/train.yaml')).toMatch(/command: \[python3, fit\.py\][^]*nvidia\.com\/gpu: 2/u);
    expect(readConfig(read('.github/slashtrain.yml'), 'f').policy).toMatchObject({ maxGpus: 2 });
  });

  it.each([
    [['--cluster', 'telnet'], '--cluster telnet: it is one of kubeconfig, in-cluster'],
    [['--name', 'My Model'], 'such as my-model'],
    [['--base', "x' }} ${{ secrets.A"], '--base'],
    [['--gpus', 'many'], 'a whole number'],
    [['--wat'], '--wat'],
  ])('refuses %j', async (args, words) => {
    const refused = create(args);
    await expect(refused).rejects.toBeInstanceOf(UsageError);
    await expect(refused).rejects.toThrow(words);
    expect(existsSync(join(folder, '.github'))).toBe(false);
  });

  it('makes a workflow that trains in the embedded set-up without an edit', async () => {
    if (!python) return void process.stdout.write('skipped: the training of a new set-up; there is no python3\n');
    await create(['--metric', 'r2']);
    const files = Object.fromEntries(
      [...Object.keys(plain), '.github/workflows/slashtrain.yml', '.github/slashtrain.yml', 'pipelines/train.yaml'].map((path) => [
        path,
        read(path),
      ]),
    );
    const registry = await startRegistry();
    const cluster = await startCluster({ images: registryImages(registry.host) });
    let past = 60 * 60_000;
    const github = await startGitHub({ now: () => Date.now() - past });
    try {
      // The embedded node runs programs of this machine: the image's Python is a call of it.
      await registry.pushBase('python:3.12', {
        files: { 'usr/bin/python3': { content: `#!/bin/sh\nexec ${python} "$@"\n`, mode: 0o755 } },
        config: { Env: ['PATH=/usr/bin'] },
      });
      const repository = github.createRepository({ owner: 'acme', name: 'houses', files });
      repository.setPermission('ada', 'write');
      const workflows = new WorkflowRuns({
        github: fakeForRunner(github, repository),
        secrets: { KUBECONFIG: cluster.kubeconfig },
        vars: { SLASHTRAIN_IMAGE: `${registry.host}/acme/houses`, SLASHTRAIN_BASE: `${registry.host}/python:3.12` },
      });
      const sha = repository.commit({ branch: 'topic', files: { 'README.md': '# Homes\n' }, author: 'ada' });
      const number = repository.openPullRequest({ head: 'topic', author: 'ada' });
      past -= 60_000;
      const [run] = await workflows.dispatch(repository.events.issueComment(repository.comment(number, 'ada', '/train')));
      expect(Object.fromEntries(run?.jobs.map(({ id, conclusion }) => [id, conclusion]) ?? [])).toMatchObject({
        command: 'success',
        train: 'success',
      });
      expect(repository.checks(sha).map(({ name, conclusion }) => [name, conclusion])).toEqual([
        ['train: houses-2', 'success'],
        ['metrics: houses-2', 'success'],
      ]);
      expect(repository.comments(number).at(-1)?.body).toContain('r2');
    } finally {
      await github.close();
      await cluster.stop();
      await registry.close();
    }
  }, 180_000);
});

describe('--check', () => {
  const step = (action: string, version = `${action}/v1`): object => ({ uses: `slashtrain/slashtrain/actions/${action}@${version}` });
  const checkout = 'actions/checkout@8e8c483db84b4bee98b60c0593521ed34d9990e8';

  it.each<[string, Parameters<typeof checkWorkflow>[1], string | undefined]>([
    ['a job that is right', { on: 'push', jobs: { a: { permissions: { checks: 'write' }, steps: [step('wait-for-run')] } } }, undefined],
    [
      'a missing permission',
      { on: 'push', jobs: { a: { permissions: {}, steps: [step('wait-for-run')] } } },
      'wait-for-run needs "checks: write"',
    ],
    [
      'a permission that is too little',
      { on: 'push', permissions: { checks: 'read' }, jobs: { a: { steps: [step('cancel-runs')] } } },
      'cancel-runs needs "checks: write"',
    ],
    ['write-all', { on: 'push', permissions: 'write-all', jobs: { a: { steps: [] } } }, 'write-all'],
    [
      "a stranger's commit",
      { on: ['pull_request_target'], permissions: {}, jobs: { a: { steps: [{ uses: checkout }] } } },
      "a stranger's commit",
    ],
    [
      'a comment in a script',
      { on: 'issue_comment', permissions: {}, jobs: { a: { steps: [{ run: 'echo ${{ github.event.comment.body }}' }] } } },
      'becomes code',
    ],
    [
      'a branch as a version',
      { on: 'push', permissions: { checks: 'write' }, jobs: { a: { steps: [step('wait-for-run', 'main')] } } },
      'has no version',
    ],
    [
      "others' actions by a tag",
      { on: 'push', permissions: {}, jobs: { a: { steps: [{ uses: 'actions/setup-node@v6' }] } } },
      'can be moved',
    ],
  ])('sees %s', (_, workflow, words) => {
    expect(checkWorkflow('w.yml', workflow).map(({ what }) => what)).toEqual(words === undefined ? [] : [expect.stringContaining(words)]);
  });

  it('asks gh and kubectl for what stands in no file', async () => {
    await create([]);
    const answers: Record<string, string> = {
      'secret list': 'OTHER\n',
      'repo view': 'main\n',
      'api repos/{owner}/{repo}/rules/branches/main': 'ci\n',
      'auth can-i create jobs.batch': 'no\n',
    };
    const ask: Ask = (program, args) =>
      answers[args.slice(0, 2).join(' ')] ?? (program === 'kubectl' ? (answers[args.slice(0, 4).join(' ')] ?? 'yes\n') : undefined);
    expect(check(folder, ask, 'ml').map(({ level, what }) => `${level}: ${what}`)).toEqual([
      'wrong: there is no KUBECONFIG',
      expect.stringMatching(/^advice: does not require the check "metrics: houses-2"/u),
      'wrong: the kubeconfig may not create jobs.batch',
    ]);
  });

  it('finds nothing wrong with the example, and ends 1 where something is', async () => {
    expect(check(join(root, 'examples/digits'), () => undefined).filter(({ level }) => level === 'wrong')).toEqual([]);
    expect(await create(['--check'])).toMatchObject({ code: 1, said: expect.stringContaining('no workflow uses Slashtrain') });
  });

  it('knows what the READMEs say of permissions', () => {
    const missing = Object.entries(rights).flatMap(([action, needed]) => {
      const readme = readText(`actions/${action}/README.md`);
      return Object.entries(needed)
        .filter(([right, level]) => !new RegExp(`\\b${right}: (${level}|write)\\b`, 'u').test(readme))
        .map(([right]) => `${action}: ${right}`);
    });
    expect(missing).toEqual([]);
    expect(Object.keys(rights).sort()).toEqual(
      globSync('actions/*/action.yml', { cwd: root })
        .map((file) => file.split('/')[1])
        .sort(),
    );
  });
});
