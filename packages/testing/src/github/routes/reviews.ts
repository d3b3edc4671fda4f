import { addReviewComment, checkBody } from '../changes.ts';
import { shownLines } from '../git/patch.ts';
import { numberParam, page, param, type RepositoryCall, type Routes } from '../http/api.ts';
import { oneOf, requiredCount, requiredText, text, type Body } from '../http/fields.ts';
import { notFound, Refusal, validationFailed, type ValidationError } from '../http/refusal.ts';
import type { Pull, ReviewComment, ReviewPlace } from '../store.ts';
import { blobAt } from '../views/commit.ts';
import { showReview, showReviewComment } from '../views/issue.ts';
import { reactionRoutes } from './comments.ts';
import { issueAt } from './issues.ts';
import { pullAt } from './pulls.ts';

const reading = ['pull_requests=read'] as const;
const writing = ['pull_requests=write'] as const;

export function reviewRoutes(routes: Routes): void {
  routes.repository('GET', '/pulls/:number/reviews', reading, 'pulls/reviews#list-reviews-for-a-pull-request', (call) => {
    const { number } = issueAt(call);
    const items = [...call.repository.reviews.values()].filter((review) => review.issue === number);
    return page(call, items, (review) => showReview(call.urls, call.repository, review));
  });

  routes.repository('GET', '/pulls/comments/:id', reading, 'pulls/comments#get-a-review-comment-for-a-pull-request', (call) => ({
    status: 200,
    json: showReviewComment(call.urls, call.repository, commentAt(call)),
  }));

  // Ascending by id: https://docs.github.com/rest/pulls/comments#list-review-comments-on-a-pull-request
  routes.repository('GET', '/pulls/:number/comments', reading, 'pulls/comments#list-review-comments-on-a-pull-request', (call) => {
    const { number } = pullAt(call);
    const items = [...call.repository.reviewComments.values()].filter((comment) => comment.issue === number);
    return page(call, items, (comment) => showReviewComment(call.urls, call.repository, comment));
  });

  routes.repository('POST', '/pulls/:number/comments', writing, 'pulls/comments#create-a-review-comment-for-a-pull-request', (call) => {
    const { number, pull } = pullAt(call);
    const body = bodyOf(call.body);
    const place = placeOf(call, pull);
    const comment = addReviewComment(call.store, call.repository, number, call.token.app.bot, body, { app: call.token.app, place });
    return { status: 201, json: showReviewComment(call.urls, call.repository, comment) };
  });

  routes.repository('PATCH', '/pulls/comments/:id', writing, 'pulls/comments#update-a-review-comment-for-a-pull-request', (call) => {
    const comment = commentAt(call);
    comment.body = bodyOf(call.body);
    comment.updatedAt = call.store.time();
    return { status: 200, json: showReviewComment(call.urls, call.repository, comment) };
  });

  routes.repository('DELETE', '/pulls/comments/:id', writing, 'pulls/comments#delete-a-review-comment-for-a-pull-request', (call) => {
    call.repository.reviewComments.delete(commentAt(call).id);
    return { status: 204 };
  });

  const documentation = 'reactions/reactions#list-reactions-for-a-pull-request-review-comment';
  reactionRoutes(routes, '/pulls/comments/:id/reactions', reading, writing, documentation, commentAt);

  // A GITHUB_TOKEN knows no teams: it takes an App's or a person's token with members: read of the organisation.
  routes.add('GET', '/orgs/:org/teams/:slug/memberships/:username', 'teams/members#get-team-membership-for-a-user', (call) => {
    if (!call.token.permissions.has('members')) {
      throw new Refusal(403, 'Resource not accessible by integration', { headers: { 'x-accepted-github-permissions': 'members=read' } });
    }
    const [org, slug, username] = [param(call, 'org'), param(call, 'slug'), param(call, 'username')];
    if (!call.store.teams.get(`${org}/${slug}`.toLowerCase())?.has(username.toLowerCase())) throw notFound();
    return { status: 200, json: { url: call.address, role: 'member', state: 'active' } };
  });
}

function commentAt(call: RepositoryCall): ReviewComment {
  const comment = call.repository.reviewComments.get(numberParam(call, 'id'));
  if (!comment) throw notFound();
  return comment;
}

function bodyOf(fields: Body): string {
  const body = requiredText(fields, 'body');
  if (body.trim() === '') throw invalid({ code: 'missing_field', field: 'body' });
  checkBody('PullRequestReviewComment', body);
  return body;
}

function invalid(...errors: Omit<ValidationError, 'resource'>[]): Refusal {
  return validationFailed(...errors.map((error) => ({ resource: 'PullRequestReviewComment', ...error })));
}

function notTaken(field: string, message: string): Omit<ValidationError, 'resource'> {
  return { code: 'custom', field, message: `${field} ${message}` };
}

/**
 * Lines of the new side that the pull request's diff shows. GitHub's words are those of
 * https://github.com/octokit/octokit.rb/pull/1131 for a commit that is not the pull request's,
 * https://github.com/prontolabs/pronto/issues/411 for a file that it does not change,
 * https://github.com/parkerbxyz/suggest-changes/issues/28 for a line outside of the diff or its hunk,
 * https://github.com/ubuntu/WSL/pull/244 for a first line that is not before the last.
 */
function placeOf(call: RepositoryCall, pull: Pull): ReviewPlace {
  const { repository, body } = call;
  for (const other of ['position', 'in_reply_to', 'subject_type']) {
    if (body[other] !== undefined) throw new Refusal(501, `This GitHub does not know "${other}" of a review comment`);
  }
  const [commit, path] = [requiredText(body, 'commit_id'), requiredText(body, 'path')];
  const line = requiredCount(body, 'line');
  const startLine = body['start_line'] === undefined ? undefined : requiredCount(body, 'start_line');
  for (const side of ['side', 'start_side']) {
    if ((oneOf(body, side, ['LEFT', 'RIGHT', 'side'] as const) ?? 'RIGHT') !== 'RIGHT')
      throw new Refusal(501, `This GitHub knows no "${side}" but RIGHT: ${text(body, side) ?? ''}`);
  }
  if (!repository.git.between(pull.base.sha, pull.head.sha).some(({ sha }) => sha === commit))
    throw invalid(notTaken('end_commit_oid', 'is not part of the pull request'));
  const base = repository.git.mergeBase(pull.base.sha, commit);
  const [before, after] = [blobAt(repository, base, path), blobAt(repository, commit, path)];
  const hunks = shownLines(before, after);
  const noHunk = { code: 'missing_field', field: 'pull_request_review_thread.diff_hunk' } as const;
  if (hunks.length === 0) throw invalid({ code: 'invalid', field: 'pull_request_review_thread.path' }, noHunk);
  const hunk = hunks.find((shown) => shown.has(line));
  if (!hunk) throw invalid(notTaken('pull_request_review_thread.line', 'must be part of the diff'), noHunk);
  if (startLine !== undefined && startLine >= line)
    throw invalid(notTaken('pull_request_review_thread.start_line', 'must precede the end line.'));
  if (startLine !== undefined && !hunk.has(startLine))
    throw invalid(notTaken('pull_request_review_thread.start_line', 'must be part of the same hunk as the line.'));
  return { path, commit, line, startLine };
}
