import type { GitHub } from '@slashtrain/core/github/client';
import { commentLimit, keepComment, markerOf, type Comment } from '@slashtrain/core/github/comments';
import { fit, type Section } from '@slashtrain/core/markdown/fit';
import type { StoredRecord } from '@slashtrain/core/records/store';
import type { Draw } from './charts/pictures.ts';
import { runsOf, storyOf, type Handed, type Target } from './gather.ts';
import type { ReportInputs } from './inputs.ts';
import { reportSections } from './report/report.ts';
import type { Earlier, Links, Story } from './story.ts';
import type { Template } from './template.ts';

const mostRounds = 4;

/** What a report is made with. */
export interface ReportParts {
  github: GitHub;
  /** Instead of the report's own form. */
  template?: Template;
  /** What the workflow adds. */
  added: Section[];
  links: Links;
  /** What is proposed for the settings' file, by the run that this step is of. */
  settings?: string;
  /** Absent where curves are no pictures. */
  draw?: Draw;
  handed: Handed;
  inputs: Pick<ReportInputs, 'title' | 'charts' | 'check' | 'command' | 'issue'>;
}

/**
 * Keeps the one comment of a pull request and pipeline, made whole from the records: the newest run on top. Several steps may
 * do so at once, each from what it read; so after each write the records are read again, and what has changed is written.
 * Whoever writes last has then seen everything that anybody wrote before.
 */
export async function keepReport(target: Target, pullRequest: number, report: ReportParts): Promise<Comment> {
  let runs = await runsOf(target);
  for (let round = 1; ; round++) {
    const [newest = target.stored, ...earlier] = runs;
    const story = withSettings(await storyOf(newest, target, report.handed, report.inputs.title), target.stored, report.settings);
    const written = await writeReport(story, earlier, pullRequest, report);
    const before = versionOf(runs);
    runs = await runsOf(target);
    if (versionOf(runs) === before || round >= mostRounds) return written;
  }
}

/** A story with what is proposed for the settings' file, where it is that of the run `of`. */
export function withSettings(story: Story, of: StoredRecord | undefined, settings: string | undefined): Story {
  return settings === undefined || story.stored?.uid !== of?.uid ? story : { ...story, settings };
}

/** Writes a report as the comment of its pull request and pipeline. */
export async function writeReport(story: Story, earlier: readonly Earlier[], pullRequest: number, report: ReportParts): Promise<Comment> {
  const marker = markerOf('report', story.pipeline);
  return keepComment(report.github, pullRequest, marker, await bodyOf(story, earlier, report, commentLimit - marker.length - 1));
}

/** The report as markdown of at most `limit` characters; in its own form where what a template makes is longer. */
export async function bodyOf(story: Story, earlier: readonly Earlier[], report: ReportParts, limit: number): Promise<string> {
  const { links, inputs, template, added } = report;
  const sections = [...reportSections(story, earlier, links, inputs, await report.draw?.(story)), ...added];
  const made = template?.(story, sections);
  if (made !== undefined && made.length <= limit) return made;
  const note = made === undefined ? '' : `<sub>The template makes ${made.length} characters of this, and ${limit} fit.</sub>`;
  return fit([...sections, { name: 'template', text: note, priority: 'required' }], limit, 'characters').text;
}

/** What the records say, but for the time of a report: that we write ourselves. */
function versionOf(runs: readonly StoredRecord[]): string {
  return JSON.stringify(runs.map(({ uid, record: { reportedAt: _, ...record } }) => [uid, record]));
}
