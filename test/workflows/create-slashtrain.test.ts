import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { readConfig } from '@slashtrain/core/config/read';
import { readWorkflow } from '@slashtrain/testing/runner/workflow';
import { clouds } from '../../packages/create-slashtrain/src/access.ts';
import { check, checkWorkflow, type Ask } from '../../packages/create-slashtrain/src/check.ts';
import { main, readTemplate, UsageError } from '../../packages/create-slashtrain/src/main.ts';
import { rights } from '../../packages/create-slashtrain/src/rights.ts';
import { readText, root } from '../repository/repository.ts';
import { conclusions, openWorld, placeWithPython } from '../support/world.ts';

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
const hasActionlint = spawnSync('actionlint', ['-version']).status === 0;

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
    if (hasActionlint) {
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
    [['--cluster', 'telnet'], '--cluster telnet: it is one of kubeconfig, in-cluster, eks, gke, aks'],
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
    const place = await placeWithPython();
    if (!place) return;
    await create(['--metric', 'r2']);
    const paths = [...Object.keys(plain), '.github/workflows/slashtrain.yml', '.github/slashtrain.yml', 'pipelines/train.yaml'];
    const world = await openWorld({ files: Object.fromEntries(paths.map((path) => [path, read(path)])), name: 'houses', place });
    try {
      const { sha, number } = world.open({ 'README.md': '# Homes\n' });
      const run = await world.say(number, '/train');
      expect(conclusions(run)).toMatchObject({ command: 'success', train: 'success' });
      expect(world.repository.checks(sha).map(({ name, conclusion }) => [name, conclusion])).toEqual([
        ['train: houses-2', 'success'],
        ['metrics: houses-2', 'success'],
      ]);
      expect(world.repository.comments(number).at(-1)?.body).toContain('r2');
    } finally {
      await world.close();
    }
  }, 180_000);

  it.each(['eks', 'gke', 'aks'] as const)("signs in to %s by the job's own identity, and stores no secret", async (cluster) => {
    const { said } = await create(['--cluster', cluster]);
    const text = read('.github/workflows/slashtrain.yml');
    const { jobs } = readWorkflow('slashtrain.yml', text);
    expect(text).not.toMatch(/\bsecrets\.[A-Z]/u);
    for (const { id, permissions, steps } of jobs) {
      const login = steps.findIndex(({ name }) => String(name).startsWith('Sign in to '));
      const first = steps.findIndex(({ uses }) => /\/(submit-pipeline|cancel-runs)@/u.test(uses ?? ''));
      expect([id, login >= 0 && login < first]).toEqual([id, first >= 0]);
      // Nobody else gets GitHub's token for a cloud; and what is done only after a push signs in only then.
      expect([id, (permissions as Record<string, string>)['id-token']]).toEqual([id, first >= 0 ? 'write' : undefined]);
      if (first >= 0) expect(steps[login]?.if).toEqual(steps[first]?.if);
    }
    expect(said).toContain(`${cluster.toUpperCase()}_CLUSTER`);
    expect(check(folder, () => undefined).filter(({ level }) => level === 'wrong')).toEqual([]);
    if (hasActionlint)
      expect(spawnSync('actionlint', ['-no-color', join(folder, '.github/workflows/slashtrain.yml')], { encoding: 'utf8' }).stdout).toBe(
        '',
      );
  });
});

it('is packed as what npm unpacks and runs, from a folder that has nothing else', async () => {
  const made = join(dirname(folder), 'packed');
  mkdirSync(made);
  execFileSync(process.execPath, [join(root, 'packages/create-slashtrain/src/build.ts'), made]);
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', dirname(made)], { cwd: made, encoding: 'utf8' }),
  ) as [{ filename: string }];
  execFileSync('tar', ['-xzf', packed.filename], { cwd: dirname(made) });
  const program = join(dirname(made), 'package/index.js');
  // Node 20 has none: https://nodejs.org/api/fs.html#fsglobsyncpattern-options
  expect(/\.globSync\b/u.test(readFileSync(program, 'utf8'))).toBe(false);
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, '--yes'], { cwd: folder, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  const written = ['.github/workflows/slashtrain.yml', '.github/slashtrain.yml', 'pipelines/train.yaml'];
  expect(written.filter((path) => !stdout.includes(`wrote  ${path}`))).toEqual([]);
  const texts = written.map(read);
  for (const path of written) rmSync(join(folder, path));
  await create([]);
  expect(written.map(read)).toEqual(texts);
}, 60_000);

it.each(Object.entries(clouds))('docs/clouds.md shows the steps for %s as they are written', (_, { steps }) => {
  const blocks = [...readText('docs/clouds.md').matchAll(/^```yaml\n(.*?)^```/gmsu)].map(([, block = '']) => parse(block) as unknown);
  expect(blocks).toContainEqual(steps);
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
