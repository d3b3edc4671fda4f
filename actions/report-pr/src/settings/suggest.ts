import { ActionError } from '@slashtrain/core/action/errors';
import type { Log } from '@slashtrain/core/action/log';
import type { GitHub } from '@slashtrain/core/github/client';
import { markerOf } from '@slashtrain/core/github/comments';
import { readFileAt } from '@slashtrain/core/github/contents';
import { clip, code, details, escapeText, fence, link } from '@slashtrain/core/markdown/markdown';
import { lines as plainLines } from '@slashtrain/core/markdown/text';
import { rankSettings } from '@slashtrain/core/sweep/rank';
import { runsOf, type Opened } from '../gather.ts';
import { bestWords } from '../report/sweep.ts';
import type { Story } from '../story.ts';
import { hunksOf, unifiedDiff } from './diff.ts';
import { changeSettings, type LineChange, type SettingsPlace } from './edit.ts';
import { keepLineComment } from './review-comments.ts';

/** Where the settings are kept: a file of the commit. */
export interface ParamsFile extends SettingsPlace {
  path: string;
}

/** What a settings file would be with the best setting of a sweep. */
interface Change {
  file: ParamsFile;
  sha: string;
  text: string;
  lines: LineChange[];
}

interface Parts {
  github: GitHub;
  log: Log;
}

/**
 * Proposes the best setting of a sweep for the file that holds the settings: as a suggestion on its lines where GitHub takes one,
 * else as a diff in the report. Nothing is pushed. Nothing of it keeps a report from being written: what goes wrong is said
 * in it.
 *
 * Requests: 1 for the file, 1 or more for the pull request's files, and those of {@link keepLineComment}.
 * @returns markdown for the report; undefined where there is nothing to propose
 */
export async function proposeSettings({ story, target }: Opened, file: ParamsFile | undefined, parts: Parts): Promise<string | undefined> {
  const { stored, trials, pullRequest, state } = story;
  const sweep = stored?.record.sweep;
  if (!file || !target || !stored || !sweep || !trials || state !== 'succeeded') return undefined;
  const ranked = rankSettings(trials, sweep);
  const [best] = ranked;
  if (!best || best.parameters.length === 0) return undefined;
  // A newer sweep of the same pull request has the last word.
  const [newest] = await runsOf(target);
  if (newest && newest.uid !== stored.uid) return undefined;
  const change = await changeOf(file, story.sha, best.parameters, parts.github);
  if ('why' in change) return refused(file, change.why, parts.log);
  return propose(
    change,
    pullRequest,
    `The sweep ${code(clip(story.title, 80))} ran at ${story.sha.slice(0, 7)}. ${bestWords(ranked, sweep)}`,
    {
      ...parts,
      story,
    },
  );
}

async function changeOf(
  file: ParamsFile,
  sha: string,
  settings: readonly { name: string; value: string }[],
  github: GitHub,
): Promise<(Change & { blob: string }) | { why: string }> {
  try {
    const found = await readFileAt(github, file.path, sha);
    if (!found) return { why: `is not there at ${sha.slice(0, 7)}` };
    const lines = changeSettings(found.text, settings, file);
    return Array.isArray(lines) ? { file, sha, text: found.text, lines, blob: found.sha } : lines;
  } catch (error) {
    if (error instanceof ActionError) return { why: `cannot be read: ${error.message}` };
    throw error;
  }
}

async function propose(
  change: Change & { blob: string },
  pullRequest: number | undefined,
  words: string,
  parts: Parts & { story: Story },
): Promise<string | undefined> {
  const { github, log, story } = parts;
  const { file, lines, sha, text } = change;
  if (pullRequest === undefined) return lines.length === 0 ? undefined : asDiff(change, 'there is no pull request to suggest it in');
  const marker = markerOf('settings', story.pipeline);
  try {
    const first = lines[0]?.line ?? 0;
    const last = lines.at(-1)?.line ?? 0;
    const body = bodyOf(text, lines, words);
    const why = lines.length === 0 ? '' : await whyNot(change, body, pullRequest, github);
    const wanted = why === undefined ? { path: file.path, sha, firstLine: first, lastLine: last, body: body ?? '' } : undefined;
    const url = await keepLineComment(github, pullRequest, marker, wanted);
    if (lines.length === 0) return undefined;
    if (url === undefined) return asDiff(change, why ?? '');
    log.info(`suggestion: ${url}`);
    return `**For ${code(file.path)}:** the best setting is ${link('suggested at its line', url)}, to be taken with one click.`;
  } catch (error) {
    if (!(error instanceof ActionError)) throw error;
    // GitHub's own word against our reading of the diff, a missing permission, an outage: the change is shown all the same.
    log.warning(`the best setting is not suggested for ${file.path}: ${error.message}${error.remedy ? ` (${error.remedy})` : ''}`);
    return lines.length === 0 ? undefined : asDiff(change, `GitHub takes no suggestion: ${error.message}`);
  }
}

/** Why GitHub would take no suggestion on these lines; undefined where it would. */
async function whyNot(
  { file, blob, lines }: Change & { blob: string },
  body: string | undefined,
  pullRequest: number,
  github: GitHub,
): Promise<string | undefined> {
  if (body === undefined) return 'its lines hold characters that cannot be seen';
  const files = await github.paginate(github.rest.pulls.listFiles, { ...github.at, pull_number: pullRequest, per_page: 100 });
  const changed = files.find(({ filename }) => filename === file.path);
  if (!changed) return 'GitHub takes suggestions within the diff alone, and this pull request does not change the file';
  if (changed.sha !== blob) return 'the pull request has another version of the file by now';
  const hunk = hunksOf(changed.patch ?? '').find((shown) => shown.has(lines[0]?.line ?? 0));
  if (lines.every(({ line }) => hunk?.has(line))) return undefined;
  return 'GitHub takes suggestions within the diff alone, and not all of these lines are together in it';
}

/** The comment; undefined where its lines would not be shown as they are. */
function bodyOf(text: string, changes: readonly LineChange[], words: string): string | undefined {
  const [first, last] = [changes[0]?.line ?? 1, changes.at(-1)?.line ?? 0];
  const rows = text.split('\n').slice(first - 1, last);
  for (const { line, after } of changes) rows[line - first] = after;
  const suggested = rows.join('\n');
  return plainLines(suggested) === suggested ? `${words}\n\n${fence(suggested, 'suggestion')}` : undefined;
}

function asDiff({ file, text, lines }: Change, why: string): string {
  const diff = fence(unifiedDiff(file.path, text, lines), 'diff');
  return details(`The best setting for ${clip(file.path, 100)}`, `To copy, since ${escapeText(clip(why, 300))}:\n\n${diff}`);
}

function refused({ path }: ParamsFile, why: string, log: Log): string {
  log.warning(`the best setting is not proposed for ${path}, which ${why}`);
  return `**For ${code(clip(path, 100))}:** no change is proposed, since the file ${escapeText(clip(why, 300))}.`;
}
