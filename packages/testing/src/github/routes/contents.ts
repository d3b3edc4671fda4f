import { param, repositoryUrl, type RepositoryCall, type Routes, type Reply } from '../http/api.ts';
import { notFound, Refusal } from '../http/refusal.ts';
import { fullName, resolve, type RepositoryData } from '../store.ts';
import { archive } from '../git/archive.ts';
import type { CommitObject, TreeEntry } from '../git/objects.ts';

/** A file is given with its content up to 1 MB, without from there to 100 MB: https://docs.github.com/rest/repos/contents#get-repository-content */
const withContent = 1024 * 1024;
const largest = 100 * 1024 * 1024;

export function contentRoutes(routes: Routes): void {
  const documentation = 'repos/contents#get-repository-content';
  routes.repository('GET', '/contents/:path*', ['contents=read'], documentation, (call) => contents(call, param(call, 'path')));
  routes.repository('GET', '/contents/?', ['contents=read'], documentation, (call) => contents(call, ''));
  routes.repository('GET', '/readme', ['contents=read'], 'repos/contents#get-a-repository-readme', (call) => contents(call, 'README.md'));

  routes.repository('GET', '/git/trees/:sha*', ['contents=read'], 'git/trees#get-a-tree', (call) => {
    const { repository, query } = call;
    const wanted = param(call, 'sha');
    const sha = repository.git.trees.has(wanted) ? wanted : repository.git.commits.get(resolve(repository, wanted) ?? '')?.tree;
    if (sha === undefined) throw notFound();
    const entries = query.has('recursive') ? below(repository, sha, '') : (repository.git.trees.get(sha) ?? []);
    const url = `${repositoryUrl(call.urls, repository)}/git`;
    return {
      status: 200,
      json: {
        sha,
        url: `${url}/trees/${sha}`,
        tree: entries.map(({ mode, name, sha: id }) => ({
          path: name,
          mode: mode === '40000' ? '040000' : mode,
          type: mode === '40000' ? 'tree' : mode === '160000' ? 'commit' : 'blob',
          sha: id,
          ...(mode === '40000' || mode === '160000' ? {} : { size: repository.git.blobs.get(id)?.length ?? 0 }),
          url: `${url}/${mode === '40000' ? 'trees' : 'blobs'}/${id}`,
        })),
        truncated: false,
      },
    };
  });

  routes.repository('GET', '/git/blobs/:sha', ['contents=read'], 'git/blobs#get-a-blob', (call) => {
    const sha = param(call, 'sha');
    const blob = call.repository.git.blobs.get(sha);
    if (!blob) throw notFound();
    if (accepts(call, 'raw')) return { status: 200, bytes: blob, headers: { 'content-type': 'application/vnd.github.raw+json' } };
    const url = `${repositoryUrl(call.urls, call.repository)}/git/blobs/${sha}`;
    return { status: 200, json: { sha, node_id: sha, size: blob.length, url, content: wrapped(blob), encoding: 'base64' } };
  });

  // A redirect to another place that serves the archive: https://docs.github.com/rest/repos/contents#download-a-repository-archive-tar
  for (const path of ['/tarball/:ref*', '/tarball/?']) {
    routes.repository('GET', path, ['contents=read'], 'repos/contents#download-a-repository-archive-tar', (call) => {
      const ref = call.params.get('ref') ?? call.repository.defaultBranch;
      if (resolve(call.repository, ref) === undefined) throw notFound();
      const token = encodeURIComponent(call.token.value);
      const location = `${call.urls.server}/_codeload/${fullName(call.repository)}/legacy.tar.gz/${encodeURIComponent(ref)}?token=${token}`;
      return { status: 302, headers: { location } };
    });
  }
}

/** What `/_codeload/{owner}/{repo}/legacy.tar.gz/{ref}` answers. */
export async function codeload(call: RepositoryCall, ref: string): Promise<Reply> {
  const { repository } = call;
  const sha = resolve(repository, ref);
  if (sha === undefined) throw notFound();
  const folder = `${repository.owner.login}-${repository.name}-${sha.slice(0, 7)}`;
  return {
    status: 200,
    bytes: await archive(repository.git, sha, folder),
    headers: { 'content-type': 'application/x-gzip', 'content-disposition': `attachment; filename=${folder}.tar.gz` },
  };
}

function contents(call: RepositoryCall, path: string): Reply {
  const { repository, query } = call;
  const ref = query.get('ref') ?? repository.defaultBranch;
  const sha = resolve(repository, ref);
  const commit = sha === undefined ? undefined : repository.git.commits.get(sha);
  if (!commit) throw new Refusal(404, `No commit found for the ref ${ref}`);
  const entry = repository.git.lookUp(commit.tree, path);
  if (!entry) throw notFound();
  if (entry.mode === '40000') {
    const entries = repository.git.trees.get(entry.sha) ?? [];
    const folder = path.replace(/\/$/u, '');
    return { status: 200, json: entries.map((one) => item(call, folder === '' ? one.name : `${folder}/${one.name}`, one, ref, false)) };
  }
  const followed = follow(call, commit, path, entry);
  const blob = repository.git.blobs.get(followed.sha) ?? Buffer.alloc(0);
  if (blob.length > largest) throw new Refusal(403, 'This API returns blobs up to 100 MB in size.');
  if (accepts(call, 'raw')) {
    return { status: 200, bytes: blob, headers: { 'content-type': 'application/vnd.github.raw+json; charset=utf-8' } };
  }
  return { status: 200, json: item(call, path, followed, ref, true) };
}

/** A link to a file of the repository is given as that file. */
function follow({ repository }: RepositoryCall, commit: CommitObject, path: string, entry: TreeEntry): TreeEntry {
  if (entry.mode !== '120000') return entry;
  const target = repository.git.blobs.get(entry.sha)?.toString('utf8') ?? '';
  const place = new URL(target, `http://repository/${path}`).pathname.slice(1);
  const found = target.startsWith('/') ? undefined : repository.git.lookUp(commit.tree, decodeURIComponent(place));
  return found && (found.mode === '100644' || found.mode === '100755') ? found : entry;
}

function item({ urls, repository }: RepositoryCall, path: string, entry: TreeEntry, ref: string, whole: boolean): Record<string, unknown> {
  const url = repositoryUrl(urls, repository);
  const html = `${urls.server}/${fullName(repository)}`;
  const type = entry.mode === '40000' ? 'dir' : entry.mode === '120000' ? 'symlink' : entry.mode === '160000' ? 'submodule' : 'file';
  const blob = repository.git.blobs.get(entry.sha);
  const self = `${url}/contents/${path}?ref=${encodeURIComponent(ref)}`;
  const git = `${url}/git/${type === 'dir' ? 'trees' : 'blobs'}/${entry.sha}`;
  const page = `${html}/${type === 'dir' ? 'tree' : 'blob'}/${ref}/${path}`;
  const isLarge = (blob?.length ?? 0) > withContent;
  return {
    type,
    name: path.split('/').at(-1),
    path,
    sha: entry.sha,
    size: blob?.length ?? 0,
    url: self,
    git_url: git,
    html_url: page,
    download_url: type === 'dir' ? null : `${html}/raw/${ref}/${path}`,
    _links: { self, git, html: page },
    ...(type === 'symlink' ? { target: blob?.toString('utf8') ?? '' } : {}),
    ...(whole && type === 'file' && blob ? { encoding: isLarge ? 'none' : 'base64', content: isLarge ? '' : wrapped(blob) } : {}),
  };
}

function below(repository: RepositoryData, tree: string, prefix: string): TreeEntry[] {
  return (repository.git.trees.get(tree) ?? []).flatMap((entry) => [
    { ...entry, name: prefix + entry.name },
    ...(entry.mode === '40000' ? below(repository, entry.sha, `${prefix}${entry.name}/`) : []),
  ]);
}

/** GitHub breaks its base64 after 60 characters. */
function wrapped(blob: Buffer): string {
  return blob.toString('base64').replaceAll(/.{1,60}/gu, '$&\n');
}

/** https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api#media-types */
function accepts({ headers }: RepositoryCall, type: 'raw'): boolean {
  return new RegExp(`application/vnd\\.github\\.(v3\\.)?${type}(\\+json)?`, 'u').test(headers.get('accept') ?? '');
}
