import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A package that a bundle has modules of. */
export interface BundledPackage {
  name: string;
  version: string;
  /** An SPDX expression, as its package.json says it; undefined where that says nothing. */
  license: string | undefined;
  /** The licence and notice files that it carries, by name. */
  texts: { file: string; text: string }[];
  /** Whether it was changed by a file below patches/. */
  patched: boolean;
}

/**
 * What stands in an action's bundle and is not ours: `dist/.packages.json`, which scripts/build.ts writes of webpack's own count.
 * @throws Error where the action is not built
 */
export function bundledPackages(repository: string, action: string): BundledPackage[] {
  const folders = JSON.parse(readFileSync(join(repository, 'actions', action, 'dist/.packages.json'), 'utf8')) as string[];
  return folders.map((folder) => readPackage(repository, folder)).sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

const key = ({ name, version }: BundledPackage): string => `${name}@${version}`;

function readPackage(repository: string, folder: string): BundledPackage {
  const { name, version, license } = JSON.parse(readFileSync(join(repository, folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string | { type?: string };
  };
  const files = readdirSync(join(repository, folder))
    .filter((file) => /^(licen[cs]e|copying|notice)\b/iu.test(file))
    .sort();
  return {
    name,
    version,
    license: typeof license === 'string' ? license : license?.type,
    texts: files.map((file) => ({ file, text: readFileSync(join(repository, folder, file), 'utf8').trimEnd() })),
    patched: folder.includes('_patch_hash='),
  };
}

/** One text with the licences of everything that is bundled. */
export function licencesText(packages: readonly BundledPackage[]): string {
  const sections = packages.map(({ name, version, license, texts, patched }) => {
    const head = [`${name} ${version}`, license ?? 'its package.json names no licence'];
    if (patched) head.push('Changed by Slashtrain: see the folder "patches" of its source.');
    const bodies = texts.map(({ file, text }) => (texts.length > 1 ? `--- ${file} ---\n\n${text}` : text));
    if (bodies.length === 0) bodies.push('The package carries no licence file.');
    return `${head.join('\n')}\n\n${bodies.join('\n\n')}`;
  });
  const rule = `\n\n${'='.repeat(80)}\n\n`;
  return `${['What dist/ has of other people, and under which licence.', ...sections].join(rule)}\n`;
}
