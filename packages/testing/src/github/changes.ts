import { validationFailed } from './http/refusal.ts';
import type {
  Account,
  App,
  CheckAnnotation,
  CheckRun,
  Comment,
  Issue,
  Label,
  Pull,
  Reaction,
  RepositoryData,
  Review,
  ReviewComment,
  ReviewPlace,
  Store,
} from './store.ts';

/* What routes and the handles of tests both do to the store. */

/** The longest body of an issue or comment, in characters. */
const bodyLimit = 65_536;

/** As Ruby counts them: code points. */
export function characters(text: string): number {
  return Array.from(text).length;
}

/** https://github.com/reg-viz/reg-actions/issues/123 has GitHub's answer. */
export function checkBody(resource: 'Issue' | 'IssueComment' | 'PullRequestReviewComment', body: string): void {
  if (characters(body) <= bodyLimit) return;
  throw resource === 'Issue'
    ? validationFailed({ resource, code: 'custom', field: 'body', message: `body is too long (maximum is ${bodyLimit} characters)` })
    : validationFailed({
        resource,
        code: 'unprocessable',
        field: 'data',
        message: `Body is too long (maximum is ${bodyLimit} characters)`,
      });
}

export function addIssue(
  store: Store,
  repository: RepositoryData,
  issue: { title: string; body?: string; user: Account; pull?: Pull },
): Issue {
  const number = Math.max(0, ...repository.issues.keys()) + 1;
  const made: Issue = {
    id: store.nextId(),
    number,
    title: issue.title,
    body: issue.body ?? '',
    user: issue.user,
    state: 'open',
    labels: [],
    createdAt: store.time(),
    updatedAt: store.time(),
    closedAt: undefined,
    ...(issue.pull ? { pull: issue.pull } : {}),
  };
  repository.issues.set(number, made);
  return made;
}

function newComment(store: Store, issue: number, user: Account, body: string, app?: App): Comment {
  return { id: store.nextId(), issue, user, app, body, createdAt: store.time(), updatedAt: store.time(), reactions: [] };
}

/** Adds to a conversation. */
export function addComment(store: Store, repository: RepositoryData, issue: number, user: Account, body: string, app?: App): Comment {
  const comment = newComment(store, issue, user, body, app);
  repository.comments.set(comment.id, comment);
  return comment;
}

/** Adds on a line of a pull request. */
export function addReviewComment(
  store: Store,
  repository: RepositoryData,
  issue: number,
  user: Account,
  body: string,
  more: { app?: App; place?: ReviewPlace } = {},
): ReviewComment {
  const { app, place } = more;
  const comment = { ...newComment(store, issue, user, body, app), ...(place && { place }) };
  repository.reviewComments.set(comment.id, comment);
  return comment;
}

export function addReview(store: Store, repository: RepositoryData, review: Omit<Review, 'id' | 'submittedAt'>): Review {
  const made = { ...review, id: store.nextId(), submittedAt: store.time() };
  repository.reviews.set(made.id, made);
  return made;
}

export function addReaction(store: Store, comment: Comment, user: Account, content: string): { reaction: Reaction; isNew: boolean } {
  const known = comment.reactions.find((one) => one.user.id === user.id && one.content === content);
  if (known) return { reaction: known, isNew: false };
  const reaction = { id: store.nextId(), user, content, createdAt: store.time() };
  comment.reactions.push(reaction);
  return { reaction, isNew: true };
}

/** The label of that name, made where there is none. */
export function addLabel(store: Store, repository: RepositoryData, name: string): Label {
  const known = repository.labels.get(name.toLowerCase());
  if (known) return known;
  const label = { id: store.nextId(), name, color: 'ededed' };
  repository.labels.set(name.toLowerCase(), label);
  return label;
}

export interface NewCheckRun {
  name: string;
  headSha: string;
  app: App;
  externalId?: string;
  status?: CheckRun['status'];
  conclusion?: CheckRun['conclusion'];
  startedAt?: string;
  output?: { title?: string; summary?: string; text?: string };
  annotations?: readonly CheckAnnotation[];
  isJob?: boolean;
  /** Of a job: the page of its run. */
  detailsUrl?: string;
}

export function addCheckRun(store: Store, repository: RepositoryData, check: NewCheckRun): CheckRun {
  let suite = [...repository.checkSuites.values()].find((one) => one.headSha === check.headSha && one.app.id === check.app.id);
  if (!suite) {
    suite = { id: store.nextId(), headSha: check.headSha, app: check.app };
    repository.checkSuites.set(suite.id, suite);
  }
  const status = check.conclusion === undefined ? (check.status ?? 'queued') : 'completed';
  const run: CheckRun = {
    id: store.nextId(),
    suiteId: suite.id,
    name: check.name,
    headSha: check.headSha,
    externalId: check.externalId ?? '',
    detailsUrl: check.detailsUrl ?? '',
    status,
    conclusion: check.conclusion,
    startedAt: check.startedAt ?? store.time(),
    completedAt: status === 'completed' ? store.time() : undefined,
    output: { title: check.output?.title, summary: check.output?.summary, text: check.output?.text },
    annotations: [...(check.annotations ?? [])],
    app: check.app,
    isJob: check.isJob ?? false,
  };
  repository.checkRuns.set(run.id, run);
  return run;
}

const noCommit = '0'.repeat(40);

/**
 * Moves a branch, as a push does: notes it in the activity, and gives open pull requests from that branch their new head.
 * @param sha undefined deletes it
 * @returns the pull requests that were moved
 */
export function moveBranch(
  store: Store,
  repository: RepositoryData,
  branch: string,
  sha: string | undefined,
  by: Account,
  type?: 'pr_merge' | 'merge_queue_merge',
): Issue[] {
  const ref = `refs/heads/${branch}`;
  const before = repository.refs.get(ref);
  if (before === sha) return [];
  const forced = before !== undefined && sha !== undefined && repository.git.mergeBase(before, sha) !== before;
  if (sha === undefined) repository.refs.delete(ref);
  else repository.refs.set(ref, sha);
  repository.activity.push({
    id: store.nextId(),
    before: before ?? noCommit,
    after: sha ?? noCommit,
    ref,
    at: store.time(),
    type: type ?? (sha === undefined ? 'branch_deletion' : before === undefined ? 'branch_creation' : forced ? 'force_push' : 'push'),
    actor: by,
  });
  if (sha === undefined) return [];
  const moved: Issue[] = [];
  for (const other of store.repositories.values()) {
    for (const issue of other.issues.values()) {
      const { pull, state } = issue;
      if (state !== 'open' || !pull || pull.head.repositoryId !== repository.id || pull.head.ref !== branch) continue;
      pull.head.sha = sha;
      issue.updatedAt = store.time();
      other.refs.set(`refs/pull/${issue.number}/head`, sha);
      moved.push(issue);
    }
  }
  return moved;
}
