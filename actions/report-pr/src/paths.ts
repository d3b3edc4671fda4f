import picomatch from 'picomatch';

/**
 * Whether a pull request touches what a pipeline is about. The patterns mean what they mean under `paths:` of a workflow: in
 * their order, `!` takes out again what came before
 * (https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet).
 * @param patterns none: everything is
 */
export function touches(patterns: readonly string[], files: readonly string[]): boolean {
  if (patterns.length === 0) return true;
  const rules = patterns.map((pattern) => {
    const isOut = pattern.startsWith('!');
    // For GitHub `**.py` is every file of that kind, for picomatch those of one folder.
    const glob = (isOut ? pattern.slice(1) : pattern).replaceAll(/(?<=^|\/)\*\*(?=[^/*])/gu, '**/*');
    return { isOut, matches: picomatch(glob, { dot: true, nonegate: true }) };
  });
  return files.some((file) => rules.reduce((isIn, { isOut, matches }) => (matches(file) ? !isOut : isIn), false));
}
