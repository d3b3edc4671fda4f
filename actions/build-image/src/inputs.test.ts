import { describe, expect, it } from '@jest/globals';
import { Inputs } from '@slashtrain/core/action/inputs';
import { readInputs, type BuildInputs } from './inputs.ts';

function read(given: Record<string, string>): Promise<BuildInputs> {
  const all = { token: 'a', sha: 'b'.repeat(40), image: 'localhost:1/acme/digits', base: 'scratch', ...given };
  const environment = Object.fromEntries(Object.entries(all).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]));
  return readInputs(new Inputs(environment), '/nowhere');
}

describe('inputs that are wrong', () => {
  it.each([
    [{ image: `ghcr.io/acme/digits@sha256:${'0'.repeat(64)}` }, 'without a tag'],
    [{ image: 'ghcr.io/acme/digits:a b' }, '"a b" is no tag'],
    [{ base: 'not an image' }, 'input "base"'],
    [{ builder: 'kaniko' }, 'allowed: one of auto, layer, docker, buildah, buildkit'],
    [{ builder: 'layer', base: '' }, 'input "base" is required'],
    [{ builder: 'buildkit', buildkit: '--help' }, 'an address such as tcp://'],
    [{ secrets: 'token: ""' }, 'no value for "token"'],
    [{ 'build-args': '"A B": c' }, 'input "build-args" is "A B"'],
    [{ file: '../Dockerfile' }, 'a file within the commit'],
    [{ dependencies: '/etc/x.txt' }, 'input "dependencies"'],
    [{ notebook: '../train.ipynb' }, 'a notebook (*.ipynb) within the context'],
    [{ notebook: 'train.ipynb', base: '' }, 'input "base" is required'],
    [{ images: '{train: {contexts: a}}' }, 'train: contexts'],
    [{ images: '[a]' }, 'a YAML map of names'],
    [{ image: '', images: '{train: {}}' }, 'has no image for "train"'],
    [{ parallel: '0' }, 'a whole number from 1 to 32'],
    [{ sha: 'main' }, '40 hexadecimal digits'],
    [{ sha: '' }, 'input "sha" is required'],
    [{ context: '../other' }, 'a folder within the commit'],
    [{ context: '/etc' }, 'a folder within the commit'],
    [{ destination: 'app' }, 'an absolute path below'],
    [{ destination: '/' }, 'an absolute path below'],
    [{ destination: '/usr/../../etc' }, 'an absolute path below'],
    [{ destination: '/lib/code' }, 'no link to another place'],
    [{ entrypoint: 'python train.py' }, 'a YAML list'],
    [{ env: '{"A=B": c}' }, 'input "env" is "A=B"'],
    [{ labels: 'org.opencontainers.image.revision: x' }, 'which build-image sets'],
    [{ labels: 'dev.slashtrain.inputs: x' }, 'which build-image sets'],
    [{ tags: '["ok", "not ok"]' }, 'input "tags" is "not ok"'],
    [{ user: 'root;rm' }, 'a user or a number'],
    [{ platforms: 'amd64' }, 'os/architecture'],
    [{ username: 'a' }, 'input "password" is missing'],
    [{ 'dry-run': 'yes' }, 'one of true, false'],
  ])('%j', async (inputs, message) => {
    await expect(read(inputs as Record<string, string>)).rejects.toMatchObject({ message: expect.stringContaining(message) });
  });
});

it('lists and maps are read, and empty where they are not given', async () => {
  const { requests } = await read({ tags: '[one, two]', labels: 'a: 1.10', command: '[python, train.py]' });
  expect(requests[0]).toMatchObject({ tags: ['one', 'two'], labels: new Map([['a', '1.10']]), platforms: [] });
  expect(requests[0]?.layer.settings).toMatchObject({ command: ['python', 'train.py'], entrypoint: undefined, env: new Map() });
});

it('what an entry of images says comes before what the step says', async () => {
  const { requests } = await read({ images: '{train: {context: training}, serve: {image: ghcr.io/Acme/serve}}', context: 'all' });
  expect(requests.map(({ name, context, target }) => [name, context, target.repository])).toEqual([
    ['train', 'training', 'acme/digits-train'],
    ['serve', 'all', 'acme/serve'],
  ]);
});
