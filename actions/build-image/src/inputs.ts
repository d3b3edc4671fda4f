import { posix } from 'node:path';
import { ActionError } from '@slashtrain/core/action/errors';
import type { Inputs } from '@slashtrain/core/action/inputs';
import { isTag, parseImageName, type ImageName } from '@slashtrain/core/registry/image-name';

/** What build-image was asked for. */
export interface BuildInputs {
  /** Where the image goes; without a tag and a digest. */
  target: ImageName;
  /** Tags besides `sha-<SHA>`. */
  tags: string[];
  base: ImageName | 'scratch';
  sha: string;
  /** A folder within the commit, `.` or without slashes at its ends. */
  context: string;
  settings: ImageSettings;
  /** `os/architecture[/variant]`; empty: all that the base has. */
  platforms: string[];
  token: string;
  login: { username: string; password: string } | undefined;
  isDryRun: boolean;
}

/** What the image's configuration says over its base's. */
export interface ImageSettings {
  /** Where the files go, and the working directory: an absolute path. */
  destination: string;
  entrypoint: string[] | undefined;
  command: string[] | undefined;
  env: Map<string, string>;
  labels: Map<string, string>;
  user: string | undefined;
}

const later = ['docker', 'buildah', 'buildkit'];
/** Labels that say where an image is from: nobody else may set them. */
const ownLabels = /^(?:org\.opencontainers\.image\.(?:revision|source|created|base\.name|base\.digest)$|dev\.slashtrain\.)/u;
// In most images these are links into /usr or belong to the kernel: a folder of ours would stand in their place.
const notOurs = /^\/(?:bin|sbin|lib|lib32|lib64|libx32|proc|sys|dev|var\/run|var\/lock)(?:\/|$)/u;

/** @throws ActionError `input`, `unsupported` */
export function readInputs(inputs: Inputs, folder: string): BuildInputs {
  const builder = inputs.text('builder') ?? 'auto';
  if (later.includes(builder))
    throw new ActionError('unsupported', `input "builder" is "${builder}", which this version does not have yet`, {
      remedy: 'use "layer" (or "auto"), or build with docker/build-push-action and pass its digest on',
    });
  inputs.choice('builder', ['auto', 'layer'], 'auto');

  const target = parseImageName(inputs.required('image'), 'input "image"');
  if (target.digest !== undefined)
    throw refused('image', inputs.required('image'), 'a name with or without a tag: the digest is what the build finds out');
  const tags = [...(target.tag === undefined ? [] : [target.tag]), ...inputs.list('tags', folder)];
  for (const tag of tags) if (!isTag(tag)) throw refused('tags', tag, 'tags of 1 to 128 letters, digits, "_", "." and "-"');
  const sha = inputs.sha('sha');
  if (sha === undefined) inputs.required('sha');
  const base = inputs.required('base');

  return {
    target: { registry: target.registry, repository: target.repository },
    tags: [...new Set(tags)],
    base: base === 'scratch' ? 'scratch' : parseImageName(base, 'input "base"'),
    sha: sha ?? '',
    context: readContext(inputs.text('context') ?? '.'),
    settings: readSettings(inputs, folder),
    platforms: readPlatforms(inputs, folder),
    token: inputs.required('token'),
    login: readLogin(inputs),
    isDryRun: inputs.boolean('dry-run', false),
  };
}

function readSettings(inputs: Inputs, folder: string): ImageSettings {
  const list = (name: string): string[] | undefined => (inputs.text(name) === undefined ? undefined : inputs.list(name, folder));
  const env = inputs.map('env', folder);
  for (const name of env.keys())
    if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/u.test(name)) throw refused('env', name, 'names of letters, digits, "_", "." and "-"');
  const labels = inputs.map('labels', folder);
  for (const name of labels.keys())
    if (name === '' || ownLabels.test(name))
      throw refused('labels', name, 'names other than those that say where the image is from, which build-image sets');
  const user = inputs.text('user');
  if (user !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/u.test(user))
    throw refused('user', user, 'a user or a number, and after a ":" a group');
  return {
    destination: readDestination(inputs.text('destination') ?? '/app'),
    entrypoint: list('entrypoint'),
    command: list('command'),
    env,
    labels,
    user,
  };
}

function readDestination(text: string): string {
  const path = posix.normalize(text).replace(/\/$/u, '');
  // eslint-disable-next-line no-control-regex -- they are what it refuses
  const isPlain = text.startsWith('/') && path !== '' && !text.split('/').includes('..') && !/[\u0000-\u001f]/u.test(text);
  if (!isPlain || path.split('/').some((part) => part.startsWith('.wh.')))
    throw refused('destination', text, 'an absolute path below "/", such as /app');
  if (notOurs.test(path))
    throw refused('destination', text, 'a folder that is no link to another place in usual images, such as /app or /opt/app');
  return path;
}

function readContext(text: string): string {
  const path = posix.normalize(text).replace(/\/$/u, '');
  if (text.startsWith('/') || path === '..' || path.startsWith('../'))
    throw refused('context', text, 'a folder within the commit, such as "." or "training"');
  return path === '' ? '.' : path;
}

function readPlatforms(inputs: Inputs, folder: string): string[] {
  const text = inputs.text('platforms');
  if (text === undefined) return [];
  const platforms = /^[-[]/u.test(text) ? inputs.list('platforms', folder) : text.split(',').map((part) => part.trim());
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

function refused(name: string, value: string, allowed: string): ActionError {
  return new ActionError('input', `input "${name}" is ${JSON.stringify(value.slice(0, 200))}; allowed: ${allowed}`);
}
