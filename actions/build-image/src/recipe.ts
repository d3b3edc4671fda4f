import { posix } from 'node:path';
import { ActionError } from '@slashtrain/core/action/errors';
import { manifestReference, parseImageName, type ImageName } from '@slashtrain/core/registry/image-name';
import type { Registries } from '@slashtrain/core/registry/registries';
import { bytesOf, type Commit } from './archive.ts';
import type { Workshop } from './built.ts';
import { formatTime, hashOf, inputsLabel, revisionLabel, sortedPairs } from './compose.ts';
import { readIgnoreFile, selectFiles, type Selection } from './context.ts';
import { imagesOf } from './dockerfile.ts';
import { dockerfileOf } from './dockerfile-inputs.ts';
import type { ImageRequest } from './inputs.ts';
import { hashFiles } from './unpack.ts';

/** What the build of a Dockerfile, or of a repository by repo2docker, is made of. */
export interface Recipe {
  /** The Dockerfile's; undefined for a repository. */
  text: string | undefined;
  selection: Selection;
  /** Images that it names, with the digests that they have now; undefined where that is not known. */
  bases: Map<string, string | undefined>;
  /** Why not all of them are known. */
  unknown: string | undefined;
  inputs: string;
  labels: Map<string, string>;
}

/** @throws ActionError `not-found` for a Dockerfile or a context that the commit lacks, `unsupported` */
export async function readRecipe(request: ImageRequest, commit: Commit, shop: Workshop): Promise<Recipe> {
  const { dockerfile, context } = request;
  const path = dockerfileOf(request);
  const text = await readText(commit, path);
  if (text === undefined) {
    const others = commit.files.filter((file) => /(?:^|\/|\.)Dockerfile(?:$|\.)/u.test(file.path)).map((file) => file.path);
    throw new ActionError('not-found', `there is no Dockerfile at "${path}" in the commit ${shop.sha}`, {
      remedy:
        others.length === 0
          ? 'check input "file", or give "base" and let the layer builder do it'
          : `give "file": there is ${others.slice(0, 10).join(', ')}`,
    });
  }
  // As Docker looks for it: https://docs.docker.com/build/concepts/context/#filename-and-location
  const ignore = (await readText(commit, `${path}.dockerignore`)) ?? (await readText(commit, posix.join(context, '.dockerignore')));
  const selection = selectFiles(commit, context, ignore, shop.sha, { mayBeEmpty: true });
  const named = imagesOf(text, dockerfile.buildArgs);
  const { bases, failed } = await digestsOf(named.images, shop.registries);
  const unknown = named.unknown[0] ?? failed;
  const inputs = hashOf([
    2,
    'dockerfile',
    text,
    await hashFiles(selection.files, commit.content),
    [...bases],
    named.unknown,
    dockerfile.target ?? null,
    sortedPairs(dockerfile.buildArgs),
    [...dockerfile.secrets.keys()].sort(),
    [...request.platforms].sort(),
    sortedPairs(request.labels),
    [dockerfile.provenance ?? null, dockerfile.sbom ?? null],
  ]);
  return {
    text,
    selection,
    bases,
    unknown: unknown === undefined ? undefined : `the digest of "${unknown}" is not known before the build`,
    inputs,
    labels: labelsOf(request, commit, shop, { bases, inputs }),
  };
}

/** What repo2docker builds: all of the context, on a base that it chooses itself. @throws ActionError as {@link selectFiles} does */
export async function readRepository(request: ImageRequest, commit: Commit, shop: Workshop): Promise<Recipe> {
  const { dockerfile, context } = request;
  if (dockerfile.file !== undefined)
    throw new ActionError('input', `input "file" is given, and repo2docker takes the Dockerfile of binder, .binder or the context`, {
      remedy: 'leave it out, or use "builder: docker"',
    });
  const selection = selectFiles(commit, context, await readIgnoreFile(commit, context), shop.sha);
  const tree = await hashFiles(selection.files, commit.content);
  const inputs = hashOf([1, 'repo2docker', tree, sortedPairs(dockerfile.buildArgs), sortedPairs(request.labels)]);
  const bases = new Map<string, string | undefined>();
  return {
    text: undefined,
    selection,
    bases,
    unknown: 'repo2docker chooses the base itself',
    inputs,
    labels: labelsOf(request, commit, shop, { bases, inputs }),
  };
}

/** Files by which repo2docker knows what to install, but for those that the layer builder reads as well: https://repo2docker.readthedocs.io/en/latest/configuration/ */
const repositoryFile =
  /^(?:\.?binder\/[^/]+|environment\.ya?ml|Pipfile|Pipfile\.lock|apt\.txt|postBuild|install\.R|Project\.toml|default\.nix|runtime\.txt)$/u;

/** A file of the context that says that it is a repository for repo2docker. */
export function repositoryFileOf({ files }: Commit, context: string): string | undefined {
  return files.find(({ path }) => repositoryFile.test(posix.relative(context, path)))?.path;
}

function labelsOf(
  request: ImageRequest,
  commit: Commit,
  shop: Workshop,
  { bases, inputs }: Pick<Recipe, 'bases' | 'inputs'>,
): Map<string, string> {
  return new Map([
    ...request.labels,
    [revisionLabel, shop.sha],
    ['org.opencontainers.image.source', shop.source],
    ['org.opencontainers.image.created', formatTime(commit.time)],
    ...baseLabels(bases),
    [inputsLabel, inputs],
  ] as [string, string][]);
}

function baseLabels(bases: ReadonlyMap<string, string | undefined>): [string, string][] {
  const [[name, digest] = ['', undefined], ...more] = [...bases];
  return digest === undefined || more.length > 0
    ? []
    : [
        ['org.opencontainers.image.base.name', name],
        ['org.opencontainers.image.base.digest', digest],
      ];
}

async function digestsOf(
  names: readonly string[],
  registries: Registries,
): Promise<{ bases: Map<string, string | undefined>; failed: string | undefined }> {
  const bases = new Map<string, string | undefined>();
  let failed: string | undefined;
  await Promise.all(
    names.map(async (text) => {
      bases.set(text, undefined);
      try {
        const name: ImageName = parseImageName(text, 'FROM');
        const digest = name.digest ?? (await registries.of(name).manifestDigest(name.repository, manifestReference(name)));
        bases.set(text, digest);
        if (digest === undefined) failed = text;
      } catch (error) {
        if (!(error instanceof ActionError) || error.code === 'cancelled') throw error;
        // The builder may reach it where we do not (its mirrors, its own store): it says what is wrong.
        failed = text;
      }
    }),
  );
  return { bases, failed };
}

async function readText(commit: Commit, path: string): Promise<string | undefined> {
  const file = commit.files.find((one) => one.path === path && one.kind === 'file');
  if (!file) return undefined;
  if (file.size > 4_000_000) throw new ActionError('input', `${path} has ${file.size} bytes, which is too long for what it is`);
  const chunks: Buffer[] = [];
  for await (const chunk of bytesOf(file, commit.content)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** The images that it builds on, also those that only the builder may be able to reach. */
export function namesIn(recipe: Recipe): ImageName[] {
  return [...recipe.bases.keys()].flatMap((text) => {
    try {
      return [parseImageName(text, 'FROM')];
    } catch {
      // The builder says what is wrong with it.
      return [];
    }
  });
}

/** Images with their digests, for people. */
export function namesOf({ bases }: Recipe): string[] {
  return [...bases].map(([text, digest]) => (digest === undefined || text.includes('@') ? text : `${text}@${digest}`));
}
