import { createHash } from 'node:crypto';
import { ActionError, describe } from '@slashtrain/core/action/errors';
import type { GitHub } from '@slashtrain/core/github/client';
import { curvesOf, rowsOf } from '../report/curves.ts';
import type { Links, Story } from '../story.ts';

/** Where pictures are kept: a branch that shares no history with any other. It may be deleted; older reports then lose theirs. */
export const chartsBranch = 'slashtrain-charts';

/** What a report shows as pictures. */
export interface Pictures {
  /** Addresses by metric; the others are drawn in Mermaid. */
  addresses: ReadonlyMap<string, string>;
  /** Why there are none. Hostile text. */
  problem?: string;
}

/** Makes the pictures of a story. */
export type Draw = (story: Story) => Promise<Pictures>;

/**
 * Draws curves as SVG and commits them, once for the same curves. An address names the commit, so that what it shows never
 * changes; GitHub gives it to whoever may read the repository. A report is worth more than its pictures: whatever keeps them from
 * being made is told in it.
 */
export function drawTo(github: GitHub, links: Links): Draw {
  const known = new Map<string, Promise<Pictures>>();
  return (story) => {
    const curves = curvesOf(story, rowsOf(story));
    const key = JSON.stringify([story.sha, curves]);
    const made = known.get(key) ?? draw(curves, story, github, links).catch((error: unknown) => failed(error, github));
    known.set(key, made);
    return made;
  };
}

async function draw(curves: ReturnType<typeof curvesOf>, { sha, pipeline }: Story, github: GitHub, links: Links): Promise<Pictures> {
  if (curves.length === 0) return { addresses: new Map() };
  const [{ lineSvg }, { commitTo }] = await Promise.all([import('./svg.ts'), import('./branch.ts')]);
  const paths = new Map<string, string>();
  const files = new Map<string, string>();
  for (const { name, lines } of curves) {
    const svg = await lineSvg(name, lines);
    if (svg === undefined) continue;
    const path = `${sha}/${createHash('sha256').update(svg).digest('hex').slice(0, 16)}.svg`;
    paths.set(name, path);
    files.set(path, svg);
  }
  if (files.size === 0) return { addresses: new Map() };
  const commit = await commitTo(github, chartsBranch, files, `Curves of ${pipeline} at ${sha}`);
  return { addresses: new Map([...paths].map(([name, path]) => [name, `${links.repository}/blob/${commit}/${path}?raw=true`])) };
}

function failed(error: unknown, { log }: GitHub): Pictures {
  // The first request is a read, and GitHub's answer would ask for that right alone.
  const isRight = error instanceof ActionError && error.code === 'permission';
  const problem = isRight ? 'missing permission "contents: write"; add it under permissions: in the job' : describe(error);
  log.warning(`no SVG was written, so the curves are Mermaid: ${problem}${isRight ? ` (${error.message})` : ''}`);
  return { addresses: new Map(), problem };
}
