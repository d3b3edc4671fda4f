import { describe } from '@slashtrain/core/action/errors';
import type { Log } from '@slashtrain/core/action/log';
import { correctComment, keepComment, markerOf } from '@slashtrain/core/github/comments';
import type { GitHub } from '@slashtrain/core/github/client';
import { addReaction, type ReactionContent } from '@slashtrain/core/github/reactions';
import type { Ask } from './ask.ts';

/**
 * What the person sees below the comment: a reaction, and at most one reply, found again by its marker. What cannot be
 * written is said in the log: a reaction that fails must not keep a command from running, nor hide why one was refused.
 */
export class Replies {
  readonly #github: GitHub;
  readonly #ask: Ask;
  readonly #log: Log;

  constructor(github: GitHub, ask: Ask, log: Log) {
    this.#github = github;
    this.#ask = ask;
    this.#log = log;
  }

  /** The pull request, where somebody wrote or did something there that has an answer. */
  get #place(): number | undefined {
    return this.#ask.id !== undefined || this.#ask.via === 'label' ? this.#ask.pullRequest : undefined;
  }

  async react(content: ReactionContent): Promise<void> {
    const { id, via } = this.#ask;
    await this.#try('the reaction', async () => {
      if (id === undefined) return;
      if (via === 'comment') await addReaction(this.#github, id, content);
      // Reviews take no reactions.
      if (via === 'review-comment') {
        await this.#github.rest.reactions.createForPullRequestReviewComment({ ...this.#github.at, comment_id: id, content });
      }
    });
  }

  /** Writes the one reply to this comment, or the next text into it. */
  async say(markdown: string): Promise<void> {
    await this.#try('the reply', async () => {
      if (this.#place !== undefined) await keepComment(this.#github, this.#place, this.#marker(), markdown);
    });
  }

  /** Changes a reply that an earlier attempt left; writes none where there is none. */
  async correct(markdown: string): Promise<void> {
    await this.#try('the reply', async () => {
      if (this.#place !== undefined) await correctComment(this.#github, this.#place, this.#marker(), markdown);
    });
  }

  #marker(): string {
    const { via, id } = this.#ask;
    return id === undefined ? markerOf('reply', via) : markerOf('reply', via, String(id));
  }

  async #try(what: string, write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#log.warning(`${what} could not be written: ${describe(error)}`);
    }
  }
}
