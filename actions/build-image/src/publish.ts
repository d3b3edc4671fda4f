import { ActionError } from '@slashtrain/core/action/errors';
import { formatImageName, type ImageName } from '@slashtrain/core/registry/image-name';
import type { Descriptor } from '@slashtrain/core/registry/media-types';
import type { Registries } from '@slashtrain/core/registry/registries';
import type { Registry } from '@slashtrain/core/registry/registry';
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
export interface Publication {
  registries: Registries;
  target: ImageName;
  base: Base;
  /** What is not there yet, as far as is known. */
  layers: readonly { what: 'layer' | 'packages'; source: BlobSource }[];
  image: Composed;
  tags: readonly string[];
}

/** Blobs on their way at once: more would only share the line. */
const atOnce = 4;

/**
 * Puts an image into its registry such that nobody ever sees half of it: first the blobs, then the manifests under
 * their digests, and when all of that is there, the tags.
 */
export async function publish({ registries, target, base, layers, image, tags }: Publication): Promise<Placement[]> {
  const registry = registries.of(target);
  const { repository } = target;
  const below = new Map(base.platforms.flatMap(({ manifest }) => manifest.layers.map((blob) => [blob.digest, blob])));
  const own = new Map(layers.map((layer) => [layer.source.digest, layer]));
  const work: (() => Promise<Placement>)[] = [
    ...[...own.values()].map(({ what, source }) => async (): Promise<Placement> => ({
      what,
      digest: source.digest,
      size: source.size,
      placed: await placeBlob(registry, repository, source),
    })),
    ...[...below.values()].map((blob) => async (): Promise<Placement> => ({
      what: 'base layer',
      digest: blob.digest,
      size: blob.size,
      placed: await fromBase(registries, base, blob, { registry, repository }),
    })),
  ];
  const placements = await inParallel(work, atOnce);
  return [...placements, ...(await publishManifests(registry, repository, image, tags))];
}

/** Puts an image whose layers are all there. */
export async function publishManifests(
  registry: Registry,
  repository: string,
  image: Composed,
  tags: readonly string[],
): Promise<Placement[]> {
  const configs = new Map(image.configs.map((config) => [config.digest, config]));
  const placements = await inParallel(
    [...configs.values()].map(({ digest, bytes }) => async (): Promise<Placement> => ({
      what: 'configuration',
      digest,
      size: bytes.length,
      placed: await placeBlob(registry, repository, bytesSource(digest, bytes)),
    })),
    atOnce,
  );
  for (const part of [...image.manifests, image.top]) await registry.putManifest(repository, part.digest, part.bytes, part.mediaType);
  await moveTags(registry, repository, image.top, tags);
  return placements;
}

/** Makes the tags name a manifest that is there, and reads each back. Tags that do already are left alone. */
export async function moveTags(registry: Registry, repository: string, top: Part, tags: readonly string[]): Promise<void> {
  for (const tag of tags) {
    if ((await registry.manifestDigest(repository, tag)) !== top.digest)
      await registry.putManifest(repository, tag, top.bytes, top.mediaType);
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
  }
}

function fromBase(registries: Registries, base: Base, blob: Descriptor, to: { registry: Registry; repository: string }): Promise<Placed> {
  if (!base.name) throw new ActionError('internal', 'scratch has no layers');
  return copyBlob({ registry: registries.of(base.name), repository: base.name.repository }, to, blob);
}
