import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { BaseFile } from '@slashtrain/testing/registry/base';
import { openBuilding, type Building } from '../support/building.ts';
import { has, programFiles, pushMachineImage, systemFiles } from '../support/builders.ts';
import { succeeded } from '../support/steps.ts';

/*
 * A training with scikit-learn from a requirements.txt, without a Dockerfile, on a base made of this machine's Python.
 * The wheels are those of the package index that pip here is set up for.
 */
const python = 'pip and a Python that is no part of the system (pyenv, setup-python)';
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
  const found = has('pip', python) ? findPython() : undefined;
  if (!found) return;
  const base = `${place.images}/python:${found.version}`;
  const config = { Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'LD_LIBRARY_PATH=/lib/x86_64-linux-gnu', `PYTHON_VERSION=${found.version}`] };
  await pushMachineImage(base, { ...systemFiles(), ...found.files }, config);

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

it('says which package has no wheel', async () => {
  const found = has('pip', python) ? findPython() : undefined;
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

/** This machine's Python as files of an image, and the environment in which pip finds its index. */
function findPython(): { version: string; files: Record<string, BaseFile>; env: Record<string, string> } | undefined {
  const said = execFileSync('python3', ['-c', 'import platform, sys; print(platform.python_version(), sys.base_prefix)'], {
    encoding: 'utf8',
  });
  const [version = '', prefix = ''] = said.trim().split(' ');
  const short = version.split('.').slice(0, 2).join('.');
  if (prefix === '/usr') return undefined;
  const library = join(prefix, 'lib', `python${short}`);
  const files: Record<string, BaseFile> = { ...programFiles(join(prefix, 'bin', `python${short}`), 'usr/local/bin/python3') };
  const left = /(?:^|\/)(?:__pycache__|test|tests|site-packages|idlelib|ensurepip|tkinter|lib2to3|config-[^/]*)(?:\/|$)/u;
  for (const entry of readdirSync(library, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || left.test(path.slice(library.length))) continue;
    files[`usr/local/lib/python${short}${path.slice(library.length)}`] = readFileSync(path);
    if (path.endsWith('.so')) {
      const { [path]: _own, ...libraries } = programFiles(path, path);
      Object.assign(files, libraries);
    }
  }
  // Wheels take these from the system: https://peps.python.org/pep-0599/#the-manylinux2014-policy
  for (const name of ['libstdc++.so.6', 'libgcc_s.so.1', 'libdl.so.2', 'libpthread.so.0', 'librt.so.1', 'libutil.so.1'])
    files[`lib/x86_64-linux-gnu/${name}`] = { content: readFileSync(realpathSync(join('/lib/x86_64-linux-gnu', name))), mode: 0o755 };
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^PIP_/u.test(name))) as Record<string, string>;
  return { version, files, env: { ...env, PATH: [join(prefix, 'bin'), process.env['PATH'] ?? ''].join(delimiter) } };
}
