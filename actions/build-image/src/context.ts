import dockerignore from '@balena/dockerignore';
import { posix } from 'node:path';
import { ActionError } from '@slashtrain/core/action/errors';
import type { Commit, CommitFile } from './archive.ts';

/** What of a commit goes into the image. */
export interface Selection {
  /** Files and links, with paths from the context's root, and folders that are empty. */
  files: CommitFile[];
  /** What somebody should know who looks for a file in the image. */
  notices: string[];
}

/** The text of the context's .dockerignore, or undefined. */
export async function readIgnoreFile(commit: Commit, context: string): Promise<string | undefined> {
  const file = commit.files.find(({ path, kind }) => kind === 'file' && path === below(context, '.dockerignore'));
  if (!file) return undefined;
  if (file.size > 1024 * 1024)
    throw new ActionError('input', `the commit's ${file.path} has ${file.size} bytes, which is no list of patterns`);
  const { buffer } = await commit.content.read(Buffer.alloc(file.size), 0, file.size, file.offset);
  return buffer.toString('utf8');
}

/**
 * Chooses the context's files that .dockerignore leaves
 * (https://docs.docker.com/build/concepts/context/#dockerignore-files).
 * @param mayBeEmpty a Dockerfile may do without files
 * @throws ActionError `not-found` for a context that the commit lacks, `input` where nothing is left, `unsupported`
 */
export function selectFiles(
  commit: Pick<Commit, 'files'>,
  context: string,
  ignoreText: string | undefined,
  sha: string,
  { mayBeEmpty = false }: { mayBeEmpty?: boolean } = {},
): Selection {
  const inContext = commit.files
    .filter(({ path }) => context === '.' || path.startsWith(`${context}/`))
    .map((file) => (context === '.' ? file : { ...file, path: file.path.slice(context.length + 1) }));
  if (inContext.length === 0) throw noContext(commit, context, sha);
  // git has no empty folders: what its archive has of them are submodules, whose files lie in another repository.
  const parents = new Set(inContext.flatMap(({ path }) => ancestors(path)));
  const isSubmodule = (file: CommitFile): boolean => file.kind === 'folder' && !parents.has(file.path);

  const ignore = dockerignore().add(ignoreText ?? '');
  const files = inContext.filter((file) => (file.kind !== 'folder' || isSubmodule(file)) && !ignore.ignores(file.path));
  if (!mayBeEmpty && !files.some(({ kind }) => kind !== 'folder'))
    throw new ActionError(
      'input',
      `nothing is left of the context "${context}" in ${sha}: ${inContext.length === 1 ? 'its only entry is' : `all ${inContext.length} entries are`} left out by .dockerignore or a submodule`,
      {
        remedy: 'check input "context" and the .dockerignore in it',
      },
    );
  // In a layer this name removes the base's files instead of adding one: https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts
  const whiteout = files.find(({ path }) => path.split('/').some((part) => part.startsWith('.wh.')));
  if (whiteout)
    throw new ActionError('unsupported', `the commit's file "${whiteout.path}" has a name that image layers use for removed files`, {
      remedy: 'rename it, or leave it out by .dockerignore',
    });
  return { files, notices: noticesOf(files, isSubmodule) };
}

function noticesOf(files: readonly CommitFile[], isSubmodule: (file: CommitFile) => boolean): string[] {
  const submodules = files.filter(isSubmodule).map(({ path }) => path);
  const pointers = files.filter(({ isPointer }) => isPointer).map(({ path }) => path);
  const outside = files.filter((file) => file.kind === 'link' && leadsOut(file)).map(({ path, link }) => `${path} -> ${link}`);
  const notice = (list: string[], words: string): string[] =>
    list.length === 0 ? [] : [`${words}: ${list.slice(0, 5).join(', ')}${list.length > 5 ? ` and ${list.length - 5} more` : ''}`];
  return [
    ...notice(submodules, 'submodules are empty folders in the image, since their files lie in other repositories'),
    ...notice(pointers, "Git LFS files are in the image as pointers, unless the repository's settings include LFS objects in archives"),
    // A container resolves them within itself, so they reach nothing of this machine; docker's COPY keeps them as well.
    ...notice(outside, 'symbolic links that lead out of the context are kept as git has them, and mean paths of the image'),
  ];
}

function leadsOut({ path, link }: CommitFile): boolean {
  return link.startsWith('/') || posix.join(posix.dirname(path), link).startsWith('..');
}

function noContext(commit: Pick<Commit, 'files'>, context: string, sha: string): ActionError {
  if (context === '.') return new ActionError('input', `the commit ${sha} has no files`, { remedy: 'check input "sha"' });
  const found = commit.files.find(({ path }) => path === context);
  const folders = commit.files.filter(({ path, kind }) => kind === 'folder' && !path.includes('/')).map(({ path }) => path);
  const why = found
    ? found.kind === 'folder'
      ? 'is a submodule'
      : `is a ${found.kind === 'link' ? 'symbolic link' : 'file'}, no folder`
    : 'is not there';
  return new ActionError('not-found', `input "context" is "${context}", which ${why} in the commit ${sha}`, {
    remedy: folders.length === 0 ? 'the commit has no folders' : `its folders are: ${folders.slice(0, 20).join(', ')}`,
  });
}

function below(folder: string, name: string): string {
  return folder === '.' ? name : `${folder}/${name}`;
}

function ancestors(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}
