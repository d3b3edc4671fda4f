import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { git, tagsOf } from './git.ts';

/** What has a version without a tag. */
export interface Plan {
  /** Actions: `<action>/v1.2.3`. */
  actions: { action: string; version: string }[];
  /** The version of the reusable workflows, which the root's package.json has: `v1.2.3`. Empty where there is nothing to do. */
  workflows: string;
  /** The version of `create-slashtrain`, for npm, tagged `create-slashtrain/v1.2.3`. Empty where there is nothing to do. */
  create: string;
}

/** What a release would publish: every version in a package.json that has no tag yet. `0.0.0` is no version. */
export function planOf(repository: string): Plan {
  const tags = new Set(tagsOf(repository));
  const due = (folder: string, tag: string): string => {
    const file = join(repository, folder, 'package.json');
    if (!existsSync(file)) return '';
    const { version = '0.0.0' } = JSON.parse(readFileSync(file, 'utf8')) as { version?: string };
    return version === '0.0.0' || tags.has(`${tag}${version}`) ? '' : version;
  };
  return {
    actions: readdirSync(join(repository, 'actions'))
      .filter((action) => existsSync(join(repository, 'actions', action, 'action.yml')))
      .map((action) => ({ action, version: due(`actions/${action}`, `${action}/v`) }))
      .filter(({ version }) => version !== ''),
    workflows: due('.', 'v'),
    create: due('packages/create-slashtrain', 'create-slashtrain/v'),
  };
}

/** The tags that a version gets. */
export interface Tags {
  /** `chatops-parse/v1.2.3`; never moved. */
  version: string;
  /** `chatops-parse/v1`; moved along, but never by a prerelease, nor back by the repair of an older version. */
  major: string | undefined;
}

/** @param prefix `chatops-parse/`, or nothing for the reusable workflows */
export function tagsFor(prefix: string, version: string, existing: readonly string[]): Tags {
  const parts = parse(version);
  if (!parts) throw new Error(`"${version}" is no version: 1.2.3, or 1.2.3-rc.1`);
  const major = `${prefix}v${parts.numbers[0]}`;
  const newer = existing
    .filter((tag) => tag.startsWith(`${major}.`))
    .map((tag) => parse(tag.slice(prefix.length + 1)))
    .some((other) => other && !other.prerelease && compare(other.numbers, parts.numbers) > 0);
  return { version: `${prefix}v${version}`, major: parts.prerelease || newer ? undefined : major };
}

/** Makes the tag of the version at a commit, and moves the major's there. @throws Error where the version's is elsewhere */
export function tag(repository: string, prefix: string, version: string, commit: string): Tags {
  const existing = tagsOf(repository);
  const tags = tagsFor(prefix, version, existing);
  if (existing.includes(tags.version)) {
    const at = git(repository, ['rev-parse', `${tags.version}^{commit}`]);
    if (at !== commit) throw new Error(`${tags.version} stands at ${at} already, and a version is never moved; this is ${commit}`);
  } else git(repository, ['tag', tags.version, commit]);
  if (tags.major !== undefined) git(repository, ['tag', '--force', tags.major, commit]);
  return tags;
}

function parse(version: string): { numbers: [number, number, number]; prerelease: boolean } | undefined {
  const found = /^(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?$/u.exec(version);
  return found ? { numbers: [Number(found[1]), Number(found[2]), Number(found[3])], prerelease: found[4] !== undefined } : undefined;
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((number, index) => number !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
