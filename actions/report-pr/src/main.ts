import { describe } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import type { CheckRun } from '@slashtrain/core/github/checks';
import type { GitHub } from '@slashtrain/core/github/client';
import { commentLimit } from '@slashtrain/core/github/comments';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { drawTo } from './charts/pictures.ts';
import { putCheck } from './check.ts';
import { bodyOf, keepReport, withSettings, writeReport, type ReportParts } from './comment.ts';
import { openRecords, openStory, readHanded, runsOf, type Opened } from './gather.ts';
import type { ReportInputs } from './inputs.ts';
import { checkMergeGroup, readMergeGroup } from './merge-group.ts';
import { sayNotStarted } from './not-started.ts';
import { queueCheck } from './queue.ts';
import { proposeSettings } from './settings/suggest.ts';
import { markReported } from './reported.ts';
import { headline } from './report/headline.ts';
import { keepIssue } from './issue.ts';
import { fetchTemplate, sectionOf } from './template.ts';

/** What report-pr works with. */
export interface Parts {
  host: Host;
  context: GitHubContext;
  github: GitHub;
}

/** Tells the pull request whether the training made the model better: in one comment and one check, both kept up to date. */
export async function main(inputs: ReportInputs, parts: Parts): Promise<void> {
  if (inputs.check === 'queued') return said(parts.host, await queued(inputs, parts));
  if (inputs.check === 'merge-group') return said(parts.host, await mergeGroup(inputs, parts));
  if (inputs.notStarted !== undefined) return sayNotStarted(inputs.notStarted, inputs, parts);
  await report(inputs, parts);
}

async function report(inputs: ReportInputs, parts: Parts): Promise<void> {
  const { host, github } = parts;
  const handed = readHanded(inputs);
  const found = await openStory(inputs, handed, parts);
  const { target } = found;
  const settings = await proposeSettings(found, inputs.paramsFile, { github, log: host.log });
  const story = withSettings(found.story, found.story.stored, settings);
  const opened = { ...found, story };
  const template = inputs.template === undefined ? undefined : await fetchTemplate(github, inputs.template);
  const links = linksOf(parts);
  const made: ReportParts = {
    github,
    handed,
    inputs,
    links,
    added: inputs.sections.map(sectionOf),
    ...(settings === undefined ? {} : { settings }),
    ...(template && { template }),
    ...(inputs.charts === 'svg' ? { draw: drawTo(github, links) } : {}),
  };
  host.log.info(`${story.pipeline} at ${story.sha}: ${headline(story).words}`);
  await host.summarise(await bodyOf(story, [], made, commentLimit));

  // One that fails must not keep the other from being written; then the step fails with the first, and the log has both.
  const writes = [comment(opened, made, host), check(opened, made, host), issue(opened, made, host)];
  const [, ...others] = (await Promise.allSettled(writes)).filter((result) => result.status === 'rejected');
  for (const { reason } of others) host.log.error(describe(reason));
  await Promise.all(writes);
  if (target) await markReported(target.records, target.stored, host.now());
}

/** What no pull request shows: a scheduled check of a model, or main after a merge. */
async function issue({ story }: Opened, made: ReportParts, host: Host): Promise<void> {
  if (made.inputs.issue === 'never' || story.pullRequest !== undefined) return;
  const kept = await keepIssue(story, made);
  host.setOutput('issue-number', String(kept?.number ?? ''));
  host.setOutput('issue-url', kept?.htmlUrl ?? '');
  host.log.info(kept ? `issue: ${kept.htmlUrl} (${kept.state})` : 'no issue is open, and none is needed');
}

function queued({ sha = '', pipeline = 'default', pullRequest, command }: ReportInputs, { github }: Parts): Promise<CheckRun> {
  return queueCheck(github, { sha, pipeline, pullRequest, command });
}

async function mergeGroup(inputs: ReportInputs, parts: Parts): Promise<CheckRun> {
  const group = readMergeGroup(parts.context);
  const { client, records } = await openRecords(inputs, parts.host);
  const { github } = parts;
  return checkMergeGroup(group, inputs.pipeline ?? 'default', { github, records, namespace: client.namespace, links: linksOf(parts) });
}

function said({ setOutput, log }: Host, { id, name, sha, conclusion }: CheckRun): void {
  setOutput('check-run-id', String(id));
  log.info(`the check "${name}" is on ${sha}${conclusion === null ? '' : `, concluded: ${conclusion}`}`);
}

async function comment({ story, target }: Opened, report: ReportParts, host: Host): Promise<void> {
  if (story.pullRequest === undefined) return;
  const { id, htmlUrl } = target
    ? await keepReport(target, story.pullRequest, report)
    : await writeReport(story, [], story.pullRequest, report);
  host.setOutput('comment-id', String(id));
  host.setOutput('comment-url', htmlUrl);
  host.log.info(`comment: ${htmlUrl}`);
}

async function check({ story, target }: Opened, report: ReportParts, host: Host): Promise<void> {
  if (report.inputs.check === 'none') return;
  const newest = target && (await runsOf(target)).find(({ record }) => record.sha === story.sha);
  if (newest && newest.uid !== target.stored.uid) {
    host.log.info(`the check is left to the newer attempt ${newest.name} of the same commit`);
    return;
  }
  const { id } = await putCheck(story, report);
  host.setOutput('check-run-id', String(id));
}

function linksOf({ context: { serverUrl, owner, repo, runId } }: Parts): ReportParts['links'] {
  const repository = `${serverUrl}/${owner}/${repo}`;
  return { repository, workflow: `${repository}/actions/runs/${runId}` };
}
