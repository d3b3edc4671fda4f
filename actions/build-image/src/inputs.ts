import { posix } from 'node:path';
import { ActionError } from '@slashtrain/core/action/errors';
import type { Inputs } from '@slashtrain/core/action/inputs';
import { isTag, lowerImageName, parseImageName, type ImageName } from '@slashtrain/core/registry/image-name';
import { listOf, mapOf, mapsOf } from './lists.ts';
import { readLayerRequest, type LayerRequest } from './layer-inputs.ts';
import { readDockerfileRequest, type DockerfileRequest } from './dockerfile-inputs.ts';
import { refused } from './refused.ts';

export type Builder = 'auto' | 'layer' | 'docker' | 'buildah' | 'buildkit' | 'repo2docker';

/** What build-image was asked for. */
export interface BuildInputs {
  /** One, or one for each entry of `images`. */
  requests: ImageRequest[];
  sha: string;
  token: string;
  login: { username: string; password: string } | undefined;
  /** Images that are built at once. */
  atOnce: number;
  isDryRun: boolean;
  /** What somebody should know of what was made of the inputs. */
  notices: string[];
}

/** One image. */
export interface ImageRequest {
  /** Its name in `images`. */
  name: string | undefined;
  /** Where the image goes; without a tag and a digest. */
  target: ImageName;
  /** Tags besides `sha-<SHA>`. */
  tags: string[];
  builder: Builder;
  /** A folder within the commit, `.` or without slashes at its ends. */
  context: string;
  /** `os/architecture[/variant]`; empty: all that the base has. */
  platforms: string[];
  labels: Map<string, string>;
  /** Whether an image of exactly these inputs that is there may be used. */
  mayReuse: boolean;
  layer: LayerRequest;
  dockerfile: DockerfileRequest;
}

/** Labels that say where an image is from: nobody else may set them. */
const ownLabels = /^(?:org\.opencontainers\.image\.(?:revision|source|created|base\.name|base\.digest)$|dev\.slashtrain\.)/u;
/** What an entry of `images` may say for itself. */
const perImage = [
  ...['image', 'tags', 'builder', 'base', 'context', 'destination', 'entrypoint', 'command', 'env', 'labels', 'user', 'platforms'],
  ...['dependencies', 'python', 'notebook', 'file', 'target', 'build-args', 'cache', 'reuse'],
];

/** @throws ActionError `input`, `unsupported` */
export async function readInputs(inputs: Inputs, folder: string): Promise<BuildInputs> {
  const sha = inputs.sha('sha');
  if (sha === undefined) inputs.required('sha');
  const notices: string[] = [];
  const entries = await mapsOf(inputs, 'images', folder);
  const requests: ImageRequest[] = [];
  for (const [name, values] of entries) requests.push(await readRequest(name, ofEntry(inputs, name, values), folder, notices));
  if (entries.size === 0) requests.push(await readRequest(undefined, inputs, folder, notices));
  const login = readLogin(inputs);
  const registries = new Set(requests.map(({ target }) => target.registry));
  if (login && registries.size > 1)
    throw refused('username', login.username, `left out: the images go to ${[...registries].join(' and ')}; log in before this step`);
  return {
    requests,
    sha: sha ?? '',
    token: inputs.required('token'),
    login,
    atOnce: inputs.integer('parallel', { min: 1, max: 32 }) ?? 4,
    isDryRun: inputs.boolean('dry-run', false),
    notices,
  };
}

/** The inputs as an entry of `images` has them: its own values, and the step's for the rest. */
function ofEntry(inputs: Inputs, name: string, values: ReadonlyMap<string, unknown>): Inputs {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/u.test(name)) throw refused('images', name, 'names of letters, digits, ".", "_" and "-"');
  const unknown = [...values.keys()].find((key) => !perImage.includes(key));
  if (unknown !== undefined) throw refused('images', `${name}: ${unknown}`, `${perImage.join(', ')} for each image`);
  const given = new Map(values);
  const image = inputs.text('image');
  if (!given.has('image')) {
    if (image === undefined || image.includes('@') || /:[^/]*$/u.test(image))
      throw new ActionError('input', `input "images" has no image for "${name}", and input "image" is ${image ?? 'empty'}`, {
        remedy: `give the entry an image, or give "image" a name without a tag, and "-${name.toLowerCase()}" is appended`,
      });
    given.set('image', `${image}-${name.toLowerCase()}`);
  }
  return inputs.with(given);
}

async function readRequest(name: string | undefined, inputs: Inputs, folder: string, notices: string[]): Promise<ImageRequest> {
  const text = inputs.required('image');
  const lowered = lowerImageName(text);
  if (lowered !== text) notices.push(`the image is called ${lowered}, since registries know no capitals: ${text}`);
  const target = parseImageName(lowered, 'input "image"');
  if (target.digest !== undefined) throw refused('image', text, 'a name with or without a tag: the digest is what the build finds out');
  const tags = [...(target.tag === undefined ? [] : [target.tag]), ...(await listOf(inputs, 'tags', folder))];
  for (const tag of tags) if (!isTag(tag)) throw refused('tags', tag, 'tags of 1 to 128 letters, digits, "_", "." and "-"');
  const builder = inputs.choice('builder', ['auto', 'layer', 'docker', 'buildah', 'buildkit', 'repo2docker'] as const, 'auto');
  const layer = await readLayerRequest(inputs, folder);
  const dockerfile = await readDockerfileRequest(inputs, folder);
  if ((builder === 'layer' || (builder === 'auto' && layer.notebook !== undefined)) && layer.base === undefined) inputs.required('base');
  const labels = await mapOf(inputs, 'labels', folder);
  for (const label of labels.keys())
    if (label === '' || ownLabels.test(label))
      throw refused('labels', label, 'names other than those that say where the image is from, which build-image sets');
  return {
    name,
    target: { registry: target.registry, repository: target.repository },
    tags: [...new Set(tags)],
    builder,
    context: readContext(inputs.text('context') ?? '.'),
    platforms: await readPlatforms(inputs, folder),
    labels,
    mayReuse: inputs.boolean('reuse', true),
    layer,
    dockerfile,
  };
}

function readContext(text: string): string {
  const path = posix.normalize(text).replace(/\/$/u, '');
  if (text.startsWith('/') || path === '..' || path.startsWith('../'))
    throw refused('context', text, 'a folder within the commit, such as "." or "training"');
  return path === '' ? '.' : path;
}

async function readPlatforms(inputs: Inputs, folder: string): Promise<string[]> {
  const text = inputs.text('platforms');
  if (text === undefined) return [];
  const platforms = /^[-[]/u.test(text) ? await listOf(inputs, 'platforms', folder) : text.split(',').map((part) => part.trim());
  for (const platform of platforms)
    if (!/^[a-z0-9]+\/[a-z0-9]+(?:\/[a-z0-9]+)?$/u.test(platform))
      throw refused('platforms', platform, 'os/architecture, such as linux/amd64, with commas between several');
  return [...new Set(platforms)];
}

function readLogin(inputs: Inputs): BuildInputs['login'] {
  const username = inputs.text('username');
  const password = inputs.text('password');
  if (username === undefined && password === undefined) return undefined;
  if (username === undefined || password === undefined)
    throw new ActionError(
      'input',
      `input "${username === undefined ? 'username' : 'password'}" is missing, and "${username === undefined ? 'password' : 'username'}" is given`,
      {
        remedy: 'give both, or neither and log in with docker/login-action; a secret that a workflow may not read is empty',
      },
    );
  return { username, password };
}
