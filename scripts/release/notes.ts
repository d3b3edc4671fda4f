/**
 * The part of a changelog that is about one version, as changesets writes it: `## 1.2.3`, up to the next version.
 * @throws Error where the changelog does not know the version
 */
export function notesOf(changelog: string, version: string): string {
  const lines = changelog.split('\n');
  const start = lines.indexOf(`## ${version}`);
  if (start < 0) throw new Error(`the changelog has no "## ${version}"; run: pnpm exec changeset version`);
  const length = lines.slice(start + 1).findIndex((line) => line.startsWith('## '));
  return `${lines
    .slice(start + 1, length < 0 ? undefined : start + 1 + length)
    .join('\n')
    .trim()}\n`;
}
