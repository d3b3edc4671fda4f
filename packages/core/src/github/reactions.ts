import type { GitHub } from './client.ts';

export type ReactionContent = '+1' | '-1' | 'laugh' | 'confused' | 'heart' | 'hooray' | 'rocket' | 'eyes';

/** Adds our reaction to a comment. The same one a second time changes nothing. */
export async function addReaction(github: GitHub, commentId: number, content: ReactionContent): Promise<void> {
  await github.rest.reactions.createForIssueComment({ ...github.at, comment_id: commentId, content });
}

export interface Reaction {
  id: number;
  content: string;
  /** Absent where the account is gone. */
  author?: { id: number; login: string; type: string };
}

/** All reactions to a comment, however many pages there are. */
export async function listReactions(github: GitHub, commentId: number, content?: ReactionContent): Promise<Reaction[]> {
  const all = await github.paginate(github.rest.reactions.listForIssueComment, {
    ...github.at,
    comment_id: commentId,
    per_page: 100,
    ...(content === undefined ? {} : { content }),
  });
  return all.map(({ id, content: name, user }) => ({
    id,
    content: name,
    ...(user ? { author: { id: user.id, login: user.login, type: user.type } } : {}),
  }));
}
