import { mergeability } from '../github/protection.ts';
import { latestRuns } from '../github/protection.ts';
import { fullName, type Issue, type RepositoryData } from '../github/store.ts';
import type { WorkflowRun } from '../runner/result.ts';
import { deploymentList } from './deployments.ts';
import { each, markup, nothing, shortSha, time, type Markup } from './markup.ts';
import { layout } from './layout.ts';
import { sign, statusSign, summaryTone } from './status.ts';

/** All repositories, or one of them: its pull requests, workflow runs and deployments. */
export function repositoryPage(repositories: readonly RepositoryData[], runs: readonly WorkflowRun[], single: boolean): Markup {
  const [first] = repositories;
  const title = single && first ? fullName(first) : 'Repositories';
  const path = single ? [{ name: 'Repositories', to: '/' }, { name: title }] : [{ name: title }];
  const body = markup`${each(
    repositories,
    (repository) =>
      markup`<h1>${single ? fullName(repository) : markup`<a href="/${fullName(repository)}">${fullName(repository)}</a>`}</h1>
        ${pulls(repository)}
        <h2>Workflow runs</h2>
        ${runList(fullName(repository), runs)}
        ${
          repository.deployments.size > 0
            ? markup`<h2>Deployments</h2>
                ${deploymentList(repository)}`
            : nothing
        }`,
    markup`<p class="blank">There is no repository yet.</p>`,
  )}`;
  return layout({ title, path, body, live: runs.some((run) => run.status !== 'completed') });
}

function pulls(repository: RepositoryData): Markup {
  const all = [...repository.issues.values()].filter((issue) => issue.pull).toReversed();
  return markup`<h2>Pull requests</h2>
    <ul class="box rows">
      ${each(all, (issue) => pullRow(repository, issue), markup`<li class="blank">No pull request yet.</li>`)}
    </ul>`;
}

function pullRow(repository: RepositoryData, issue: Issue): Markup {
  const sha = issue.pull?.head.sha ?? '';
  const checks = latestRuns(repository, sha);
  const tone = summaryTone(checks);
  return markup`<li>
    <span class="grow"
      ><a class="title" href="/${fullName(repository)}/pull/${issue.number}">${issue.title}</a>
      <span class="muted">#${issue.number} by ${issue.user.login}, ${time(issue.createdAt)}</span></span
    >
    ${checks.length > 0 ? sign(tone, `${checks.length} checks`) : nothing} ${pullState(repository, issue)}
  </li>`;
}

/** open, merged or closed; and whether an open one may be merged. */
export function pullState(repository: RepositoryData, issue: Issue): Markup {
  if (issue.pull?.merged) return markup`<span class="state merged">Merged</span>`;
  if (issue.state === 'closed') return markup`<span class="state closed">Closed</span>`;
  return mergeability(repository, issue).allowed
    ? markup`<span class="state open">Open</span>`
    : markup`<span class="state open">Open</span> <span class="state blocked">Blocked</span>`;
}

/** Workflow runs, newest first. */
export function runList(repository: string, runs: readonly WorkflowRun[]): Markup {
  return markup`<ul class="box rows">
    ${each(
      runs.toReversed(),
      (run) =>
        markup`<li>
          ${statusSign(run)}
          <span class="grow"
            ><a class="title" href="/${repository}/actions/runs/${run.id}">${run.title}</a>
            <span class="muted"
              >${run.workflow} #${run.number} by ${run.event}, ${run.actor}, on ${run.ref.replace(/^refs\/heads\//u, '')}
              ${shortSha(run.sha)}</span
            ></span
          >
          <span class="muted">${time(run.startedAt)}</span>
        </li>`,
      markup`<li class="blank">Nothing has run yet.</li>`,
    )}
  </ul>`;
}
