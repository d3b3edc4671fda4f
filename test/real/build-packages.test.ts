import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openBuilding, type Building } from '../support/building.ts';
import { pushMachineImage } from '../support/builders.ts';
import { findPython, pushPythonImage } from '../support/python.ts';
import { succeeded } from '../support/steps.ts';

/*
 * A training with scikit-learn from a requirements.txt, without a Dockerfile, on a base made of this machine's Python.
 * The wheels are those of the package index that pip here is set up for.
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
