import { numberParam, page, type Need, type RepositoryCall, type Routes } from '../http/api.ts';
import { oneOf, text } from '../http/fields.ts';
import { notFound, validationFailed } from '../http/refusal.ts';
import { addComment, addReaction, checkBody } from '../changes.ts';
import type { Comment } from '../store.ts';
import { showComment, showReaction } from '../views/issue.ts';
import { issueAt } from './issues.ts';

const reading = ['issues=read', 'pull_requests=read'] as const;
const writing = ['issues=write', 'pull_requests=write'] as const;

export function commentRoutes(routes: Routes): void {
  // Ascending by id: https://docs.github.com/rest/issues/comments#list-issue-comments
  routes.repository('GET', '/issues/:number/comments', reading, 'issues/comments#list-issue-comments', (call) => {
    const issue = issueAt(call);
    const items = [...call.repository.comments.values()].filter((comment) => comment.issue === issue.number);
    return page(call, items, (comment) => showComment(call.urls, call.repository, comment));
  });

  routes.repository('POST', '/issues/:number/comments', writing, 'issues/comments#create-an-issue-comment', (call) => {
    const issue = issueAt(call);
    const body = bodyOf(call);
    const comment = addComment(call.store, call.repository, issue.number, call.token.app.bot, body, call.token.app);
    return {
      status: 201,
      json: showComment(call.urls, call.repository, comment),
      headers: { location: `${call.address.replace(/\/\d+\/comments$/u, '')}/comments/${comment.id}` },
    };
  });

  routes.repository('GET', '/issues/comments/:id', reading, 'issues/comments#get-an-issue-comment', (call) => ({
    status: 200,
    json: showComment(call.urls, call.repository, commentAt(call)),
  }));

  routes.repository('PATCH', '/issues/comments/:id', writing, 'issues/comments#update-an-issue-comment', (call) => {
    const comment = commentAt(call);
    comment.body = bodyOf(call);
    comment.updatedAt = call.store.time();
    return { status: 200, json: showComment(call.urls, call.repository, comment) };
  });

  routes.repository('DELETE', '/issues/comments/:id', writing, 'issues/comments#delete-an-issue-comment', (call) => {
    call.repository.comments.delete(commentAt(call).id);
    return { status: 204 };
  });

  reactionRoutes(
    routes,
    '/issues/comments/:id/reactions',
    reading,
    writing,
    'reactions/reactions#list-reactions-for-an-issue-comment',
    commentAt,
  );
}

/** The reactions of a kind of comments. */
export function reactionRoutes(
  routes: Routes,
  path: string,
  reads: readonly Need[],
  writes: readonly Need[],
  documentation: string,
  commentOf: (call: RepositoryCall) => Comment,
): void {
  routes.repository('GET', path, reads, documentation, (call) => {
    const content = call.query.get('content');
    const items = commentOf(call).reactions.filter((one) => content === null || one.content === content);
    return page(call, items, (one) => showReaction(call.urls, one));
  });

  // 200 where it was there already: https://docs.github.com/rest/reactions/reactions#create-reaction-for-an-issue-comment
  routes.repository('POST', path, writes, documentation, (call) => {
    const content = oneOf(call.body, 'content', ['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes'] as const);
    if (content === undefined) throw validationFailed({ resource: 'Reaction', code: 'missing_field', field: 'content' });
    const { reaction, isNew } = addReaction(call.store, commentOf(call), call.token.app.bot, content);
    return { status: isNew ? 201 : 200, json: showReaction(call.urls, reaction) };
  });

  routes.repository('DELETE', `${path}/:reaction`, writes, documentation, (call) => {
    const comment = commentOf(call);
    const id = numberParam(call, 'reaction');
    if (!comment.reactions.some((one) => one.id === id)) throw notFound();
    comment.reactions = comment.reactions.filter((one) => one.id !== id);
    return { status: 204 };
  });
}

function commentAt(call: RepositoryCall): Comment {
  const comment = call.repository.comments.get(numberParam(call, 'id'));
  if (!comment) throw notFound();
  return comment;
}

function bodyOf(call: RepositoryCall): string {
  const body = text(call.body, 'body') ?? '';
  if (body.trim() === '') throw validationFailed({ resource: 'IssueComment', code: 'missing_field', field: 'body' });
  checkBody('IssueComment', body);
  return body;
}
