import { param, repositoryUrl, type RepositoryCall, type Routes } from '../http/api.ts';
import { flag, objects, oneOf, requiredText, text, texts, type Body } from '../http/fields.ts';
import { invalidRequest, notFound, Refusal } from '../http/refusal.ts';
import { moveBranch } from '../changes.ts';
import type { FileEntry } from '../git/objects.ts';
import { personOf } from '../merging.ts';
import { showGitCommit } from '../views/commit.ts';

const modes = ['100644', '100755', '120000'] as const;

/** What writes git's objects and branches without a checkout: https://docs.github.com/rest/git */
export function gitRoutes(routes: Routes): void {
  routes.repository('GET', '/git/ref/:ref*', ['contents=read'], 'git/refs#get-a-reference', (call) => {
    const ref = `refs/${param(call, 'ref')}`;
    if (!call.repository.refs.has(ref)) throw notFound();
    return { status: 200, json: showRef(call, ref) };
  });

  // Folders come from the paths, and text from `content`: nothing is taken away from the base.
  routes.repository('POST', '/git/trees', ['contents=write'], 'git/trees#create-a-tree', ({ body, repository, urls }) => {
    const { git } = repository;
    const base = text(body, 'base_tree');
    if (base !== undefined && !git.trees.has(base)) throw notFound();
    const given = objects(body, 'tree');
    if (!given) throw invalidRequest('"tree" wasn\'t supplied.');
    const files = base === undefined ? new Map<string, FileEntry>() : git.readFiles(base);
    for (const one of given) files.set(requiredText(one, 'path'), { mode: oneOf(one, 'mode', modes) ?? '100644', sha: blobOf(one) });
    const sha = git.writeFiles(files);
    return { status: 201, json: { sha, url: `${repositoryUrl(urls, repository)}/git/trees/${sha}`, tree: [], truncated: false } };

    function blobOf(one: Body): string {
      const [content, known] = [text(one, 'content'), text(one, 'sha')];
      if ((content === undefined) === (known === undefined)) throw new Refusal(422, 'Must supply either tree.sha or tree.content');
      if (known !== undefined && !git.blobs.has(known)) throw new Refusal(422, `tree.sha ${known} is not a valid blob`);
      return known ?? git.addBlob(Buffer.from(content ?? ''));
    }
  });

  // The author is who the token is: https://docs.github.com/rest/git/commits#create-a-commit
  routes.repository('POST', '/git/commits', ['contents=write'], 'git/commits#create-a-commit', (call) => {
    const { body, repository, store, token, urls } = call;
    const { git } = repository;
    const [message, tree, parents] = [requiredText(body, 'message'), requiredText(body, 'tree'), texts(body, 'parents') ?? []];
    if (!git.trees.has(tree)) throw new Refusal(422, 'Tree SHA does not exist');
    if (!parents.every((parent) => git.commits.has(parent))) throw new Refusal(422, 'Parent SHA does not exist or is not a commit object');
    const person = personOf(token.app.bot, store.now());
    const sha = git.addCommit({ tree, parents, author: person, committer: person, message });
    const commit = git.commits.get(sha);
    if (!commit) throw notFound();
    return { status: 201, json: showGitCommit(urls, repository, commit) };
  });

  routes.repository('POST', '/git/refs', ['contents=write'], 'git/refs#create-a-reference', (call) => {
    const { body, repository } = call;
    const [ref, sha] = [requiredText(body, 'ref'), requiredText(body, 'sha')];
    // "If it doesn't start with 'refs' and have at least two slashes, it will be rejected."
    if (!/^refs\/[^/]+\/./u.test(ref)) throw new Refusal(422, 'Reference name must start with "refs/" and have at least two slashes');
    if (!repository.git.commits.has(sha)) throw new Refusal(422, 'Object does not exist');
    if (repository.refs.has(ref)) throw new Refusal(422, 'Reference already exists');
    return { status: 201, json: move(call, ref, sha) };
  });

  routes.repository('PATCH', '/git/refs/:ref*', ['contents=write'], 'git/refs#update-a-reference', (call) => {
    const { body, repository } = call;
    const ref = `refs/${param(call, 'ref')}`;
    const sha = requiredText(body, 'sha');
    const before = repository.refs.get(ref);
    if (before === undefined) throw new Refusal(422, 'Reference does not exist');
    if (!repository.git.commits.has(sha)) throw new Refusal(422, 'Object does not exist');
    const isForward = repository.git.history(sha).some((commit) => commit.sha === before);
    if (!isForward && !flag(body, 'force', false)) throw new Refusal(422, 'Update is not a fast forward');
    return { status: 200, json: move(call, ref, sha) };
  });
}

function move(call: RepositoryCall, ref: string, sha: string): unknown {
  const { repository, store, token } = call;
  if (ref.startsWith('refs/heads/')) moveBranch(store, repository, ref.slice('refs/heads/'.length), sha, token.app.bot);
  else repository.refs.set(ref, sha);
  return showRef(call, ref);
}

function showRef({ repository, urls }: RepositoryCall, ref: string): unknown {
  const url = `${repositoryUrl(urls, repository)}/git`;
  const sha = repository.refs.get(ref);
  return { ref, node_id: ref, url: `${url}/${ref}`, object: { type: 'commit', sha, url: `${url}/commits/${sha}` } };
}
