import { describe, expect, it } from '@jest/globals';
import { parsePackages } from './packages.ts';

describe('parsePackages', () => {
  it.each<[string, string, [string, string][]]>([
    [
      'pip-compile --generate-hashes',
      '#\n# pip-compile\n--index-url https://example.com/simple\nNumPy==2.1.0 \\\n    --hash=sha256:aa\n    # via torch\ntorch[cuda]==2.9.0+cu126 ; python_version >= "3.10"\n',
      [
        ['numpy', '2.1.0'],
        ['torch', '2.9.0+cu126'],
      ],
    ],
    ['requirements that pin nothing', 'torch>=2\nnumpy\n-r base.txt\nx ~= 1.0\ny != 2\n', []],
    [
      'uv.lock',
      'version = 1\nrequires-python = ">=3.10"\n\n[[package]]\nname = "typing_extensions"\nversion = "4.12.2"\nsource = { registry = "https://example.com" }\n\n[[package]]\nname = "torch"\nversion = "2.9.0"\ndependencies = [\n    { name = "numpy" },\n]\n',
      [
        ['typing-extensions', '4.12.2'],
        ['torch', '2.9.0'],
      ],
    ],
    [
      'poetry.lock',
      '[[package]]\nname = "torch"\nversion = "2.9.0"\ndescription = "x"\n\n[package.dependencies]\nnumpy = "*"\n',
      [['torch', '2.9.0']],
    ],
    [
      'a conda environment',
      'name: train\ndependencies:\n  - python=3.11.9\n  - pip:\n      - torch==2.9.0\n',
      [
        ['python', '3.11.9'],
        ['torch', '2.9.0'],
      ],
    ],
    ['hostile text', '__proto__==1\nconstructor==2\n', [['constructor', '2']]],
  ])('%s', (_, text, expected) => {
    expect(parsePackages(text).map(({ name, version }) => [name, version])).toEqual(expected);
  });
});
