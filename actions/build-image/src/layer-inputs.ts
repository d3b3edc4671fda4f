import { posix } from 'node:path';
import type { Inputs } from '@slashtrain/core/action/inputs';
import { lowerImageName, parseImageName, type ImageName } from '@slashtrain/core/registry/image-name';
import { listOf, mapOf } from './lists.ts';
import { scriptOf } from './notebook/names.ts';
import { refused } from './refused.ts';

/** What the layer builder alone takes. */
export interface LayerRequest {
  base: ImageName | 'scratch' | undefined;
  settings: ImageSettings;
  /** `auto`, `none`, or a file of the commit, from the context. */
  dependencies: string;
  /** The base's version of Python, such as `3.12`, where the base does not say it. */
  python: string | undefined;
  /** A notebook that becomes a script: a file of the commit, from the context. */
  notebook: string | undefined;
  /** Which of {@link layerOnly} are given. */
  given: string[];
}

/** What the image's configuration says over its base's. */
export interface ImageSettings {
  /** Where the files go: an absolute path. */
  destination: string;
  /** The working directory: an absolute path. */
  workingFolder: string;
  entrypoint: string[] | undefined;
  command: string[] | undefined;
  env: Map<string, string>;
  user: string | undefined;
}

/** Inputs that only the layer builder has: a Dockerfile says them itself. */
export const layerOnly = ['destination', 'entrypoint', 'command', 'env', 'user', 'python', 'notebook'];

// In most images these are links into /usr or belong to the kernel: a folder of ours would stand in their place.
const notOurs = /^\/(?:bin|sbin|lib|lib32|lib64|libx32|proc|sys|dev|var\/run|var\/lock)(?:\/|$)/u;

/** @throws ActionError `input` */
export async function readLayerRequest(inputs: Inputs, folder: string): Promise<LayerRequest> {
  const base = inputs.text('base');
  const python = inputs.text('python');
  if (python !== undefined && !/^3\.[0-9]{1,2}$/u.test(python)) throw refused('python', python, 'a version such as "3.12"');
  const notebook = readNotebookPath(inputs.text('notebook'));
  return {
    base: base === undefined || base === 'scratch' ? base : parseImageName(lowerImageName(base), 'input "base"'),
    settings: await readSettings(inputs, folder, notebook),
    dependencies: readDependencies(inputs.text('dependencies') ?? 'auto'),
    python,
    notebook,
    given: layerOnly.filter((name) => inputs.text(name) !== undefined),
  };
}

async function readSettings(inputs: Inputs, folder: string, notebook: string | undefined): Promise<ImageSettings> {
  const list = async (name: string): Promise<string[] | undefined> =>
    inputs.text(name) === undefined ? undefined : listOf(inputs, name, folder);
  const env = await mapOf(inputs, 'env', folder);
  for (const name of env.keys())
    if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/u.test(name)) throw refused('env', name, 'names of letters, digits, "_", "." and "-"');
  const user = inputs.text('user');
  if (user !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/u.test(user))
    throw refused('user', user, 'a user or a number, and after a ":" a group');
  const destination = readDestination(inputs.text('destination') ?? '/app');
  const [entrypoint, command] = [await list('entrypoint'), await list('command')];
  const script = notebook === undefined ? undefined : posix.join(destination, scriptOf(notebook));
  return {
    destination,
    // Jupyter runs a notebook in the notebook's folder.
    workingFolder: script === undefined ? destination : posix.dirname(script),
    entrypoint,
    command: script === undefined || entrypoint || command ? command : ['python3', script],
    env,
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

function readDependencies(text: string): string {
  const path = posix.normalize(text);
  const isKnown = text === 'auto' || text === 'none' || /(?:^|\/)(?:uv\.lock|pyproject\.toml|[^/]+\.txt)$/u.test(path);
  if (!isKnown || path.startsWith('/') || path.startsWith('..'))
    throw refused('dependencies', text, 'auto, none, or a requirements file (*.txt), pyproject.toml or uv.lock within the context');
  return path;
}

function readNotebookPath(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const path = posix.normalize(text);
  if (!/[^/]\.ipynb$/u.test(path) || path.startsWith('/') || path.startsWith('..'))
    throw refused('notebook', text, 'a notebook (*.ipynb) within the context, such as train.ipynb');
  return path;
}
