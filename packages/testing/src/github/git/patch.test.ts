import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { movedLine, patchOf, shownLines } from './patch.ts';

/* What the fake GitHub shows of a change is what `git diff` does. */

const rows = (count: number): string => Array.from({ length: count }, (_, index) => `line ${index + 1}\n`).join('');
const cases: [string, string | undefined, string | undefined][] = [
  ['one line', rows(9), rows(9).replace('line 5', 'other')],
  [
    'lines that come and go, far from each other',
    rows(40),
    rows(40).replace('line 2\n', '').replace('line 20\n', 'a\nb\n').replace('line 39\n', ''),
  ],
  ['several lines at once', rows(10), rows(10).replace('line 4\nline 5\n', 'x\ny\nz\n')],
  ['an end that opens', rows(5), rows(5).trimEnd()],
  ['the last line without an end', rows(5).trimEnd(), `${rows(4)}other`],
  ['a file that is new', undefined, rows(3)],
  ['a file of one line that goes', 'x\n', undefined],
  ['bytes', '\0a', '\0b'],
  ['nothing', rows(3), rows(3)],
  ['a file that is new and empty', undefined, ''],
  ['a file that becomes empty', rows(2), ''],
];

const hasGit = spawnSync('git', ['--version']).status === 0;
if (!hasGit) process.stdout.write('skipped: comparison with git, which is not here\n');

/** The hunks that git shows, without the function that it names behind a head. */
function byGit(before: string | undefined, after: string | undefined): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-diff-'));
  const [old, now] = [before, after].map((text, index) => {
    if (text !== undefined) writeFileSync(join(folder, String(index)), text);
    return text === undefined ? '/dev/null' : String(index);
  }) as [string, string];
  const { stdout } = spawnSync('git', ['diff', '--no-index', '--no-color', old, now], { cwd: folder, encoding: 'utf8' });
  const start = stdout.indexOf('\n@@ ');
  return start < 0
    ? undefined
    : stdout
        .slice(start + 1)
        .trimEnd()
        .replace(/^(@@ .* @@).*$/gmu, '$1');
}

const bytes = (text: string | undefined): Buffer | undefined => (text === undefined ? undefined : Buffer.from(text));

if (hasGit)
  it.each(cases)('shows %s as git does', (_, before, after) => {
    expect(patchOf(bytes(before), bytes(after)).patch).toBe(byGit(before, after));
  });

describe('the lines of a change', () => {
  const [, [, before, after]] = cases as [unknown, [string, string, string]];
  it('are counted, and shown by hunk', () => {
    expect(patchOf(bytes(before), bytes(after))).toMatchObject({ additions: 2, deletions: 3 });
    const shown = shownLines(bytes(before), bytes(after)).map((hunk) => [[...hunk][0], [...hunk].at(-1)]);
    expect(shown).toEqual([
      [1, 4],
      [16, 23],
      [36, 39],
    ]);
  });

  it.each([
    [1, 1],
    [2, undefined],
    [3, 2],
    [20, undefined],
    [21, 21],
  ])('%s is then %s', (line, then) => {
    expect(movedLine(bytes(before), bytes(after), line)).toBe(then);
  });
});
