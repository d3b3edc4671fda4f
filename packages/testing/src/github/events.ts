import type { Urls } from './http/api.ts';
import { testMerge } from './merging.ts';
import type { Account, Comment, Issue, RepositoryData, Review, Store } from './store.ts';
import { showAccount } from './views/account.ts';
import { showCommit } from './views/commit.ts';
import { showComment, showIssue, showLabel, showPull, showReview, showReviewComment } from './views/issue.ts';
import { showRepository } from './views/repository.ts';

/** What starts a workflow: the payload and the variables that go with it. */
export interface WorkflowEvent {
  name: string;
  payload: Record<string, unknown>;
  /** `GITHUB_SHA` */
  sha: string;
  /** `GITHUB_REF` */
  ref: string;
  /** `GITHUB_HEAD_REF` and `GITHUB_BASE_REF`, for pull requests. */
  headRef?: string;
  baseRef?: string;
  /** `GITHUB_ACTOR` */
  actor: string;
}

const noCommit = '0'.repeat(40);

/**
 * Makes webhook payloads from what is in the store (https://docs.github.com/webhooks/webhook-events-and-payloads), with the SHA and ref
 * that a workflow gets for them (https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows).
 */
export class EventMaker {
  readonly #store: Store;
  readonly #urls: Urls;
  readonly #data: RepositoryData;

  constructor(store: Store, urls: Urls, data: RepositoryData) {
    this.#store = store;
    this.#urls = urls;
    this.#data = data;
  }

  /** SHA and ref are the default branch's, whatever the comment is about. An edit's actor is the editor. */
  issueComment(comment: Comment, change: { action?: 'created' | 'edited' | 'deleted'; by?: string; before?: string } = {}): WorkflowEvent {
    const { action = 'created', by = comment.user.login, before } = change;
    const issue = this.#issue(comment.issue);
    return this.#onDefaultBranch('issue_comment', by, {
      action,
      issue: showIssue(this.#urls, this.#data, issue),
      comment: showComment(this.#urls, this.#data, comment),
      ...(action === 'edited' ? { changes: { body: { from: before ?? '' } } } : {}),
    });
  }

  /** On the test merge of head and base; a pull request with conflicts fires none. */
  pullRequest(number: number, change: PullChange): WorkflowEvent {
    const { payload, issue, by } = this.#pullPayload(number, change);
    const { pull } = issue;
    const merge = pull?.merged?.sha ?? (pull && testMerge(this.#store, this.#data, pull));
    if (!pull || merge === undefined) throw new Error(`#${number} has conflicts: GitHub fires no pull_request for it`);
    const merged = pull.merged !== undefined;
    return {
      name: 'pull_request',
      payload,
      sha: merge,
      ref: merged ? `refs/heads/${pull.base.ref}` : `refs/pull/${number}/merge`,
      headRef: pull.head.ref,
      baseRef: pull.base.ref,
      actor: by,
    };
  }

  /** On the default branch, with its secrets and its workflow file. */
  pullRequestTarget(number: number, change: PullChange): WorkflowEvent {
    const { payload, issue, by } = this.#pullPayload(number, change);
    return {
      ...this.#onDefaultBranch('pull_request_target', by, payload),
      headRef: issue.pull?.head.ref ?? '',
      baseRef: issue.pull?.base.ref ?? '',
    };
  }

  /** On the test merge, as `pull_request`: of a fork without secrets. */
  pullRequestReview(review: Review, action: 'submitted' | 'edited' | 'dismissed' = 'submitted'): WorkflowEvent {
    const event = this.pullRequest(review.issue, { action: 'opened', by: review.user.login });
    const shown = showReview(this.#urls, this.#data, review);
    // The webhook writes the state in lower case, the API in upper.
    const payload = {
      ...this.#reviewPayload(review.issue, review.user.login),
      action,
      review: { ...shown, state: review.state.toLowerCase() },
    };
    return { ...event, name: 'pull_request_review', payload };
  }

  pullRequestReviewComment(comment: Comment, action: 'created' | 'edited' | 'deleted' = 'created'): WorkflowEvent {
    const event = this.pullRequest(comment.issue, { action: 'opened', by: comment.user.login });
    const shown = showReviewComment(this.#urls, this.#data, comment);
    const payload = { ...this.#reviewPayload(comment.issue, comment.user.login), action, comment: shown };
    return { ...event, name: 'pull_request_review_comment', payload };
  }

  push(branch: string, before: string | undefined, by = this.#data.owner.login): WorkflowEvent {
    const { git, refs } = this.#data;
    const ref = `refs/heads/${branch}`;
    const after = refs.get(ref) ?? noCommit;
    const commits = (before === undefined ? git.history(after).slice(0, 1) : git.between(before, after)).toReversed();
    const shown = commits.map((commit) => ({
      id: commit.sha,
      tree_id: commit.tree,
      message: commit.message.trimEnd(),
      timestamp: new Date(commit.committer.date).toISOString(),
      author: { name: commit.author.name, email: commit.author.email },
      url: showCommit(this.#urls, this.#store, this.#data, commit).html_url,
    }));
    const payload = {
      ref,
      before: before ?? noCommit,
      after,
      created: before === undefined,
      deleted: after === noCommit,
      forced: before !== undefined && git.mergeBase(before, after) !== before,
      commits: shown,
      head_commit: shown.at(-1) ?? null,
      pusher: { name: by },
    };
    const event = this.#onDefaultBranch('push', by, payload);
    // Of all events this one alone has these times in seconds.
    const repository = event.payload['repository'] as Record<string, unknown>;
    for (const time of ['created_at', 'pushed_at']) repository[time] = Date.parse(String(repository[time])) / 1000;
    return { ...event, sha: after, ref };
  }

  workflowDispatch(inputs: Record<string, string> = {}, by = this.#data.owner.login, branch = this.#data.defaultBranch): WorkflowEvent {
    const ref = `refs/heads/${branch}`;
    const payload = { inputs, ref, workflow: '.github/workflows/slashtrain.yml' };
    return { ...this.#onDefaultBranch('workflow_dispatch', by, payload), ref, sha: this.#data.refs.get(ref) ?? noCommit };
  }

  /** `action` is what the caller named the event. */
  repositoryDispatch(type: string, clientPayload: Record<string, unknown> = {}, by = this.#data.owner.login): WorkflowEvent {
    const payload = { action: type, branch: this.#data.defaultBranch, client_payload: clientPayload };
    return this.#onDefaultBranch('repository_dispatch', by, payload);
  }

  schedule(schedule: string): WorkflowEvent {
    return this.#onDefaultBranch('schedule', this.#data.owner.login, { schedule });
  }

  mergeGroup(group: { sha: string; ref: string; base: string }, branch = this.#data.defaultBranch): WorkflowEvent {
    const commit = this.#data.git.commits.get(group.sha);
    const payload = {
      action: 'checks_requested',
      merge_group: {
        head_sha: group.sha,
        head_ref: group.ref,
        base_sha: group.base,
        base_ref: `refs/heads/${branch}`,
        head_commit: commit ? { id: commit.sha, tree_id: commit.tree, message: commit.message } : null,
      },
    };
    return { ...this.#onDefaultBranch('merge_group', 'github-merge-queue[bot]', payload), sha: group.sha, ref: group.ref };
  }

  /** With the short form of the pull request, as lists have it. */
  #reviewPayload(number: number, by: string): Record<string, unknown> {
    return { pull_request: showPull(this.#urls, this.#store, this.#data, this.#issue(number), false), ...this.#common(by) };
  }

  #pullPayload(number: number, change: PullChange): { payload: Record<string, unknown>; issue: Issue; by: string } {
    const issue = this.#issue(number);
    const by = change.by ?? issue.user.login;
    const label = change.label === undefined ? undefined : issue.labels.find((one) => one.name === change.label);
    const payload = {
      action: change.action,
      number,
      pull_request: showPull(this.#urls, this.#store, this.#data, issue, true),
      ...(change.action === 'synchronize' ? { before: change.before ?? noCommit, after: issue.pull?.head.sha } : {}),
      ...(label ? { label: showLabel(this.#urls, this.#data, label) } : {}),
      ...this.#common(by),
    };
    return { payload, issue, by };
  }

  #onDefaultBranch(name: string, by: string, payload: Record<string, unknown>): WorkflowEvent {
    const ref = `refs/heads/${this.#data.defaultBranch}`;
    return { name, payload: { ...payload, ...this.#common(by) }, sha: this.#data.refs.get(ref) ?? noCommit, ref, actor: by };
  }

  #common(by: string): Record<string, unknown> {
    const sender: Account = this.#store.account(by, by.endsWith('[bot]') ? 'Bot' : 'User');
    return { repository: showRepository(this.#urls, this.#store, this.#data), sender: showAccount(this.#urls, sender) };
  }

  #issue(number: number): Issue {
    const issue = this.#data.issues.get(number);
    if (!issue) throw new Error(`no #${number}`);
    return issue;
  }
}

export interface PullChange {
  action: 'opened' | 'reopened' | 'synchronize' | 'closed' | 'labeled' | 'unlabeled' | 'edited';
  /** Of `synchronize`: the head before. */
  before?: string;
  /** Of `labeled`. */
  label?: string;
  by?: string;
}
