import { createHash } from 'node:crypto';
import { digestOf } from '@slashtrain/core/registry/digest';
import { formatImageName } from '@slashtrain/core/registry/image-name';
import {
  docker,
  oci,
  type ContainerConfig,
  type Descriptor,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
} from '@slashtrain/core/registry/media-types';
import type { Base, BasePlatform } from './base.ts';
import type { BuildInputs, ImageSettings } from './inputs.ts';

/** The label that says what an image was made from, so that the same is not made twice. */
export const inputsLabel = 'dev.slashtrain.inputs';
export const revisionLabel = 'org.opencontainers.image.revision';

/** Bytes for the registry under their digest. */
export interface Part {
  bytes: Buffer;
  mediaType: string;
  digest: string;
}

/** An image, whole but for its layers. */
export interface Composed {
  /** What the tags name: an index or a manifest. */
  top: Part;
  /** The platforms' manifests where the top is an index. */
  manifests: Part[];
  configs: Part[];
}

/** Where an image is from. */
export interface Origin {
  sha: string;
  /** The commit's. */
  time: Date;
  /** e.g. `https://github.com/owner/repository` */
  source: string;
  /** {@link hashInputs} */
  inputs: string;
}

/** What of a layer a manifest and a configuration say. */
export interface LayerFacts {
  digest: string;
  diffId: string;
  size: number;
}

/** One hash of all that an image depends on. The number is raised when the same inputs make another image. */
export function hashInputs(inputs: BuildInputs, base: Base, source: string): string {
  const { settings, sha, context, platforms } = inputs;
  const value = [
    1,
    source,
    sha,
    context,
    base.name ? formatImageName(base.name) : 'scratch',
    [...platforms].sort(),
    settings.destination,
    settings.entrypoint ?? null,
    settings.command ?? null,
    [...settings.env],
    [...settings.labels].sort(([a], [b]) => (a < b ? -1 : 1)),
    settings.user ?? null,
  ];
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/**
 * Puts the layer on top of the base, for each platform. A base of OCI's types makes an image of OCI's, one of
 * Docker's of Docker's, since some tools refuse a mixture.
 */
export function compose(base: Base, layer: LayerFacts, settings: ImageSettings, origin: Origin): Composed {
  const labels = originLabels(base, origin);
  const images = base.platforms.map((platform) => composePlatform(platform, layer, settings, labels, origin));
  const configs = images.map(({ config }) => config);
  const [first] = images;
  if (base.indexType === undefined && first) return { top: first.manifest, manifests: [], configs };
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: base.indexType ?? oci.index,
    manifests: images.map(({ manifest, platform }) => ({
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      size: manifest.bytes.length,
      platform,
    })),
    ...(base.indexType === docker.index ? {} : { annotations: labels }),
  };
  return { top: partOf(index, index.mediaType ?? oci.index), manifests: images.map(({ manifest }) => manifest), configs };
}

function composePlatform(
  base: BasePlatform,
  layer: LayerFacts,
  settings: ImageSettings,
  labels: Record<string, string>,
  origin: Origin,
): { manifest: Part; config: Part; platform: Descriptor['platform'] & object } {
  const family = base.mediaType === docker.manifest ? docker : oci;
  const config = partOf(composeConfig(base.config, layer, settings, labels, origin), family.config);
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: family.manifest,
    config: { mediaType: config.mediaType, digest: config.digest, size: config.bytes.length },
    layers: [...base.manifest.layers, { mediaType: family.layer, digest: layer.digest, size: layer.size }],
    ...(family === oci ? { annotations: labels } : {}),
  };
  return { manifest: partOf(manifest, family.manifest), config, platform: base.platform };
}

function composeConfig(
  base: ImageConfig,
  layer: LayerFacts,
  settings: ImageSettings,
  labels: Record<string, string>,
  origin: Origin,
): ImageConfig {
  const created = formatTime(origin.time);
  const history =
    base.history?.filter(({ empty_layer }) => !empty_layer).length === base.rootfs.diff_ids.length || base.rootfs.diff_ids.length === 0;
  return {
    // What else a base says (its author, Docker's build container) is not true of this image.
    created,
    architecture: base.architecture,
    os: base.os,
    ...(base.variant === undefined ? {} : { variant: base.variant }),
    ...(base['os.version'] === undefined ? {} : { 'os.version': base['os.version'] }),
    ...(base['os.features'] === undefined ? {} : { 'os.features': base['os.features'] }),
    config: containerConfig(base.config ?? {}, settings, labels),
    rootfs: { type: 'layers', diff_ids: [...base.rootfs.diff_ids, layer.diffId] },
    // A history tells one entry a layer; where the base has none, ours alone would be wrong.
    ...(history
      ? {
          history: [
            ...(base.history ?? []),
            { created, created_by: `slashtrain build-image: ${origin.sha} at ${settings.destination}`, comment: 'layer builder' },
          ],
        }
      : {}),
  };
}

function containerConfig(base: ContainerConfig, settings: ImageSettings, labels: Record<string, string>): ContainerConfig {
  const { entrypoint, command, user, destination } = settings;
  const env = mergeEnv(base.Env ?? [], settings.env);
  return {
    ...base,
    ...(user === undefined ? {} : { User: user }),
    ...(env.length === 0 ? {} : { Env: env }),
    // As Docker has it: another entry point makes the base's command meaningless.
    ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint, Cmd: null }),
    ...(command === undefined ? {} : { Cmd: command }),
    WorkingDir: destination,
    Labels: { ...base.Labels, ...Object.fromEntries(settings.labels), ...labels },
  };
}

/** Ours in the base's place where it has the name, else after it. */
function mergeEnv(base: readonly string[], ours: ReadonlyMap<string, string>): string[] {
  const env = new Map(base.map((entry) => [entry.split('=', 1)[0] ?? '', entry]));
  for (const [name, value] of ours) env.set(name, `${name}=${value}`);
  return [...env.values()];
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys */
function originLabels({ name }: Base, origin: Origin): Record<string, string> {
  const { registry, repository, tag, digest } = name ?? {};
  const base =
    registry !== undefined && repository !== undefined && digest !== undefined
      ? {
          'org.opencontainers.image.base.name': formatImageName({ registry, repository, ...(tag === undefined ? {} : { tag }) }),
          'org.opencontainers.image.base.digest': digest,
        }
      : {};
  return {
    [revisionLabel]: origin.sha,
    'org.opencontainers.image.source': origin.source,
    'org.opencontainers.image.created': formatTime(origin.time),
    ...base,
    [inputsLabel]: origin.inputs,
  };
}

function formatTime(time: Date): string {
  return time.toISOString().replace(/\.000Z$/u, 'Z');
}

function partOf(value: object, mediaType: string): Part {
  const bytes = Buffer.from(JSON.stringify(value));
  return { bytes, mediaType, digest: digestOf(bytes) };
}
