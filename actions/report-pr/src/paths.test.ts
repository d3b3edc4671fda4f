import { describe, expect, it } from '@jest/globals';
import { touches } from './paths.ts';

describe('touches', () => {
  it.each<[patterns: string[], files: string[], expected: boolean]>([
    [[], ['README.md'], true],
    [['train/**'], ['train/a/b.py'], true],
    [['train/**'], ['docs/train/a.py'], false],
    [['train/**'], [], false],
    [['**.py'], ['a.py'], true],
    [['**.py'], ['a/b.py'], true],
    [['src/**.py'], ['src/a/b.py'], true],
    [['**/*.py'], ['a/b/c.py'], true],
    [['*.py'], ['a/b.py'], false],
    [['**'], ['.github/workflows/a.yml'], true],
    [['**', '!docs/**'], ['docs/a.md'], false],
    [['**', '!docs/**'], ['docs/a.md', 'a.py'], true],
    [['**', '!docs/**', 'docs/data.csv'], ['docs/data.csv'], true],
    [['!docs/**'], ['a.py'], false],
    [['data/*.{csv,tsv}'], ['data/a.tsv'], true],
  ])('%j with %j is %s', (patterns, files, expected) => {
    expect(touches(patterns, files)).toBe(expected);
  });
});
