import { movedLine } from '../github/git/patch.ts';
import type { RepositoryData, ReviewComment } from '../github/store.ts';
import { blobAt } from '../github/views/commit.ts';
import { markup, nothing, raw, time, type Markup } from './markup.ts';
import { renderMarkdown } from './markdown.ts';
import { avatar, person } from './person.ts';

const context = 3;

/**
 * A comment on lines of a file, with them and those before, and a suggestion as what it changes
 * (https://docs.github.com/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/commenting-on-a-pull-request).
 * @param head the pull request's: where one of the lines was changed since, the comment is outdated
 */
export function reviewComment(repository: RepositoryData, comment: ReviewComment, head: string): Markup {
  const { place, user, createdAt, updatedAt, body, id } = comment;
  const blob = place && blobAt(repository, place.commit, place.path);
  const lines = blob?.toString('utf8').replace(/\n$/u, '').split('\n') ?? [];
  const [first, last] = place ? [place.startLine ?? place.line, place.line] : [1, 0];
  const now = place && blobAt(repository, head, place.path);
  const isOutdated = place && lines.slice(first - 1, last).some((_, index) => movedLine(blob, now, first + index) === undefined);
  return markup`<article class="bubble" id="discussion_r${id}">
    ${avatar(user)}
    <div class="box">
      <header>
        ${person(user)} on ${place ? markup`<code>${place.path}</code> ${first === last ? `line ${last}` : `lines ${first} to ${last}`}` : 'the changes'}
        ${time(createdAt)}${updatedAt === createdAt ? '' : markup` <span class="muted">edited ${time(updatedAt)}</span>`}
        ${isOutdated ? markup` <span class="tag">Outdated</span>` : nothing}
      </header>
      ${place ? excerpt(lines, first, last) : nothing}
      <div class="markdown-body">${raw(renderMarkdown(body, lines.slice(first - 1, last)))}</div>
    </div>
  </article>`;
}

function excerpt(lines: readonly string[], first: number, last: number): Markup {
  const from = Math.max(1, first - context);
  return markup`<pre class="excerpt">${lines
    .slice(from - 1, last)
    .map(
      (line, index) =>
        markup`<span class="line${from + index >= first ? ' chosen' : ''}"><span class="number">${from + index}</span>${line}</span>`,
    )}</pre>`;
}
