import type { components } from '@octokit/openapi-types';
import { movedLine } from '../git/patch.ts';
import { repositoryUrl, type Urls } from '../http/api.ts';
import { mergeability } from '../protection.ts';
import {
  fullName,
  type Account,
  type Comment,
  type Issue,
  type Label,
  type Reaction,
  type RepositoryData,
  type Review,
  type ReviewComment,
  type ReviewPlace,
  type Store,
} from '../store.ts';
import { nodeId, showAccount, showApp } from './account.ts';
import { blobAt } from './commit.ts';
import { showRepository, type ShownRepository } from './repository.ts';

type Schemas = components['schemas'];

const contents = ['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes'] as const;

export function showReaction(urls: Urls, reaction: Reaction): Schemas['reaction'] {
  return {
    id: reaction.id,
    node_id: nodeId('Reaction', reaction.id),
    user: showAccount(urls, reaction.user),
    content: contents.find((one) => one === reaction.content) ?? 'eyes',
    created_at: reaction.createdAt,
  };
}

export function showComment(urls: Urls, repository: RepositoryData, comment: Comment): Schemas['issue-comment'] {
  const url = `${repositoryUrl(urls, repository)}/issues`;
  const isPull = repository.issues.get(comment.issue)?.pull !== undefined;
  return {
    url: `${url}/comments/${comment.id}`,
    html_url: `${urls.server}/${fullName(repository)}/${isPull ? 'pull' : 'issues'}/${comment.issue}#issuecomment-${comment.id}`,
    issue_url: `${url}/${comment.issue}`,
    id: comment.id,
    node_id: nodeId('IssueComment', comment.id),
    user: showAccount(urls, comment.user),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    body: comment.body,
    author_association: association(repository, comment.user),
    performed_via_github_app: comment.app ? showApp(urls, comment.app) : null,
    reactions: rollUp(`${url}/comments/${comment.id}/reactions`, comment),
  };
}

/** A comment on lines. */
export function showReviewComment(
  urls: Urls,
  repository: RepositoryData,
  comment: ReviewComment,
): Partial<Schemas['pull-request-review-comment']> {
  const url = `${repositoryUrl(urls, repository)}/pulls`;
  return {
    url: `${url}/comments/${comment.id}`,
    id: comment.id,
    node_id: nodeId('PullRequestReviewComment', comment.id),
    pull_request_url: `${url}/${comment.issue}`,
    html_url: `${urls.server}/${fullName(repository)}/pull/${comment.issue}#discussion_r${comment.id}`,
    user: showAccount(urls, comment.user),
    body: comment.body,
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: association(repository, comment.user),
    reactions: rollUp(`${url}/comments/${comment.id}/reactions`, comment),
    ...(comment.place ? showPlace(repository, comment.issue, comment.place) : {}),
  };
}

/**
 * Where a comment stands now. `line` is null where one of its lines was changed since: it is outdated then
 * (https://docs.github.com/rest/pulls/comments#get-a-review-comment-for-a-pull-request).
 */
function showPlace(repository: RepositoryData, number: number, place: ReviewPlace): Partial<Schemas['pull-request-review-comment']> {
  const { path, commit, line, startLine } = place;
  const head = repository.issues.get(number)?.pull?.head.sha ?? commit;
  const [before, after] = [commit, head].map((sha) => blobAt(repository, sha, path));
  const lines = Array.from({ length: line - (startLine ?? line) + 1 }, (_, index) => movedLine(before, after, (startLine ?? line) + index));
  const isOutdated = lines.includes(undefined);
  // The published description has no null here; GitHub answers with it.
  const shown = (at: number | undefined): number => (isOutdated || at === undefined ? (null as unknown as number) : at);
  return {
    path,
    commit_id: isOutdated ? commit : head,
    original_commit_id: commit,
    line: shown(lines.at(-1)),
    original_line: line,
    start_line: startLine === undefined ? null : shown(lines[0]),
    original_start_line: startLine ?? null,
    side: 'RIGHT',
    start_side: startLine === undefined ? null : 'RIGHT',
    subject_type: 'line',
  };
}

export function showReview(urls: Urls, repository: RepositoryData, review: Review): Schemas['pull-request-review'] {
  const pull = `${repositoryUrl(urls, repository)}/pulls/${review.issue}`;
  const html = `${urls.server}/${fullName(repository)}/pull/${review.issue}#pullrequestreview-${review.id}`;
  return {
    id: review.id,
    node_id: nodeId('PullRequestReview', review.id),
    user: showAccount(urls, review.user),
    body: review.body,
    state: review.state,
    html_url: html,
    pull_request_url: pull,
    submitted_at: review.submittedAt,
    commit_id: review.commit,
    author_association: association(repository, review.user),
    _links: { html: { href: html }, pull_request: { href: pull } },
  };
}

function rollUp(url: string, { reactions }: Comment): Schemas['reaction-rollup'] {
  const count = (content: string): number => reactions.filter((one) => one.content === content).length;
  return {
    url,
    total_count: reactions.length,
    '+1': count('+1'),
    '-1': count('-1'),
    laugh: count('laugh'),
    confused: count('confused'),
    heart: count('heart'),
    hooray: count('hooray'),
    rocket: count('rocket'),
    eyes: count('eyes'),
  };
}

/** What GitHub says of a person beside a comment. It does not show private members: no permission check may rest on it. */
export function association(repository: RepositoryData, account: Account): Schemas['author-association'] {
  if (account.id === repository.owner.id) return 'OWNER';
  const role = repository.roles.get(account.login.toLowerCase());
  return role === undefined || role === 'none' ? 'NONE' : 'COLLABORATOR';
}

export function showLabel(urls: Urls, repository: RepositoryData, label: Label): Schemas['label'] {
  return {
    id: label.id,
    node_id: nodeId('Label', label.id),
    url: `${repositoryUrl(urls, repository)}/labels/${encodeURIComponent(label.name)}`,
    name: label.name,
    description: '',
    color: label.color,
    default: false,
  };
}

type ShownIssue = Partial<Schemas['issue']> & Pick<Schemas['issue'], 'id' | 'number' | 'title' | 'state' | 'user' | 'labels'>;

export function showIssue(urls: Urls, repository: RepositoryData, issue: Issue): ShownIssue {
  const url = `${repositoryUrl(urls, repository)}/issues/${issue.number}`;
  const html = `${urls.server}/${fullName(repository)}`;
  return {
    id: issue.id,
    node_id: nodeId('Issue', issue.id),
    url,
    repository_url: repositoryUrl(urls, repository),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: `${html}/${issue.pull ? 'pull' : 'issues'}/${issue.number}`,
    number: issue.number,
    state: issue.state,
    title: issue.title,
    body: issue.body,
    user: showAccount(urls, issue.user),
    labels: issue.labels.map((label) => showLabel(urls, repository, label)),
    assignee: null,
    assignees: [],
    milestone: null,
    locked: false,
    comments: [...repository.comments.values()].filter((comment) => comment.issue === issue.number).length,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_at: issue.closedAt ?? null,
    author_association: association(repository, issue.user),
    ...(issue.pull
      ? {
          pull_request: {
            url: `${repositoryUrl(urls, repository)}/pulls/${issue.number}`,
            html_url: `${html}/pull/${issue.number}`,
            diff_url: `${html}/pull/${issue.number}.diff`,
            patch_url: `${html}/pull/${issue.number}.patch`,
            merged_at: issue.pull.merged?.at ?? null,
          },
        }
      : {}),
  };
}

type PullSchema = Schemas['pull-request'];
interface Side {
  label: string;
  ref: string;
  sha: string;
  user: Schemas['simple-user'] | null;
  /** Null for a head whose fork is gone, whatever the published schema says. */
  repo: ShownRepository | null;
}
type ShownPull = Partial<Omit<PullSchema, 'head' | 'base'>> & { number: number; state: 'open' | 'closed'; head: Side; base: Side };

/** @param whole `GET pulls/{number}` has more than a list: whether it can be merged */
export function showPull(urls: Urls, store: Store, repository: RepositoryData, issue: Issue, whole: boolean): ShownPull {
  const { pull } = issue;
  if (!pull) throw new Error(`#${issue.number} is no pull request`);
  const url = `${repositoryUrl(urls, repository)}/pulls/${issue.number}`;
  const html = `${urls.server}/${fullName(repository)}/pull/${issue.number}`;
  const side = (from: RepositoryData | undefined, ref: string, sha: string): Side => ({
    label: `${from?.owner.login ?? 'unknown'}:${ref}`,
    ref,
    sha,
    user: from ? showAccount(urls, from.owner) : null,
    repo: from ? showRepository(urls, store, from) : null,
  });
  const state = whole && issue.state === 'open' ? mergeability(repository, issue) : undefined;
  return {
    url,
    id: issue.id,
    node_id: nodeId('PullRequest', issue.id),
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: `${repositoryUrl(urls, repository)}/issues/${issue.number}`,
    comments_url: `${repositoryUrl(urls, repository)}/issues/${issue.number}/comments`,
    commits_url: `${url}/commits`,
    statuses_url: `${repositoryUrl(urls, repository)}/statuses/${pull.head.sha}`,
    number: issue.number,
    state: issue.state,
    locked: false,
    title: issue.title,
    body: issue.body,
    user: showAccount(urls, issue.user),
    labels: issue.labels.map((label) => ({ ...showLabel(urls, repository, label), description: '' })),
    milestone: null,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    auto_merge: null,
    draft: pull.draft,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_at: issue.closedAt ?? null,
    merged_at: pull.merged?.at ?? null,
    merge_commit_sha: pull.merged?.sha ?? null,
    author_association: association(repository, issue.user),
    head: side(store.repositories.get(pull.head.repositoryId), pull.head.ref, pull.head.sha),
    base: side(repository, pull.base.ref, pull.base.sha),
    ...(whole
      ? {
          merged: pull.merged !== undefined,
          merged_by: pull.merged ? showAccount(urls, pull.merged.by) : null,
          mergeable: state?.mergeable ?? null,
          mergeable_state: state?.state ?? 'unknown',
          comments: [...repository.comments.values()].filter((comment) => comment.issue === issue.number).length,
          commits: repository.git.between(pull.base.sha, pull.head.sha).length,
          maintainer_can_modify: false,
        }
      : {}),
  };
}
