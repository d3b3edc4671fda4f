import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import type { Tree } from './git.ts';
import { bundledPackages, licencesText } from './packages.ts';

const home = 'https://github.com/slashtrain/slashtrain';

/** What is released of an action. */
export interface Release {
  action: string;
  /** `1.2.3`, of its package.json. */
  version: string;
  /** The commit of main that it is made of: 40 hexadecimal digits. */
  source: string;
}

/**
 * The files of an action as a runner needs them, by their path below the action's folder: action.yml, dist/ with every
 * chunk, package.json, README.md, CHANGELOG.md, LICENSE and the licences of what is bundled.
 * @param prefix where they go: `actions/<name>/` in a tag of ours, `` in a mirror for the Marketplace
 * @throws Error where the action is not built
 */
export function contentsOf(repository: string, { action, version, source }: Release, prefix = `actions/${action}/`): Tree {
  const folder = join(repository, 'actions', action);
  const read = (file: string): Buffer => readFileSync(join(folder, file));
  if (!existsSync(join(folder, 'dist/index.js'))) throw new Error(`${action} is not built: pnpm build ${action}`);
  const text = (content: string): Buffer => Buffer.from(content);
  const files = new Map<string, Buffer>([
    ['action.yml', read('action.yml')],
    ['README.md', text(withAbsoluteLinks(String(read('README.md')), action, source))],
    ['package.json', text(packageJson(String(read('package.json')), version))],
    ['LICENSE', readFileSync(join(repository, 'LICENSE'))],
    ['THIRD-PARTY-LICENSES.txt', text(licencesText(bundledPackages(repository, action)))],
  ]);
  if (existsSync(join(folder, 'CHANGELOG.md'))) files.set('CHANGELOG.md', read('CHANGELOG.md'));
  // Names that begin with a dot are the build's own notes.
  for (const entry of readdirSync(join(folder, 'dist'), { recursive: true, withFileTypes: true })) {
    const file = relative(folder, join(entry.parentPath, entry.name));
    if (entry.isFile() && !entry.name.startsWith('.')) files.set(file, read(file));
  }
  return new Map([...files].map(([file, content]): [string, Buffer] => [`${prefix}${file}`, content]).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Without dependencies: what there are is bundled, and `workspace:` means nothing outside of the repository. */
function packageJson(text: string, version: string): string {
  const { name, license, type } = JSON.parse(text) as Record<string, unknown>;
  return `${JSON.stringify({ name, version, private: true, license, type, repository: home }, null, 2)}\n`;
}

/** A link that leaves the action's folder leads to the commit of main that the action was made of. */
export function withAbsoluteLinks(markdown: string, action: string, source: string): string {
  return markdown.replace(/\]\((?![a-z]+:|#|\/)([^)\s]+)\)/gu, (whole, target: string) => {
    const path = posix.join('actions', action, target);
    return path.startsWith(`actions/${action}/`) && /^actions\/[^/]+\/(README|CHANGELOG)\.md/u.test(path)
      ? whole
      : `](${home}/blob/${source}/${path})`;
  });
}
