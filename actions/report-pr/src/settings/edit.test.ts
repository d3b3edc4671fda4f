import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { hunksOf, unifiedDiff } from './diff.ts';
import { changeSettings, withChanges } from './edit.ts';

/** The file with `name=value …` set, or why not. */
function changed(text: string, settings: string, key?: string, format: 'yaml' | 'json' = 'yaml'): string {
  const wanted = settings.split(' ').map((one) => ({ name: one.split('=')[0]!, value: one.split('=')[1]!.replaceAll('␣', ' ') }));
  const changes = changeSettings(text, wanted, { format, ...(key && { key: key.split('.') }) });
  return Array.isArray(changes) ? withChanges(text, changes) : changes.why;
}

describe('a line of YAML', () => {
  it.each([
    ['keeps its comment and spaces', 'lr:   0.1   # was 0.2\nhidden: 8\n', 'lr=0.3', 'lr:   0.3   # was 0.2\nhidden: 8\n'],
    ['of several settings', 'a: 1\nb: 2\nc: 3\n', 'c=9 a=10', 'a: 10\nb: 2\nc: 9\n'],
    ['of several settings on one line', '{a: 1, b: 2, c: three}\n', 'a=100 c=it b=20', '{a: 100, b: 20, c: it}\n'],
    ['keeps double quotes', 'lr: "0.1"\n', 'lr=0.3', 'lr: "0.3"\n'],
    ['keeps single quotes', "opt: 'sgd' # why\n", "opt=a'b", "opt: 'a''b' # why\n"],
    ['keeps text plain', 'opt: sgd\n', 'opt=adam', 'opt: adam\n'],
    ['quotes text that would be a number', 'opt: sgd\n', 'opt=10', 'opt: "10"\n'],
    ['quotes text that would be a truth', 'opt: sgd\n', 'opt=true', 'opt: "true"\n'],
    ['quotes text that YAML 1.1 takes for a truth', 'opt: sgd\n', 'opt=off', 'opt: "off"\n'],
    ['quotes text with a comment in it', 'opt: sgd\n', 'opt=a␣#b', 'opt: "a #b"\n'],
    ['quotes text with a key in it', 'opt: sgd\n', 'opt=a:␣b', 'opt: "a: b"\n'],
    ['quotes text that begins an alias', 'opt: sgd\n', 'opt=*x', 'opt: "*x"\n'],
    ['makes a number a text where it must', 'width: 8\n', 'width=auto', 'width: auto\n'],
    ['keeps a truth', 'bias: false\n', 'bias=true', 'bias: true\n'],
    ['writes an exponent that YAML 1.1 reads as well', 'lr: 0.1\n', 'lr=1e-7', 'lr: 1.0e-7\n'],
    ['writes no octal number', 'n: 8\n', 'n=010', 'n: 10\n'],
    ['leaves equal numbers', 'lr: 0.10\n', 'lr=1e-1', 'lr: 0.10\n'],
    ['without an end', 'lr: 0.1', 'lr=0.2', 'lr: 0.2'],
    ['leaves the same name elsewhere', 'old: {lr: 0.1}\nlr: 0.1\n', 'lr=0.2', 'old: {lr: 0.1}\nlr: 0.2\n'],
    ['with a name in quotes', '"lr": 0.1\n', 'lr=0.2', '"lr": 0.2\n'],
  ])('%s', (_, text, settings, expected) => {
    expect(changed(text, settings)).toBe(expected);
  });

  it.each([
    ['a map in a map', 'train:\n  opt: { lr: 0.1 }\n  lr: 5\n', 'train.opt', 'train:\n  opt: { lr: 0.2 }\n  lr: 5\n'],
    [
      'a block of text that is YAML',
      'x: 1\nenv: |\n    # rate\n\n    lr: "0.1" # !\n',
      'env',
      'x: 1\nenv: |\n    # rate\n\n    lr: "0.2" # !\n',
    ],
  ])('below a key: %s', (_, text, key, expected) => {
    expect(changed(text, 'lr=0.2', key)).toBe(expected);
  });

  it('changes the parameters that a manifest has as its annotation', () => {
    const manifest = readFileSync(resolve(import.meta.dirname, '../../../../examples/sweep/pipelines/train.yaml'), 'utf8');
    const expected = manifest.replace('learning-rate: "0.1"', 'learning-rate: "0.03"').replace('hidden: "32"', 'hidden: "16"');
    expect(changed(manifest, 'learning-rate=0.03 hidden=16')).toBe(expected);
    expect(changed(`kind: ConfigMap\n---\n${manifest}`, 'learning-rate=0.03 hidden=16')).toBe(`kind: ConfigMap\n---\n${expected}`);
  });
});

describe('a line of JSON', () => {
  it.each([
    ['a number', '{\n  "lr": 0.1,\n  "n": 3\n}\n', 'lr=1e-7', '{\n  "lr": 1e-7,\n  "n": 3\n}\n'],
    ['a number that JSON writes otherwise', '{"lr": 0.1}', 'lr=.5', '{"lr": 0.5}'],
    ['a text', '{"opt": "sgd"}', 'opt=a"b', '{"opt": "a\\"b"}'],
    ['a number in quotes', '{"lr": "0.1"}', 'lr=0.2', '{"lr": "0.2"}'],
    ['a number that becomes a text', '{"lr": 0.1}', 'lr=auto', '{"lr": "auto"}'],
    ['no JSON', '{lr: 0.1}', 'lr=0.2', expect.stringContaining('is not JSON')],
  ])('has %s', (_, text, settings, expected) => {
    expect(changed(text, settings, undefined, 'json')).toEqual(expected);
  });
});

describe('a file is left alone', () => {
  it.each([
    ['without the name', 'lr: 0.1\n', 'hidden=8', undefined, 'has nothing at "hidden"'],
    ['without one of two names', 'lr: 0.1\n', 'lr=0.2 hidden=8', undefined, 'has nothing at "hidden"'],
    ['without the key', 'lr: 0.1\n', 'lr=0.2', 'train', 'has nothing at "train"'],
    ['with an anchor', 'a: &x 0.1\nb: *x\n', 'a=0.2', undefined, 'has an anchor at "a", which other places may refer to'],
    ['with an alias', 'a: &x 0.1\nb: *x\n', 'b=0.2', undefined, 'has an alias at "b"'],
    ['with an anchor above', 't: &x {a: 1}\nu: *x\n', 'a=2', 't', 'has an anchor at "t", which other places may refer to'],
    ['with the name by a merge alone', 'd: &d {a: 1}\nt:\n  <<: *d\n  b: 1\n', 'a=2', 't', 'has nothing at "a"'],
    ['with a tag', 'a: !!float 1\n', 'a=2', undefined, 'has a tag at "a"'],
    ['with a list', 'a: [1, 2]\n', 'a=2', undefined, 'has something else at "a"'],
    ['with no value', 'a:\nb: 1\n', 'a=2', undefined, 'has no value at "a"'],
    ['with a value of several lines', 'a: "x\n  y"\n', 'a=2', undefined, 'has a value of several lines at "a"'],
    ['with a block', 'a: |\n  x\n', 'a=2', undefined, 'has a value of several lines at "a"'],
    ['with the name twice', 'a: 1\na: 2\n', 'a=3', undefined, 'is not YAML: Map keys must be unique at line 2, column 1:'],
    ['of two documents', 'a: 1\n---\na: 1\n', 'a=3', undefined, 'has 2 documents'],
    ['that is empty', '', 'a=3', undefined, 'has 0 documents'],
    ['that is nested deeply', `a: ${'['.repeat(10_000)}`, 'a=3', undefined, expect.stringContaining('is not YAML')],
    ['that is long', `a: 1 # ${'x'.repeat(50_000)}`, 'a=3', undefined, 'is longer than 50000 characters'],
    ['with carriage returns', 'a: 1\r\nb: 2\r\n', 'a=3', undefined, 'has carriage returns'],
    ['for a value with a line feed', 'a: b\n', 'a=x\ny', undefined, 'cannot have the value of "a" on one line'],
  ])('%s', (_, text, settings, key, why) => {
    expect(changed(text, settings, key)).toEqual(why);
  });
});

describe('the diff', () => {
  const rows = (count: number): string => Array.from({ length: count }, (_, index) => `p${index + 1}: ${index}\n`).join('');
  it.each([
    ['one line', rows(9), 'p5=x'],
    ['lines that are near', rows(12), 'p1=x p2=y p4=z p12=w'],
    ['lines that are far', rows(30), 'p2=x p28=y p30=z'],
    ['the last line without an end', rows(5).trimEnd(), 'p4=y p5=z'],
    ['a line before an open end', rows(5).trimEnd(), 'p3=y'],
  ])('of %s is one that git takes', (_, text, settings) => {
    const wanted = settings.split(' ').map((one) => ({ name: one.split('=')[0]!, value: one.split('=')[1]! }));
    const changes = changeSettings(text, wanted, { format: 'yaml' });
    if (!Array.isArray(changes)) throw new Error(changes.why);
    const folder = mkdtempSync(join(tmpdir(), 'diff-'));
    writeFileSync(join(folder, 'params.yaml'), text);
    const diff = unifiedDiff('params.yaml', text, changes);
    execFileSync('git', ['apply', '-'], { cwd: folder, input: `${diff}\n`, env: { ...process.env, GIT_CEILING_DIRECTORIES: folder } });
    expect(readFileSync(join(folder, 'params.yaml'), 'utf8')).toBe(withChanges(text, changes));
    const shown = hunksOf(diff).map((hunk) => [...hunk]);
    expect(changes.every(({ line }) => shown.some((hunk) => hunk.includes(line)))).toBe(true);
  });

  it('shows the lines of the new side', () => {
    // `git diff` 2.39 of `seq 1 25` without its second line, with its twelfth and its last changed.
    const patch = `@@ -1,5 +1,4 @@
 1
-2
 3
 4
 5
@@ -9,7 +8,7 @@
 9
 10
 11
-12
+L
 13
 14
 15
@@ -23,4 +22,4 @@
 23
 24
 25
-y
\\ No newline at end of file
+x
\\ No newline at end of file`;
    expect(hunksOf(patch).map((hunk) => [...hunk])).toEqual([
      [1, 2, 3, 4],
      [8, 9, 10, 11, 12, 13, 14],
      [22, 23, 24, 25],
    ]);
  });
});
