import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { open, type FileHandle } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { oci } from '@slashtrain/core/registry/media-types';
import type { CommitFile } from '../archive.ts';
import { planDependencies, type DependencyContext } from '../dependencies.ts';
import { withScript } from './notebook.ts';

let content: FileHandle;
beforeAll(async () => {
  content = await open(fileURLToPath(new URL('fixtures/magics.ipynb', import.meta.url)));
});
afterAll(() => content.close());

const file = (path: string, text: string): CommitFile => {
  const bytes = Buffer.from(text);
  return { path, kind: 'file', isExecutable: false, size: bytes.length, offset: 0, link: '', isPointer: false, bytes };
};
const installing = (line: string): string =>
  JSON.stringify({
    nbformat: 4,
    metadata: { kernelspec: { name: 'python3' } },
    cells: [
      { cell_type: 'markdown', metadata: {}, source: '' },
      { cell_type: 'code', metadata: {}, source: ['\n', line], outputs: [] },
    ],
  });

async function plan(files: CommitFile[], dependencies = 'auto'): Promise<string[] | undefined> {
  const made = await withScript('work/a.ipynb', files, content);
  const platform: DependencyContext['platforms'][number] = {
    platform: { os: 'linux', architecture: 'amd64' },
    mediaType: oci.manifest,
    manifest: { schemaVersion: 2, config: { mediaType: oci.config, digest: '', size: 0 }, layers: [] },
    config: { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] }, config: { Env: ['PYTHON_VERSION=3.12.1'] } },
  };
  const planned = await planDependencies({
    request: {
      base: 'scratch',
      settings: { destination: '/app', workingFolder: '/app', entrypoint: undefined, command: undefined, env: new Map(), user: undefined },
      dependencies,
      python: undefined,
      notebook: 'work/a.ipynb',
      given: [],
    },
    platforms: [platform],
    files: made.files,
    content,
    notebook: made.packages,
    run: async () => ({ code: 0, lines: ['uv 0.9'] }),
    environment: {},
    folder: '/nowhere',
  });
  return planned && [planned.file, ...planned.requirements.lines];
}

it('what a notebook installs joins what the requirements file says, once', async () => {
  const notebook = file('work/a.ipynb', installing('%pip install -r more.txt six "numpy<3"'));
  const more = file('work/more.txt', 'pandas==2.2\n');
  const requirements = file('requirements.txt', 'numpy==2.1\nsix\n');
  expect(await plan([notebook, more, requirements])).toEqual([
    'requirements.txt and work/a.ipynb',
    'numpy==2.1',
    'six',
    'pandas==2.2',
    'numpy<3',
  ]);
  expect(await plan([notebook, more])).toEqual(['work/a.ipynb', 'pandas==2.2', 'six', 'numpy<3']);
  expect(await plan([notebook, more, requirements], 'none')).toBeUndefined();
  expect(await plan([file('work/a.ipynb', installing('pip list'))])).toBeUndefined();
});

it.each([
  ['%pip install -e .', 'work/a.ipynb, cell 2, line 2 has "-e"'],
  ['!pip install git+https://github.com/a/b', 'cell 2, line 2 has "git+https://github.com/a/b": that is a path or a repository'],
  ['%pip install --index-url http://a/b c', 'indexes are https addresses'],
  ['%pip install -r absent.txt', 'the file "work/absent.txt" is not in the context; work/a.ipynb, cell 2, line 2 refers to it'],
])('%s is refused with its place', async (line, message) => {
  await expect(plan([file('work/a.ipynb', installing(line))])).rejects.toThrow(message);
});

it('a script that is there already is refused, and so is a notebook that is not', async () => {
  await expect(withScript('a.ipynb', [file('a.ipynb', installing('x = 1')), file('a.py', '')], content)).rejects.toThrow(
    'the context has a.py already',
  );
  await expect(withScript('a.ipynb', [file('b.ipynb', '')], content)).rejects.toMatchObject({ remedy: 'its notebooks are: b.ipynb' });
});
