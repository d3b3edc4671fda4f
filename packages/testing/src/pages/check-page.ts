import { fullName, type CheckRun, type RepositoryData } from '../github/store.ts';
import { latestRuns } from '../github/protection.ts';
import type { CommitObject } from '../github/git/objects.ts';
import { each, markup, nothing, raw, shortSha, time, type Markup } from './markup.ts';
import { layout } from './layout.ts';
import { renderMarkdown } from './markdown.ts';
import { statusSign, wordsOf } from './status.ts';

/** One check run with all that it says. */
export function checkPage(repository: RepositoryData, check: CheckRun): Markup {
  const name = fullName(repository);
  const { title, summary, text } = check.output;
  const started = check.startedAt === undefined ? nothing : markup`, started ${time(check.startedAt)}`;
  const body = markup`<div class="heading">
      <h1>${statusSign(check)} ${check.name}</h1>
      <p class="muted">
        ${wordsOf(check.status, check.conclusion)} on
        <a class="sha" href="/${name}/commit/${check.headSha}">${shortSha(check.headSha)}</a> by
        ${check.app.name}${started}${check.completedAt === undefined ? '' : markup`, completed ${time(check.completedAt)}`}
      </p>
    </div>
    <article class="box padded markdown-body">
      ${title === undefined ? nothing : markup`<h2>${title}</h2>`} ${raw(renderMarkdown(summary ?? ''))} ${raw(renderMarkdown(text ?? ''))}
    </article>`;
  return layout({
    title: `${check.name} · ${name}`,
    path: [{ name: 'Repositories', to: '/' }, { name, to: `/${name}` }, { name: check.name }],
    body,
  });
}

/** A commit with its checks and the files that it changes. */
export function commitPage(repository: RepositoryData, commit: CommitObject): Markup {
  const name = fullName(repository);
  const [subject = '', ...rest] = commit.message.split('\n');
  const body = markup`<div class="heading">
      <h1>${subject}</h1>
      <p class="muted">${commit.author.name}, ${time(commit.committer.date)}, <code>${commit.sha}</code></p>
    </div>
    ${rest.join('').trim() === '' ? nothing : markup`<pre class="box padded">${rest.join('\n').trim()}</pre>`}
    <h2>Checks</h2>
    <ul class="box rows">
      ${each(
        latestRuns(repository, commit.sha),
        (check) =>
          markup`<li>
            ${statusSign(check)}<a class="grow" href="/${name}/runs/${check.id}">${check.name}</a
            ><span class="muted">${check.output.title ?? ''}</span>
          </li>`,
        markup`<li class="blank">No check on this commit.</li>`,
      )}
    </ul>
    <h2>Changed files</h2>
    <ul class="box rows">
      ${each(changedFiles(repository, commit), (path) => markup`<li><code>${path}</code></li>`, markup`<li class="blank">None.</li>`)}
    </ul>`;
  return layout({
    title: `${subject} · ${name}`,
    path: [{ name: 'Repositories', to: '/' }, { name, to: `/${name}` }, { name: shortSha(commit.sha) }],
    body,
  });
}

function changedFiles({ git }: RepositoryData, commit: CommitObject): string[] {
  const before = git.readFiles(git.commits.get(commit.parents[0] ?? '')?.tree ?? '');
  const after = git.readFiles(commit.tree);
  return [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path)?.sha !== after.get(path)?.sha).sort();
}
