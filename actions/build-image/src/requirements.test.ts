import { describe, expect, it } from '@jest/globals';
import { arch } from 'node:os';
import type { ImageConfig } from '@slashtrain/core/registry/media-types';
import { installCommand, installError, pythonOf, type Installation } from './python.ts';
import { readProject, readRequirements } from './requirements.ts';

const read =
  (files: Record<string, string>) =>
  async (path: string): Promise<string | undefined> =>
    files[path];

describe('a requirements file', () => {
  it('is read with those that it refers to', async () => {
    const files = {
      'requirements.txt':
        '# what we need\nnumpy==2.1  # fast\n-r more/base.txt\n-c constraints.txt\nscikit-learn[a, b] >=1.5 ; python_version > "3.9"\n',
      'more/base.txt': 'pandas\\\n  ==2.2 --hash=sha256:abc\n--require-hashes\n-r deeper.txt',
      'more/deeper.txt': 'torch @ https://example.com/torch-2.9-cp312-linux_x86_64.whl\n',
      'constraints.txt': 'scipy<2\r\n',
    };
    expect(await readRequirements('requirements.txt', read(files))).toEqual({
      lines: [
        'numpy==2.1',
        'pandas   ==2.2 --hash=sha256:abc',
        'torch @ https://example.com/torch-2.9-cp312-linux_x86_64.whl',
        'scikit-learn[a, b] >=1.5 ; python_version > "3.9"',
      ],
      constraints: ['scipy<2'],
      hasIndex: false,
    });
  });

  it('may name indexes, over https', async () => {
    const text = '--extra-index-url https://download.pytorch.org/whl/cpu\ntorch\n';
    expect(await readRequirements('r.txt', read({ 'r.txt': text }))).toMatchObject({ hasIndex: true });
  });

  it.each([
    ['-e .', 'not for an image of wheels alone'],
    ['--editable ./x', 'not for an image of wheels alone'],
    ['--no-binary :all:', 'not for an image of wheels alone'],
    ['--no-binary=numpy', 'not for an image of wheels alone'],
    ['--config-settings x=y', 'not for an image of wheels alone'],
    ['./local', 'a path or a repository'],
    ['../up', 'a path or a repository'],
    ['local/package', 'a path or a repository'],
    ['git+https://github.com/a/b', 'a path or a repository'],
    ['https://example.com/a.whl', 'a path or a repository'],
    ['x @ git+https://github.com/a/b', 'only those of wheels'],
    ['x @ https://example.com/x.tar.gz', 'only those of wheels'],
    ['x @ https://example.com/x.tar.gz#a.whl', 'only those of wheels'],
    ['x @ https://example.com/x.tar.gz?a.whl', 'only those of wheels'],
    ['x @ file:///etc/x.whl', 'only those of wheels'],
    ['x @ https://example.com/${SECRET}/x.whl', 'variables'],
    ['-i http://example.com', 'https'],
    ['-r ../../etc/passwd', 'outside of the context'],
    ['-r r.txt', 'refers to itself'],
    ['-r absent.txt', 'is not in the context; r.txt refers to it'],
    ['$(id)', 'a path or a repository'],
  ])('with %j is refused', async (line, message) => {
    await expect(readRequirements('r.txt', read({ 'r.txt': line }))).rejects.toMatchObject({ message: expect.stringContaining(message) });
  });
});

describe('a pyproject.toml', () => {
  it.each<[string, string, string[] | string]>([
    [
      'its dependencies',
      '[project]\nname = "x"\ndependencies = ["numpy>=2", "torch ; sys_platform == \'linux\'"]',
      ['numpy>=2', "torch ; sys_platform == 'linux'"],
    ],
    ['none', '[tool.ruff]\nline-length = 100', []],
    ['dynamic ones', '[project]\nname = "x"\ndynamic = ["version", "dependencies"]', 'leaves its dependencies to a build backend'],
    ['a repository', '[project]\ndependencies = ["x @ git+https://github.com/a/b"]', 'only those of wheels'],
    ['another type', '[project]\ndependencies = "x"', 'no list of texts'],
    ['no TOML', '[project', 'is no TOML'],
  ])('with %s', async (_name, text, expected) => {
    const read = readProject(text, 'pyproject.toml');
    if (typeof expected === 'string') await expect(read).rejects.toThrow(expected);
    else expect((await read).lines).toEqual(expected);
  });
});

describe('the installation', () => {
  const own = arch() === 'x64' ? 'amd64' : arch();
  const installation: Installation = {
    requirements: { lines: ['numpy'], constraints: [], hasIndex: false },
    installer: { program: 'pip', python: '3.12' },
    python: '3.12',
    platform: { os: 'linux', architecture: own },
    files: { requirements: '/t/r.txt', constraints: '/t/c.txt', target: '/t/target' },
  };

  it('is of wheels alone, by pip and by uv', () => {
    expect(installCommand(installation).args.join(' ')).toMatch(
      /--only-binary :all: .*--python-version 3\.12 .*--platform manylinux_2_28_/u,
    );
    const uv = { ...installation, installer: { program: 'uv', python: undefined } as const };
    expect(installCommand({ ...uv, platform: { os: 'linux', architecture: 'arm64' } }).args.join(' ')).toContain(
      '--no-build --no-config --link-mode copy --target /t/target --python-version 3.12 --python-platform aarch64-manylinux_2_28',
    );
  });

  it.each<[string, Partial<Installation>, string]>([
    ["pip's own Python is another", { installer: { program: 'pip', python: '3.11' } }, 'pip here runs on 3.11'],
    [
      "pip's own machine is another",
      { platform: { os: 'linux', architecture: own === 'arm64' ? 'amd64' : 'arm64' } },
      'pip here chooses for',
    ],
    ['pip would be given an index', { requirements: { lines: ['x'], constraints: [], hasIndex: true } }, 'which pip must not be given'],
    ['there are no wheels', { platform: { os: 'linux', architecture: 's390x' } }, 'no wheels for linux/s390x'],
  ])('is refused where %s', (_name, change, message) => {
    expect(() => installCommand({ ...installation, ...change })).toThrow(message);
  });

  it.each([
    // pip 23.2.1
    [
      [
        'ERROR: Could not find a version that satisfies the requirement nope==1 (from versions: none)',
        'ERROR: No matching distribution found for nope==1',
      ],
      'input',
      'there is no wheel of "nope==1" for Python 3.12 on linux/amd64',
    ],
    // uv 0.13
    [
      [
        '  × No solution found when resolving dependencies:',
        '  ╰─▶ Because nope has no usable wheels and you require nope, we can conclude that your requirements are unsatisfiable.',
      ],
      'input',
      'nope has no usable wheels',
    ],
    [
      ["WARNING: Retrying after connection broken by 'NewConnectionError'", 'ERROR: Connection refused'],
      'unreachable',
      'could not reach its index',
    ],
  ])('that failed with %j is %s', (lines, code, message) => {
    expect(installError(lines, 'pip', '3.12', { os: 'linux', architecture: 'amd64' })).toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  it.each([
    ['PYTHON_VERSION=3.12.4', '3.12'],
    ['PYTHON_VERSION=3.14.0rc2', '3.14'],
    ['PYTHON_VERSION=3.13', '3.13'],
    ['PYTHON_VERSION=2.7.18', undefined],
    ['PATH=/bin', undefined],
  ])('is for the Python that %s says', (entry, version) => {
    expect(pythonOf({ config: { Env: ['A=1', entry] } } as ImageConfig)).toBe(version);
  });
});
