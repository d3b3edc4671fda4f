import { ActionError } from '../action/errors.ts';
import { isDigest } from './image-name.ts';

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md */
export const oci = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/** https://github.com/distribution/distribution/blob/v3.0.0/docs/content/spec/manifest-v2-2.md */
export const docker = {
  index: 'application/vnd.docker.distribution.manifest.list.v2+json',
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;

/** What a manifest is asked for as. Without it a registry may answer in Docker's first form, which nobody builds on. */
export const manifestTypes: readonly string[] = [oci.index, oci.manifest, docker.index, docker.manifest];

export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
  'os.version'?: string;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md */
export interface Descriptor {
  mediaType: string;
  digest: string;
  /** bytes */
  size: number;
  platform?: Platform;
  annotations?: Record<string, string>;
}

/** One platform's image: https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md */
export interface ImageManifest {
  schemaVersion: 2;
  mediaType?: string;
  config: Descriptor;
  layers: Descriptor[];
  annotations?: Record<string, string>;
}

/** Several platforms' images: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md */
export interface ImageIndex {
  schemaVersion: 2;
  mediaType?: string;
  manifests: Descriptor[];
  annotations?: Record<string, string>;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md */
export interface ImageConfig {
  architecture: string;
  os: string;
  variant?: string;
  'os.version'?: string;
  'os.features'?: string[];
  created?: string;
  author?: string;
  config?: ContainerConfig;
  rootfs: { type: 'layers'; diff_ids: string[] };
  history?: HistoryEntry[];
}

/** How a container of the image is started. Fields that we do not know are kept. */
export interface ContainerConfig {
  User?: string;
  Env?: string[] | null;
  Entrypoint?: string[] | null;
  Cmd?: string[] | null;
  WorkingDir?: string;
  Labels?: Record<string, string> | null;
  [field: string]: unknown;
}

export interface HistoryEntry {
  created?: string;
  created_by?: string;
  author?: string;
  comment?: string;
  empty_layer?: boolean;
}

/** A manifest or an index as the registry has it, to the byte. */
export interface StoredManifest {
  bytes: Buffer;
  mediaType: string;
  digest: string;
  content: ImageManifest | ImageIndex;
}

/** Whether it holds one manifest per platform. */
export function isIndex(content: ImageManifest | ImageIndex): content is ImageIndex {
  return 'manifests' in content;
}

/** `linux/amd64`, `linux/arm/v7` */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
}

/**
 * Reads a manifest or an index of either family.
 * @param where e.g. `ghcr.io/owner/image:tag`
 * @throws ActionError `unsupported` for what is no image (Docker's schema 1, other artifacts), `unreachable` for what is no manifest
 */
export function parseManifest(bytes: Buffer, contentType: string | undefined, where: string): Omit<StoredManifest, 'digest' | 'bytes'> {
  const fail = (why: string): never => {
    throw new ActionError('unreachable', `the manifest of ${where} cannot be used: ${why}`);
  };
  const value = parseJson(bytes, `the manifest of ${where}`);
  if (value['schemaVersion'] === 1)
    throw new ActionError('unsupported', `the manifest of ${where} has Docker's schema 1, which registries gave up`, {
      remedy: 'push the image again with a current tool',
    });
  if (value['schemaVersion'] !== 2) fail('its schemaVersion is not 2');
  const named = typeof value['mediaType'] === 'string' ? value['mediaType'] : undefined;
  const header = contentType?.split(';')[0]?.trim();
  if (named !== undefined && header !== undefined && manifestTypes.includes(header) && named !== header)
    fail(`it calls itself ${named}, and the registry calls it ${header}`);
  // An OCI manifest may leave its type out; then the header tells, and after it the form.
  const guess = Array.isArray(value['manifests']) ? oci.index : oci.manifest;
  const mediaType = named ?? (header !== undefined && manifestTypes.includes(header) ? header : guess);
  if (!manifestTypes.includes(mediaType))
    throw new ActionError('unsupported', `the manifest of ${where} is none of an image: its type is ${mediaType}`);
  // "It must not hold both": an image that reads differently to two readers is an attack (GHSA-mc8v-mgrf-8f4m).
  if ('manifests' in value && ('layers' in value || 'config' in value)) fail('it is an index and a manifest at once');
  if (mediaType === oci.index || mediaType === docker.index) {
    const manifests = value['manifests'];
    if (!Array.isArray(manifests) || !manifests.every(isDescriptor)) return fail('its manifests are no list of descriptors');
  } else {
    const layers = value['layers'];
    if (!isDescriptor(value['config'])) fail('its config is no descriptor');
    if (!Array.isArray(layers) || !layers.every(isDescriptor)) return fail('its layers are no list of descriptors');
  }
  return { mediaType, content: value as unknown as ImageManifest | ImageIndex };
}

/** Reads an image's configuration. @throws ActionError `unsupported` for another artifact's */
export function parseImageConfig(bytes: Buffer, where: string): ImageConfig {
  const value = parseJson(bytes, `the configuration of ${where}`);
  const rootfs = value['rootfs'] as { type?: unknown; diff_ids?: unknown } | undefined;
  const strings = (list: unknown): boolean =>
    list === undefined || list === null || (Array.isArray(list) && list.every((item) => typeof item === 'string'));
  const inner = (value['config'] ?? {}) as ContainerConfig;
  if (
    typeof value['os'] !== 'string' ||
    typeof value['architecture'] !== 'string' ||
    !Array.isArray(rootfs?.diff_ids) ||
    !strings(rootfs.diff_ids) ||
    typeof inner !== 'object' ||
    ![inner.Env, inner.Entrypoint, inner.Cmd].every(strings)
  )
    throw new ActionError(
      'unsupported',
      `the configuration of ${where} is none of an image: it lacks os, architecture or rootfs.diff_ids`,
      {
        remedy: 'use an image that a container can be made of; Helm charts and other artifacts are none',
      },
    );
  return value as unknown as ImageConfig;
}

function isDescriptor(value: unknown): value is Descriptor {
  const it = value as Descriptor | null;
  return (
    typeof it === 'object' &&
    it !== null &&
    typeof it.mediaType === 'string' &&
    typeof it.digest === 'string' &&
    isDigest(it.digest) &&
    Number.isSafeInteger(it.size) &&
    it.size >= 0
  );
}

function parseJson(bytes: Buffer, what: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw new ActionError('unreachable', `${what} is no JSON`, { cause: error });
  }
  throw new ActionError('unreachable', `${what} is no JSON object`);
}
