import { createHash } from 'node:crypto';
import { ActionError } from '@slashtrain/core/action/errors';
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
import type { ImageRequest } from './inputs.ts';
import type { ImageSettings } from './layer-inputs.ts';
import { packagesFolder } from './packages.ts';

/** The label that says what an image was made from (files, base, settings), so that the same is not made twice. */
export const inputsLabel = 'dev.slashtrain.inputs';
/** The label that says which commit and inputs it was made for: found again without looking at the files. */
export const requestLabel = 'dev.slashtrain.request';
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
  /** {@link hashRequest}; only of the layer builder. */
  request?: string;
}

/** What of a layer a manifest and a configuration say. */
export interface LayerFacts {
  digest: string;
  diffId: string;
  size: number;
}

/** The layers that are put on one platform's base. */
export interface OwnLayers {
  /** Packages of Python in {@link packagesFolder}. */
  packages?: LayerFacts;
  files: LayerFacts;
}

/** One hash of all that the layer builder is told. The number is raised when the same makes another image. */
export function hashRequest(request: ImageRequest, sha: string, base: Base, source: string): string {
  const { context, layer, labels, platforms } = request;
  const { dependencies, python, notebook } = layer;
  const made = notebook === undefined ? [] : [{ notebook }];
  return hashOf([2, source, sha, context, dependencies, python ?? null, ...told(layer.settings, labels, base, platforms), ...made]);
}

/**
 * One hash of all that an image of the layer builder is made of, whichever the commit.
 * @param files the hash of the files
 * @param packages the keys of the packages' layers
 */
export function hashInputs(request: ImageRequest, base: Base, files: string, packages: readonly string[]): string {
  return hashOf([2, 'layer', files, packages, ...told(request.layer.settings, request.labels, base, request.platforms)]);
}

export function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

function told(settings: ImageSettings, labels: ReadonlyMap<string, string>, base: Base, platforms: readonly string[]): unknown[] {
  return [
    base.name ? formatImageName(base.name) : 'scratch',
    [...platforms].sort(),
    settings.destination,
    ...(settings.workingFolder === settings.destination ? [] : [{ workingFolder: settings.workingFolder }]),
    settings.entrypoint ?? null,
    settings.command ?? null,
    [...settings.env],
    sortedPairs(labels),
    settings.user ?? null,
  ];
}

export function sortedPairs(map: ReadonlyMap<string, string>): [string, string][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * Puts the layers on top of the base, for each platform. A base of OCI's types makes an image of OCI's, one of
 * Docker's of Docker's, since some tools refuse a mixture.
 * @param layers by the base's platforms
 */
export function compose(
  base: Base,
  layers: readonly OwnLayers[],
  request: Pick<ImageRequest, 'layer' | 'labels'>,
  origin: Origin,
): Composed {
  const origins = originLabels(base, origin);
  const images = base.platforms.map((platform, at) => {
    const own = layers[at];
    if (!own) throw new ActionError('internal', `there are no layers for ${platform.platform.architecture}`);
    return composePlatform(platform, own, request, origins, origin);
  });
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
    ...(base.indexType === docker.index ? {} : { annotations: origins }),
  };
  return { top: partOf(index, index.mediaType ?? oci.index), manifests: images.map(({ manifest }) => manifest), configs };
}

function composePlatform(
  base: BasePlatform,
  own: OwnLayers,
  request: Pick<ImageRequest, 'layer' | 'labels'>,
  origins: Record<string, string>,
  origin: Origin,
): { manifest: Part; config: Part; platform: Descriptor['platform'] & object } {
  const family = base.mediaType === docker.manifest ? docker : oci;
  const config = partOf(composeConfig(base.config, own, request, origins, origin), family.config);
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: family.manifest,
    config: { mediaType: config.mediaType, digest: config.digest, size: config.bytes.length },
    layers: [...base.manifest.layers, ...layersOf(own).map(({ digest, size }) => ({ mediaType: family.layer, digest, size }))],
    ...(family === oci ? { annotations: origins } : {}),
  };
  return { manifest: partOf(manifest, family.manifest), config, platform: base.platform };
}

function composeConfig(
  base: ImageConfig,
  own: OwnLayers,
  { layer: { settings }, labels }: Pick<ImageRequest, 'layer' | 'labels'>,
  origins: Record<string, string>,
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
    config: containerConfig(base.config ?? {}, settings, { ...Object.fromEntries(labels), ...origins }, own.packages !== undefined),
    rootfs: { type: 'layers', diff_ids: [...base.rootfs.diff_ids, ...layersOf(own).map(({ diffId }) => diffId)] },
    // A history tells one entry a layer; where the base has none, ours alone would be wrong.
    ...(history
      ? {
          history: [
            ...(base.history ?? []),
            ...(own.packages
              ? [{ created, created_by: `slashtrain build-image: packages at ${packagesFolder}`, comment: 'layer builder' }]
              : []),
            { created, created_by: `slashtrain build-image: ${origin.sha} at ${settings.destination}`, comment: 'layer builder' },
          ],
        }
      : {}),
  };
}

function layersOf({ packages, files }: OwnLayers): LayerFacts[] {
  return packages ? [packages, files] : [files];
}

function containerConfig(
  base: ContainerConfig,
  settings: ImageSettings,
  labels: Record<string, string>,
  hasPackages: boolean,
): ContainerConfig {
  const { entrypoint, command, user, workingFolder } = settings;
  const baseEnv = base.Env ?? [];
  const env = mergeEnv(hasPackages ? mergeEnv(baseEnv, packagesEnv(baseEnv)) : baseEnv, settings.env);
  return {
    ...base,
    ...(user === undefined ? {} : { User: user }),
    ...(env.length === 0 ? {} : { Env: env }),
    // As Docker has it: another entry point makes the base's command meaningless.
    ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint, Cmd: null }),
    ...(command === undefined ? {} : { Cmd: command }),
    WorkingDir: workingFolder,
    Labels: { ...base.Labels, ...labels },
  };
}

/** Python looks there first, and so do shells for scripts. */
function packagesEnv(base: readonly string[]): Map<string, string> {
  const of = (name: string): string | undefined => base.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1) || undefined;
  const python = of('PYTHONPATH');
  return new Map([
    ['PYTHONPATH', python === undefined ? packagesFolder : `${packagesFolder}:${python}`],
    ['PATH', `${packagesFolder}/bin:${of('PATH') ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'}`],
  ]);
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
    ...(origin.request === undefined ? {} : { [requestLabel]: origin.request }),
  };
}

export function formatTime(time: Date): string {
  return time.toISOString().replace(/\.000Z$/u, 'Z');
}

export function partOf(value: object, mediaType: string): Part {
  const bytes = Buffer.from(JSON.stringify(value));
  return { bytes, mediaType, digest: digestOf(bytes) };
}
