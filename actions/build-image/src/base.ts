import { ActionError } from '@slashtrain/core/action/errors';
import { formatImageName, manifestReference, type ImageName } from '@slashtrain/core/registry/image-name';
import {
  formatPlatform,
  isIndex,
  oci,
  parseImageConfig,
  type Descriptor,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  type Platform,
  type StoredManifest,
} from '@slashtrain/core/registry/media-types';
import type { Registries } from '@slashtrain/core/registry/registries';
import type { Registry } from '@slashtrain/core/registry/registry';

/** One platform's image to build on. */
export interface BasePlatform {
  platform: Platform;
  manifest: ImageManifest;
  /** OCI's or Docker's, which the image on top keeps. */
  mediaType: string;
  config: ImageConfig;
}

/** What to build on. */
export interface Base {
  /** As it was asked for, with the digest that it has now; undefined for `scratch`. */
  name: ImageName | undefined;
  /** The index' type where the base is one. */
  indexType: string | undefined;
  platforms: BasePlatform[];
  notices: string[];
}

/** Nothing, for these platforms. */
export function scratchBase(wanted: readonly string[]): Base {
  const platforms = (wanted.length > 0 ? wanted : ['linux/amd64']).map((text) => {
    const [os = '', architecture = '', variant] = text.split('/');
    return { os, architecture, ...(variant === undefined ? {} : { variant }) };
  });
  const other = platforms.find(({ os }) => os !== 'linux');
  if (other) throw notLinux(formatPlatform(other));
  return {
    name: undefined,
    indexType: platforms.length > 1 ? oci.index : undefined,
    platforms: platforms.map((platform) => ({
      platform,
      mediaType: oci.manifest,
      manifest: { schemaVersion: 2, config: { mediaType: oci.config, digest: '', size: 0 }, layers: [] },
      config: { ...platform, rootfs: { type: 'layers', diff_ids: [] } },
    })),
    notices: [],
  };
}

/**
 * Reads the base's manifests and configurations; its layers stay where they are.
 * @param wanted platforms, none for all that it has
 * @throws ActionError `not-found` for a base or a platform that is not there, and what the registry throws
 */
export async function resolveBase(registries: Registries, image: ImageName, wanted: readonly string[]): Promise<Base> {
  const registry = registries.of(image);
  const stored = await registry.manifest(image.repository, manifestReference(image));
  const name = { ...image, digest: stored.digest };
  const notices: string[] = [];
  if (!isIndex(stored.content)) {
    const only = await readPlatform(registry, image, stored);
    checkWanted(image, [only.platform], wanted);
    if (only.platform.os !== 'linux') throw notLinux(formatPlatform(only.platform));
    return { name, indexType: undefined, platforms: [only], notices };
  }
  const chosen = choose(stored.content, image, wanted, notices);
  const platforms = await Promise.all(
    chosen.map(async ({ digest }) => readPlatform(registry, image, await registry.manifest(image.repository, digest))),
  );
  // One platform that was asked for is an image; an index stays one, whatever it holds.
  const isAlone = wanted.length === 1 && platforms.length === 1;
  return { name, indexType: isAlone ? undefined : stored.mediaType, platforms, notices };
}

/** The images of an index that are wanted, without what is no Linux image. */
function choose(index: ImageIndex, image: ImageName, wanted: readonly string[], notices: string[]): Descriptor[] {
  // Attestations are about one digest, and ours is another: https://docs.docker.com/build/metadata/attestations/attestation-storage/
  const images = index.manifests.filter(({ platform }) => platform !== undefined && platform.os !== 'unknown');
  const attestations = index.manifests.length - images.length;
  if (attestations > 0) notices.push(`${attestations} attestations of the base are left out, since they are about the base alone`);
  const available = images.flatMap(({ platform }) => (platform ? [platform] : []));
  checkWanted(image, available, wanted);
  const chosen =
    wanted.length === 0
      ? images.filter(({ platform }) => platform?.os === 'linux')
      : images.filter(({ platform }) => platform && wanted.some((text) => matches(platform, text)));
  const other = chosen.find(({ platform }) => platform?.os !== 'linux')?.platform;
  if (other) throw notLinux(formatPlatform(other));
  if (chosen.length === 0) throw notLinux(available.map(formatPlatform).join(', ') || 'nothing');
  const left = images.length - chosen.length;
  if (wanted.length === 0 && left > 0) notices.push(`${left} platforms of the base other than Linux are left out`);
  return chosen;
}

async function readPlatform(registry: Registry, image: ImageName, stored: StoredManifest): Promise<BasePlatform> {
  const manifest = stored.content as ImageManifest;
  const where = formatImageName({ ...image, digest: stored.digest });
  if (isIndex(stored.content)) throw new ActionError('unsupported', `the base ${where} is an index within an index`);
  const config = parseImageConfig(await registry.smallBlob(image.repository, manifest.config), where);
  if (config.rootfs.diff_ids.length !== manifest.layers.length)
    throw new ActionError(
      'unreachable',
      `the base ${where} has ${manifest.layers.length} layers, and its configuration tells of ${config.rootfs.diff_ids.length}`,
    );
  const { os, architecture, variant } = config;
  return {
    platform: {
      os,
      architecture,
      ...(variant ? { variant } : {}),
      ...(config['os.version'] ? { 'os.version': config['os.version'] } : {}),
    },
    manifest,
    mediaType: stored.mediaType,
    config,
  };
}

function checkWanted(image: ImageName, available: readonly Platform[], wanted: readonly string[]): void {
  for (const text of wanted) {
    if (available.some((platform) => matches(platform, text))) continue;
    throw new ActionError('not-found', `the base ${formatImageName(image)} is not for ${text}`, {
      remedy: `it is for ${available.map(formatPlatform).join(', ') || 'nothing'}: choose one of these, or another base`,
    });
  }
}

/** `linux/arm64` means each of its variants. */
function matches(platform: Platform, text: string): boolean {
  const full = formatPlatform(platform);
  return full === text || full.startsWith(`${text}/`);
}

function notLinux(what: string): ActionError {
  return new ActionError('unsupported', `the base is for ${what}, and the layer builder makes Linux images alone`, {
    remedy: 'choose a Linux base',
  });
}
