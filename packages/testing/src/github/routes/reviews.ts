import { numberParam, page, param, type RepositoryCall, type Routes } from '../http/api.ts';
import { notFound, Refusal } from '../http/refusal.ts';
import type { Comment } from '../store.ts';
import { showReview, showReviewComment } from '../views/issue.ts';
import { reactionRoutes } from './comments.ts';
import { issueAt } from './issues.ts';

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

function commentAt(call: RepositoryCall): Comment {
  const comment = call.repository.reviewComments.get(numberParam(call, 'id'));
  if (!comment) throw notFound();
  return comment;
}
