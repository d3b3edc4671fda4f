import { messageOf } from '@slashtrain/core/action/errors';
import type { GitHub } from '@slashtrain/core/github/client';
import { readFileAt } from '@slashtrain/core/github/contents';
import type { MetricRun } from '@slashtrain/core/metrics/metrics';

type Packages = NonNullable<MetricRun['packages']>;

/**
 * Gives the runs of both sides the packages that a lock file names at their commits: with pinned packages that is what they ran
 * with. Two requests. @returns notes: where it could not be read, nothing is compared, and the verdict does not change
 */
export async function addPackages(
  path: string,
  github: GitHub,
  sides: readonly { sha: string; runs: readonly MetricRun[] }[],
): Promise<string[]> {
  if (sides.length < 2) return [];
  const notes: string[] = [];
  const read = await Promise.all(
    sides.map(async ({ sha }) => {
      try {
        const file = await readFileAt(github, path, sha);
        if (!file) notes.push(`packages are not compared: there is no ${path} at ${sha.slice(0, 7)}`);
        return file && parsePackages(file.text);
      } catch (error) {
        notes.push(`packages are not compared: ${messageOf(error)}`);
        return undefined;
      }
    }),
  );
  if (notes.length > 0) return notes;
  for (const [index, { runs }] of sides.entries()) for (const run of runs) if (read[index]) run.packages ??= read[index];
  return [];
}

/**
 * The packages that a file pins, by name: `name==version` of pip, pip-tools and conda's `name=version`, `[[package]]` of uv, Poetry and
 * PDM (https://packaging.python.org/en/latest/specifications/name-normalization/ for names).
 */
export function parsePackages(text: string): Packages {
  const found = new Map<string, string>();
  const add = (name = '', version = ''): void => void found.set(name.toLowerCase().replace(/[-_.]+/gu, '-'), version);
  if (/^\[\[package\]\]\s*$/mu.test(text)) {
    for (const block of text.split(/^\[\[package\]\]\s*$/mu).slice(1)) {
      const field = (key: string): string | undefined => new RegExp(`^${key} = "([^"]*)"`, 'mu').exec(block)?.[1];
      const [name, version] = [field('name'), field('version')];
      if (name !== undefined && version !== undefined) add(name, version);
    }
  } else {
    for (const line of text.split(/\r\n|\n|\r/u)) {
      const [, name, version] = /^\s*(?:- )?["']?([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*={1,3}\s*([^\s;#,=\\"']+)/u.exec(line) ?? [];
      if (name !== undefined) add(name, version);
    }
  }
  return [...found].map(([name, version]) => ({ name, version }));
}
