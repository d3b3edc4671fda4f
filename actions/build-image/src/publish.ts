import { ActionError } from '@slashtrain/core/action/errors';
import { formatImageName, type ImageName } from '@slashtrain/core/registry/image-name';
import type { Descriptor } from '@slashtrain/core/registry/media-types';
import type { Registries } from '@slashtrain/core/registry/registries';
import { push, type Registry } from '@slashtrain/core/registry/registry';
import { bytesSource, copyBlob, placeBlob, type BlobSource, type Placed } from '@slashtrain/core/registry/upload';
import type { Base } from './base.ts';
import type { Composed, Part } from './compose.ts';
import { inParallel } from './parallel.ts';

/** What became of one blob of an image. */
export interface Placement {
  what: 'base layer' | 'layer' | 'packages' | 'configuration';
  digest: string;
  /** bytes */
  size: number;
  placed: Placed;
}

/** An image and where it goes. */
export interface Publication<T extends Made> {
  registries: Registries;
  target: ImageName;
  base: Base;
  /** Makes what goes on the base, while the base's layers are put in place already. */
  make: () => Promise<T>;
  tags: readonly string[];
  /** A further tag, by which the image is found again. */
  keptAs: string;
  /** The answers of {@link findLayers}, where it was asked. */
  present?: LayersPresent | undefined;
}

/** What was made to be put on a base. */
export interface Made {
  /** What is not there yet, as far as is known. */
  layers: readonly { what: 'layer' | 'packages'; source: BlobSource }[];
  image: Composed;
}

/** Blobs on their way at once: more would only share the line. */
const atOnce = 4;
/** Bytes up to which a layer that nobody has seen is sent without asking for it first. */
const small = 64 * 1024;

/** Which of a base's layers a repository has, by digest. */
export type LayersPresent = ReadonlyMap<string, boolean>;

/** Asks which of the base's layers are where the image goes, for {@link publish}. Nothing is changed. */
export async function findLayers(registries: Registries, target: ImageName, base: Base): Promise<LayersPresent> {
  const from = base.name;
  // Layers of the same repository are there, and need not be asked for.
  if (!from || (from.registry === target.registry && from.repository === target.repository)) return new Map();
  const registry = registries.of(target);
  const scopes = push(target.repository, from.registry === target.registry ? from.repository : undefined);
  const found = await inParallel(
    layersBelow(base).map((blob) => async () => [blob.digest, await registry.hasBlob(target.repository, blob.digest, scopes)] as const),
    atOnce,
  );
  return new Map(found);
}

/** Each layer of the base once, whichever platforms have it. */
function layersBelow(base: Base): Descriptor[] {
  return [...new Map(base.platforms.flatMap(({ manifest }) => manifest.layers.map((blob) => [blob.digest, blob]))).values()];
}

/**
 * Puts an image into its registry such that nobody ever sees half of it: first the blobs, then the manifests of the
 * platforms under their digests, and when all of that is there, the image under its tags.
 */
export async function publish<T extends Made>({
  registries,
  target,
  base,
  make,
  tags,
  keptAs,
  present,
}: Publication<T>): Promise<{ made: T; placements: Placement[] }> {
  const registry = registries.of(target);
  const { repository } = target;
  const standing = new Map<string, string | undefined>();
  let made: T | undefined;
  const work: (() => Promise<Placement[]>)[] = [
    async () => {
      made = await make();
      const own = new Map(made.layers.map((layer) => [layer.source.digest, layer]));
      return inParallel(
        [
          ...[...own.values()].map(({ what, source }) => async (): Promise<Placement> => ({
            what,
            digest: source.digest,
            size: source.size,
            placed: await placeBlob(registry, repository, source, source.size <= small ? { isThere: false } : {}),
          })),
          ...placeConfigs(registry, repository, made.image),
        ],
        atOnce,
      );
    },
    // What the tags name now, for which nobody has to wait later.
    ...tags.map((tag) => async (): Promise<Placement[]> => {
      standing.set(tag, await registry.manifestDigest(repository, tag, push(repository)));
      return [];
    }),
    ...layersBelow(base).map((blob) => async (): Promise<Placement[]> => [
      {
        what: 'base layer',
        digest: blob.digest,
        size: blob.size,
        placed: await fromBase(registries, base, blob, { registry, repository }, present?.get(blob.digest)),
      },
    ]),
  ];
  const placements = await inParallel(work, atOnce);
  if (!made) throw new ActionError('internal', 'the image was not made');
  await putManifests(registry, repository, made.image, tags, { standing, keptAs });
  return { made, placements: placements.flat() };
}

/** Puts an image whose layers are all there. */
export async function publishManifests(
  registry: Registry,
  repository: string,
  image: Composed,
  tags: readonly string[],
): Promise<Placement[]> {
  const placements = await inParallel(placeConfigs(registry, repository, image), atOnce);
  await putManifests(registry, repository, image, tags);
  return placements;
}

/** Configurations name their commit, and so they are new. */
function placeConfigs(registry: Registry, repository: string, image: Composed): (() => Promise<Placement>)[] {
  const configs = new Map(image.configs.map((config) => [config.digest, config]));
  return [...configs.values()].map(({ digest, bytes }) => async () => ({
    what: 'configuration',
    digest,
    size: bytes.length,
    placed: await placeBlob(registry, repository, bytesSource(digest, bytes), { isThere: false }),
  }));
}

async function putManifests(
  registry: Registry,
  repository: string,
  image: Composed,
  tags: readonly string[],
  { standing, keptAs }: { standing?: ReadonlyMap<string, string | undefined>; keptAs?: string } = {},
): Promise<void> {
  await inParallel(
    image.manifests.map(
      ({ digest, bytes, mediaType }) =>
        () =>
          registry.putManifest(repository, digest, bytes, mediaType),
    ),
    atOnce,
  );
  const { bytes, mediaType } = image.top;
  await Promise.all([
    moveTags(registry, repository, image.top, tags, standing),
    ...(keptAs === undefined ? [] : [registry.putManifest(repository, keptAs, bytes, mediaType)]),
  ]);
}

/**
 * Makes the tags name an image that is whole, and reads each back. Tags that do already are left alone.
 * @param standing what they name, where that was asked already
 */
export async function moveTags(
  registry: Registry,
  repository: string,
  top: Part,
  tags: readonly string[],
  standing?: ReadonlyMap<string, string | undefined>,
): Promise<void> {
  const move = async (tag: string): Promise<void> => {
    const names = standing ? standing.get(tag) : await registry.manifestDigest(repository, tag);
    if (names !== top.digest) await registry.putManifest(repository, tag, top.bytes, top.mediaType);
    // Not the header but the bytes: what a node pulls later must be what was made.
    const { digest } = await registry.manifest(repository, tag);
    if (digest !== top.digest)
      throw new ActionError(
        'conflict',
        `the tag ${formatImageName({ registry: registry.name, repository, tag })} was put as ${top.digest} and names ${digest}`,
        {
          remedy: 'somebody else moved it meanwhile, or the registry keeps tags from moving; use the output "image", which is by digest',
        },
      );
  };
  await inParallel(
    tags.map((tag) => () => move(tag)),
    atOnce,
  );
}

function fromBase(
  registries: Registries,
  base: Base,
  blob: Descriptor,
  to: { registry: Registry; repository: string },
  isThere: boolean | undefined,
): Promise<Placed> {
  if (!base.name) throw new ActionError('internal', 'scratch has no layers');
  return copyBlob({ registry: registries.of(base.name), repository: base.name.repository }, to, blob, isThere);
}
