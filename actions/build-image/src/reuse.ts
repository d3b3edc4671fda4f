import { ActionError } from '@slashtrain/core/action/errors';
import type { ImageName } from '@slashtrain/core/registry/image-name';
import {
  isIndex,
  parseImageConfig,
  type ImageConfig,
  type ImageManifest,
  type StoredManifest,
} from '@slashtrain/core/registry/media-types';
import type { Registry } from '@slashtrain/core/registry/registry';
import { formatTime, inputsLabel, partOf, requestLabel, revisionLabel, type Composed, type OwnLayers, type Part } from './compose.ts';
import type { Base } from './base.ts';

/** An image that a registry has, with the configuration of each platform. */
export interface StoredImage {
  top: StoredManifest;
  platforms: { manifest: StoredManifest & { content: ImageManifest }; config: ImageConfig; platform: object | undefined }[];
  /** What else an index lists: statements about its images. */
  attestations: number;
}

/** The tag under which an image of exactly these inputs is found, whichever commit it was made for. */
export function inputsTag(inputs: string): string {
  return `inputs-${inputs}`;
}

/**
 * The image of this commit, where the registry has one: the tag `sha-<SHA>` moves when an image is whole, so that what it
 * names can be taken where {@link isOfRequest}.
 */
export async function findBuilt(registry: Registry, target: ImageName, sha: string): Promise<StoredImage | undefined> {
  return findImage(registry, target, `sha-${sha}`, { [revisionLabel]: sha });
}

/** Whether an image was made for these very inputs. */
export function isOfRequest(image: StoredImage, request: string): boolean {
  return image.platforms.every(({ config }) => config.config?.Labels?.[requestLabel] === request);
}

/** An image of these very files, base and settings, made for any commit. */
export async function findSame(registry: Registry, target: ImageName, inputs: string): Promise<StoredImage | undefined> {
  return findImage(registry, target, inputsTag(inputs), { [inputsLabel]: inputs });
}

async function findImage(
  registry: Registry,
  target: ImageName,
  tag: string,
  labels: Record<string, string>,
): Promise<StoredImage | undefined> {
  try {
    const image = await readWhole(registry, target.repository, tag);
    const isIt = image.platforms.every(({ config }) =>
      Object.entries(labels).every(([name, value]) => config.config?.Labels?.[name] === value),
    );
    return isIt && image.platforms.length > 0 ? image : undefined;
  } catch (error) {
    // Registries hide what is not there behind a refusal (ghcr.io: 403, Docker Hub: 401): whether we may push shows later.
    // Whatever else stands under the tag is not ours: it is built over.
    if (error instanceof ActionError && ['not-found', 'permission', 'unsupported'].includes(error.code)) return undefined;
    throw error;
  }
}

/** Reads an image with all its platforms; no layer. @throws ActionError as the registry does */
export async function readWhole(registry: Registry, repository: string, reference: string): Promise<StoredImage> {
  const top = await registry.manifest(repository, reference);
  const listed = isIndex(top.content) ? top.content.manifests : undefined;
  const images = listed?.filter(({ platform }) => platform === undefined || platform.os !== 'unknown');
  const manifests = images
    ? await Promise.all(images.map(async ({ digest, platform }) => ({ manifest: await registry.manifest(repository, digest), platform })))
    : [{ manifest: top, platform: undefined }];
  const platforms = await Promise.all(
    manifests.map(async ({ manifest, platform }) => {
      const { content } = manifest;
      const where = `${registry.name}/${repository}@${manifest.digest}`;
      if (isIndex(content)) throw new ActionError('unsupported', `${where} is an index within an index`);
      const config = parseImageConfig(await registry.smallBlob(repository, content.config), where);
      return { manifest: { ...manifest, content }, config, platform };
    }),
  );
  return { top, platforms, attestations: (listed?.length ?? 0) - (images?.length ?? 0) };
}

/** The layers over the base's of an image that the layer builder made; undefined where it is not one on this base. */
export function ownLayersOf(image: StoredImage, base: Base, hasPackages: boolean): OwnLayers[] | undefined {
  if (image.platforms.length !== base.platforms.length) return undefined;
  const result = base.platforms.map(({ manifest: below }, at): OwnLayers | undefined => {
    const one = image.platforms[at];
    const layers = one?.manifest.content.layers.slice(below.layers.length) ?? [];
    const diffIds = one?.config.rootfs.diff_ids.slice(below.layers.length) ?? [];
    const facts = layers.map(({ digest, size }, index) => ({ digest, size, diffId: diffIds[index] ?? '' }));
    const files = facts.at(-1);
    const [packages] = facts;
    if (facts.length !== (hasPackages ? 2 : 1) || !files || !packages) return undefined;
    return hasPackages ? { packages, files } : { files };
  });
  return result.every((own) => own !== undefined) ? result : undefined;
}

/** What an image's top is, to put it under a tag. */
export function topOf({ top }: StoredImage): Part {
  return { bytes: top.bytes, mediaType: top.mediaType, digest: top.digest };
}

/**
 * The same image for another commit: its layers, and a new configuration and manifest with these labels. What an index
 * says of the old images' digests is left out.
 */
export function relabel(image: StoredImage, labels: Record<string, string>, time: Date): Composed {
  const parts = image.platforms.map(({ manifest, config, platform }) => {
    const changed = { ...config, created: formatTime(time), config: { ...config.config, Labels: { ...config.config?.Labels, ...labels } } };
    const configPart = partOf(changed, manifest.content.config.mediaType);
    const annotations = manifest.content.annotations && {
      ...manifest.content.annotations,
      ...picked(labels, manifest.content.annotations),
    };
    const content = {
      ...manifest.content,
      config: { ...manifest.content.config, digest: configPart.digest, size: configPart.bytes.length },
      ...(annotations ? { annotations } : {}),
    };
    return { config: configPart, manifest: partOf(content, manifest.mediaType), platform };
  });
  const configs = parts.map(({ config }) => config);
  const [only] = parts;
  if (!isIndex(image.top.content) && only) return { top: only.manifest, manifests: [], configs };
  const { annotations } = image.top.content;
  const index = {
    ...image.top.content,
    manifests: parts.map(({ manifest, platform }) => ({
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      size: manifest.bytes.length,
      ...(platform ? { platform } : {}),
    })),
    ...(annotations ? { annotations: { ...annotations, ...picked(labels, annotations) } } : {}),
  };
  return { top: partOf(index, image.top.mediaType), manifests: parts.map(({ manifest }) => manifest), configs };
}

function picked(labels: Record<string, string>, names: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name in names));
}
