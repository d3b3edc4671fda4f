import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBuilding, type Building } from '../support/building.ts';
import { pushMachineImage } from '../support/builders.ts';
import { contentOf, layersOf } from '../support/images.ts';
import { findPython, findUv, pushPythonImage } from '../support/python.ts';
import { succeeded } from '../support/steps.ts';

/*
 * A training with scikit-learn from a requirements.txt, without a Dockerfile, on a base made of this machine's Python, by pip
 * and by uv. The wheels are those of the package index that each is set up for here.
 */
let place: Building;
beforeAll(async () => {
  place = await openBuilding();
});
afterAll(() => place.close());

const train = `
import json
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x / 16, y, random_state=0)
model = LogisticRegression(max_iter=200).fit(x_train, y_train)
accuracy = model.score(x_test, y_test)
print('slashtrain-metric ' + json.dumps({'name': 'accuracy', 'value': accuracy}), flush=True)
assert accuracy > 0.9
`;

it('trains with the packages of requirements.txt, which are installed once for all commits', async () => {
  const found = findPython();
  if (!found) return;
  const base = `${place.images}/python:${found.version}`;
  await pushPythonImage(base, found);

  const repository = place.github.createRepository({
    owner: 'acme',
    name: 'sklearn',
    files: { 'train.py': train, 'requirements.txt': '# the training\nscikit-learn==1.5.2\nnumpy==2.1.3\nscipy==1.14.1\n' },
  });
  const [one, two] = ['1', '2'].map((text) => repository.commit({ files: { 'notes.txt': text } }));
  const inputs = { image: `${place.images}/sklearn`, base, command: '[python3, train.py]' };
  const first = await succeeded(place.build(repository, { ...inputs, sha: one ?? '' }, found.env));
  expect(first.summary).toMatch(/\| Packages \| `requirements.txt`, compressed [0-9.]+ MB, installed \|/u);
  expect(await place.runs(first.outputs['image'] ?? '')).toBe(true);

  const second = await succeeded(place.build(repository, { ...inputs, sha: two ?? '' }, found.env));
  expect(second.summary).toMatch(/\| Packages \| .*kept in the registry \|/u);
  expect(second.outputs['reused']).toBe('false');
});

it('is the same by uv as by pip, to the byte', async () => {
  const [found, uv] = [findPython(), findUv()];
  if (!found || !uv) return;
  const base = `${place.images}/bare:1`;
  await pushMachineImage(base, { 'etc/passwd': '' }, { Env: [`PYTHON_VERSION=${found.version}`] });
  // One with a script to be started by, one of machine code, one of Python alone.
  const lines = ['tqdm==4.67.1', 'markupsafe==3.0.2', 'six==1.17.0'];
  const repository = place.github.createRepository({ owner: 'acme', name: 'both', files: { 'requirements.txt': `${lines.join('\n')}\n` } });
  const build = async (name: string, env: Record<string, string>): Promise<string[]> => {
    const inputs = { image: `${place.images}/both-${name}`, base, sha: repository.head() };
    const { outputs, summary, stdout } = await succeeded(place.build(repository, inputs, env));
    expect(summary).toContain('installed |');
    expect(stdout).toContain(`installed by ${name}`);
    return layersOf(outputs['image'] ?? '');
  };
  expect(await build('uv', uv)).toEqual(await build('pip', found.env));
});

it('is what uv.lock says, for another platform as well', async () => {
  const uv = findUv();
  if (!uv) return;
  const project = '[project]\nname = "locked"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["markupsafe<3.1"]\n';
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-uv-'));
  try {
    writeFileSync(join(folder, 'pyproject.toml'), project);
    execFileSync('uv', ['lock', '--quiet', '--no-python-downloads', '--directory', folder], {
      env: { ...process.env, ...uv },
      stdio: 'pipe',
    });
    const files = {
      'pyproject.toml': project,
      'uv.lock': readFileSync(join(folder, 'uv.lock'), 'utf8'),
      'train.py': 'import markupsafe\n',
    };
    const repository = place.github.createRepository({ owner: 'acme', name: 'locked', files });
    const inputs = { image: `${place.images}/locked`, base: 'scratch', python: '3.12', dependencies: 'uv.lock', sha: repository.head() };
    const { outputs, summary } = await succeeded(place.build(repository, { ...inputs, platforms: 'linux/amd64,linux/arm64' }, uv));
    expect(summary).toContain('| Packages | `uv.lock`');
    const content = await contentOf(outputs['image'] ?? '');
    for (const machine of ['x86_64', 'aarch64']) expect(content.includes(`_speedups.cpython-312-${machine}-linux-gnu.so`)).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('says which package has no wheel', async () => {
  const found = findPython();
  if (!found) return;
  const base = `${place.images}/bare:1`;
  await pushMachineImage(base, { 'etc/passwd': '' }, { Env: [`PYTHON_VERSION=${found.version}`] });
  // A name on the Python Package Index of which sources alone were ever released.
  const repository = place.github.createRepository({ owner: 'acme', name: 'none', files: { 'requirements.txt': 'sklearn==0.0\n' } });
  const sha = repository.head();
  const result = await place.build(repository, { image: `${place.images}/none`, base, sha }, found.env);
  expect(result.code).toBe(1);
  expect(result.annotations[0]?.message).toContain(
    `there is no wheel of "sklearn==0.0" for Python ${found.version.replace(/\.\d+$/u, '')}`,
  );
});
