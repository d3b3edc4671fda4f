import { latestRuns, mergeability } from '../github/protection.ts';
import {
  fullName,
  type Account,
  type CheckRun,
  type Comment,
  type Deployment,
  type Issue,
  type Pull,
  type Reaction,
  type RepositoryData,
} from '../github/store.ts';
import type { CommitObject } from '../github/git/objects.ts';
import { deploymentSign } from './deployments.ts';
import { each, markup, nothing, raw, shortSha, time, type Markup } from './markup.ts';
import { layout } from './layout.ts';
import { renderMarkdown } from './markdown.ts';
import { avatar, person } from './person.ts';
import { reviewComment } from './review-comment.ts';
import { pullState } from './repository-page.ts';
import { sign, statusSign, summaryTone, wordsOf } from './status.ts';

const faces: Record<string, string> = {
  '+1': '👍',
  '-1': '👎',
  laugh: '😄',
  hooray: '🎉',
  confused: '😕',
  heart: '❤️',
  rocket: '🚀',
  eyes: '👀',
};

/** A pull request: what was said and done in order, then what a merge waits for. */
export function pullPage(repository: RepositoryData, issue: Issue, live: boolean): Markup {
  const name = fullName(repository);
  const { pull } = issue;
  if (!pull) throw new Error(`#${issue.number} is no pull request`);
  const body = markup`<div class="heading">
      <h1>${issue.title} <span class="muted">#${issue.number}</span></h1>
      <p>
        ${pullState(repository, issue)} ${person(issue.user)} ${pull.merged ? 'merged' : 'wants to merge'}
        <code>${pull.head.ref}</code> into <code>${pull.base.ref}</code>
      </p>
    </div>
    <div class="timeline">
      ${bubble(issue.user, issue.createdAt, issue.body || '_No description provided._')}
      ${timeline(repository, issue).map(({ show }) => show)}
    </div>
    ${mergeBox(repository, issue, pull)}`;
  return layout({
    title: `${issue.title} · #${issue.number} · ${name}`,
    path: [{ name: 'Repositories', to: '/' }, { name, to: `/${name}` }, { name: `#${issue.number}` }],
    body,
    live,
  });
}

interface Happening {
  at: string;
  /** Of two at the same second, the smaller one was first. */
  order: number;
  show: Markup;
}

function timeline(repository: RepositoryData, issue: Issue): Happening[] {
  const { pull } = issue;
  const commits = pull ? repository.git.between(pull.base.sha, pull.head.sha) : [];
  const comments = [...repository.comments.values()].filter((comment) => comment.issue === issue.number);
  const all: Happening[] = [
    ...commits.map((commit) => pushed(repository, pull, commit)),
    ...[...repository.deployments.values()]
      .filter(({ sha }) => commits.some((commit) => commit.sha === sha))
      .map((deployment) => deployed(repository, deployment)),
    ...comments.map((comment) => ({
      at: comment.createdAt,
      order: comment.id,
      show: bubble(comment.user, comment.createdAt, comment.body, comment),
    })),
  ];
  if (pull) {
    const reviews = [...repository.reviewComments.values()].filter((comment) => comment.issue === issue.number);
    for (const comment of reviews)
      all.push({ at: comment.createdAt, order: comment.id, show: reviewComment(repository, comment, pull.head.sha) });
  }
  if (pull?.merged) {
    const { at, by, sha } = pull.merged;
    all.push({
      at,
      order: Infinity,
      show: event('merged', markup`${person(by)} merged this as ${commitLink(repository, sha)} ${time(at)}`),
    });
  } else if (issue.state === 'closed' && issue.closedAt !== undefined) {
    all.push({ at: issue.closedAt, order: Infinity, show: event('closed', markup`closed ${time(issue.closedAt)}`) });
  }
  return all.sort((a, b) => (a.at === b.at ? a.order - b.order : a.at < b.at ? -1 : 1));
}

/** A commit stands where it was pushed: its own date is the client's word. */
function pushed(repository: RepositoryData, pull: Pull | undefined, commit: CommitObject): Happening {
  const push = repository.activity.find(({ after, ref }) => after === commit.sha && ref === `refs/heads/${pull?.head.ref}`);
  const checks = latestRuns(repository, commit.sha);
  const [subject = ''] = commit.message.split('\n', 1);
  return {
    at: push?.at ?? new Date(commit.committer.date).toISOString().replace(/\.\d+Z$/u, 'Z'),
    order: push?.id ?? 0,
    show: event(
      'commit',
      markup`<span class="grow">${subject}</span> ${checks.length > 0 ? sign(summaryTone(checks), `${checks.length} checks`) : nothing}
        ${commitLink(repository, commit.sha)}`,
    ),
  };
}

/** As GitHub shows it: at the commit that was deployed, with how it stands by now. */
function deployed(repository: RepositoryData, deployment: Deployment): Happening {
  const { creator, environment, sha, createdAt, id } = deployment;
  const latest = deployment.statuses.at(-1);
  return {
    at: createdAt,
    order: id,
    show: event(
      'deployed',
      markup`${deploymentSign(deployment)}
        <span class="grow"
          >${person(creator)} deployed to <a href="/${fullName(repository)}/deployments"><strong>${environment}</strong></a>
          <span class="muted">${latest?.description ?? deployment.description}</span></span
        >
        ${commitLink(repository, sha)}`,
    ),
  };
}

function event(kind: string, content: Markup): Markup {
  return markup`<div class="event ${kind}">${content}</div>`;
}

function commitLink(repository: RepositoryData, sha: string): Markup {
  return markup`<a class="sha" href="/${fullName(repository)}/commit/${sha}">${shortSha(sha)}</a>`;
}

function bubble(user: Account, at: string, text: string, comment?: Comment): Markup {
  return markup`<article class="bubble" ${comment ? markup` id="issuecomment-${comment.id}"` : ''}>
    ${avatar(user)}
    <div class="box">
      <header>
        ${person(user)}
        ${time(at)}${comment && comment.updatedAt !== comment.createdAt ? markup` <span class="muted">edited ${time(comment.updatedAt)}</span>` : ''}
      </header>
      <div class="markdown-body">${raw(renderMarkdown(text))}</div>
      ${comment && comment.reactions.length > 0 ? reactions(comment.reactions) : nothing}
    </div>
  </article>`;
}

function reactions(all: readonly Reaction[]): Markup {
  const kinds = [...new Set(all.map(({ content }) => content))];
  return markup`<footer class="reactions">
    ${kinds.map((kind) => {
      const of = all.filter(({ content }) => content === kind);
      return markup`<span class="reaction" title="${of.map(({ user }) => user.login).join(', ')}"
        ><span aria-label="${kind}">${faces[kind] ?? kind}</span> ${of.length}</span
      >`;
    })}
  </footer>`;
}

/** The checks of the head and whether they let it pass. */
function mergeBox(repository: RepositoryData, issue: Issue, pull: Pull): Markup {
  if (issue.state === 'closed') return nothing;
  const { allowed, reasons } = mergeability(repository, issue);
  const required = repository.protection.get(pull.base.ref)?.requiredChecks.map(({ context }) => context) ?? [];
  const checks = latestRuns(repository, pull.head.sha).toReversed();
  const missing = required.filter((context) => !checks.some((check) => check.name === context));
  return markup`<section class="box merge ${allowed ? 'allowed' : 'blocked'}" aria-label="Merge">
    <ul class="rows">
      ${each(checks, (check) => checkRow(repository, check, required))}${each(
        missing,
        (context) =>
          markup`<li>
            ${sign('pending', 'expected')}<span class="grow"
              ><strong>${context}</strong> <span class="muted">Expected: waiting for it to be reported</span></span
            ><span class="tag">Required</span>
          </li>`,
      )}
    </ul>
    <div class="verdict">
      ${allowed ? sign('good', 'allowed') : sign('bad', 'blocked')}
      <div>
        <strong>${allowed ? 'This pull request can be merged' : 'Merging is blocked'}</strong>
        ${each(reasons, (reason) => markup`<p class="muted">${reason}</p>`)}
      </div>
    </div>
  </section>`;
}

function checkRow(repository: RepositoryData, check: CheckRun, required: readonly string[]): Markup {
  return markup`<li>
    ${statusSign(check)}
    <span class="grow"
      ><a href="/${fullName(repository)}/runs/${check.id}"><strong>${check.name}</strong></a>
      <span class="muted">${check.output.title ?? wordsOf(check.status, check.conclusion)}</span></span
    >
    ${required.includes(check.name) ? markup`<span class="tag">Required</span>` : nothing}
  </li>`;
}
