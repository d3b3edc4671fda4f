import { ActionError } from '@slashtrain/core/action/errors';
import { formatImageName, type ImageName } from '@slashtrain/core/registry/image-name';
import type { Descriptor } from '@slashtrain/core/registry/media-types';
import type { Registries } from '@slashtrain/core/registry/registries';
import type { Registry } from '@slashtrain/core/registry/registry';
import { bytesSource, copyBlob, placeBlob, type BlobSource, type Placed } from '@slashtrain/core/registry/upload';
import type { Base } from './base.ts';
import type { Composed, Part } from './compose.ts';

/** What became of one blob of an image. */
export interface Placement {
  what: 'base layer' | 'layer' | 'configuration';
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
  layer: BlobSource;
  image: Composed;
  tags: readonly string[];
}

/** Blobs on their way at once: more would only share the line. */
const atOnce = 4;

/**
 * Puts an image into its registry such that nobody ever sees half of it: first the blobs, then the manifests under
 * their digests, and when all of that is there, the tags.
 */
export async function publish({ registries, target, base, layer, image, tags }: Publication): Promise<Placement[]> {
  const registry = registries.of(target);
  const { repository } = target;
  const layers = new Map(base.platforms.flatMap(({ manifest }) => manifest.layers.map((blob) => [blob.digest, blob])));
  const configs = new Map(image.configs.map((config) => [config.digest, config]));
  const work: (() => Promise<Placement>)[] = [
    async () => ({ what: 'layer', digest: layer.digest, size: layer.size, placed: await placeBlob(registry, repository, layer) }),
    ...[...layers.values()].map((blob) => async (): Promise<Placement> => ({
      what: 'base layer',
      digest: blob.digest,
      size: blob.size,
      placed: await fromBase(registries, base, blob, { registry, repository }),
    })),
    ...[...configs.values()].map(({ digest, bytes }) => async (): Promise<Placement> => ({
      what: 'configuration',
      digest,
      size: bytes.length,
      placed: await placeBlob(registry, repository, bytesSource(digest, bytes)),
    })),
  ];
  const placements = await inParallel(work);
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

/** All of it, a few at once. After a failure nothing new is begun, and what goes on is waited for. */
async function inParallel<T>(work: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  const failures: unknown[] = [];
  const queue = work.entries();
  const worker = async (): Promise<void> => {
    for (const [index, task] of queue) {
      if (failures.length > 0) return;
      try {
        results[index] = await task();
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, work.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
