import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ActionError } from '@slashtrain/core/action/errors';
import { digestOf } from '@slashtrain/core/registry/digest';
import type { ImageName } from '@slashtrain/core/registry/image-name';
import {
  formatPlatform,
  isIndex,
  oci,
  parseImageConfig,
  type ImageConfig,
  type ImageManifest,
} from '@slashtrain/core/registry/media-types';
import type { Registry } from '@slashtrain/core/registry/registry';
import { bytesSource, placeBlob } from '@slashtrain/core/registry/upload';
import type { CommitFile } from './archive.ts';
import type { BasePlatform } from './base.ts';
import type { LayerFacts } from './compose.ts';
import type { Layer } from './layer.ts';
import type { LayerRequest } from './layer-inputs.ts';
import { packagesFolder, writePackages } from './packages.ts';
import type { RunProgram } from './program.ts';
import { findInstaller, installCommand, installError, pythonOf, type Installer } from './python.ts';
import { readProject, readRequirements, type ReadText, type Requirements } from './requirements.ts';
import { textReader } from './text.ts';

/** Which packages an image needs besides its files. */
export interface Dependencies {
  /** The file that says it, or the files. */
  file: string;
  requirements: Requirements;
  installer: Installer;
  /** By the base's platforms: Python's version, and the name under which the registry keeps the layer. */
  platforms: { base: BasePlatform; python: string; key: string }[];
}

/** What {@link planDependencies} looks at. */
export interface DependencyContext {
  request: LayerRequest;
  platforms: readonly BasePlatform[];
  files: readonly CommitFile[];
  content: FileHandle;
  /** What a notebook installs besides. */
  notebook?: { file: string; requirements: Requirements } | undefined;
  run: RunProgram;
  environment: NodeJS.ProcessEnv;
  /** For what a lock file is read with. */
  folder: string;
}

/**
 * Finds out which packages are wanted. `auto` looks for uv.lock, requirements.txt and pyproject.toml, in this order,
 * and does nothing on a base that does not say that it has Python.
 * @returns undefined where none are
 * @throws ActionError `input` where they are wanted and cannot be had without running code, `not-found`
 */
export async function planDependencies(context: DependencyContext): Promise<Dependencies | undefined> {
  const { request, platforms, files, content, notebook, run } = context;
  if (request.dependencies === 'none') return undefined;
  const pythons = platforms.map(({ config }) => request.python ?? pythonOf(config));
  const isAuto = request.dependencies === 'auto';
  if (isAuto && !notebook && pythons.includes(undefined)) return undefined;
  const read = textReader(files, content, 8_000_000, 'no list of packages');
  const file = isAuto
    ? ['uv.lock', 'requirements.txt', 'pyproject.toml'].find((name) => files.some(({ path, kind }) => path === name && kind === 'file'))
    : request.dependencies;
  if (file === undefined && !notebook) return undefined;
  const text = file === undefined ? undefined : await read(file);
  if (file !== undefined && text === undefined) {
    // The reader says it better.
    await readRequirements(file, read);
  }
  const from = [file, notebook?.file].filter((one) => one !== undefined).join(' and ');
  const installer = await findInstaller(run);
  if (!installer)
    throw new ActionError('input', `the context has ${from}, and neither uv nor pip is there to install what it names`, {
      remedy: 'run astral-sh/setup-uv or actions/setup-python before this step, or set "dependencies: none" where the base has it all',
    });
  const requirements: Requirements =
    file === undefined ? { lines: [], constraints: [], hasIndex: false } : await readFrom(file, text ?? '', read, installer, context);
  if (notebook) {
    requirements.lines.push(...notebook.requirements.lines.filter((line) => !requirements.lines.includes(line)));
    requirements.constraints.push(...notebook.requirements.constraints);
    requirements.hasIndex ||= notebook.requirements.hasIndex;
  }
  if (requirements.lines.length === 0) return undefined;
  const index = Object.entries(context.environment)
    .filter(([name]) => /^(?:PIP|UV)_.*(?:INDEX|FIND_LINKS)/u.test(name))
    .map(([name, value]) => [name, value?.replace(/\/\/[^/@]*@/u, '//')])
    .sort();
  return {
    file: from,
    requirements,
    installer,
    platforms: platforms.map((base, at) => {
      const python = pythons[at];
      if (python === undefined)
        throw new ActionError('input', `the base does not say its version of Python (no PYTHON_VERSION), which "dependencies" needs`, {
          remedy: 'give it as input "python", such as "3.12"',
        });
      const value = [1, python, formatPlatform(base.platform), requirements.lines, requirements.constraints, index, packagesFolder];
      return { base, python, key: createHash('sha256').update(JSON.stringify(value)).digest('hex') };
    }),
  };
}

async function readFrom(
  file: string,
  text: string,
  read: ReadText,
  installer: Installer,
  context: DependencyContext,
): Promise<Requirements> {
  if (file.endsWith('pyproject.toml')) return readProject(text, file);
  if (!file.endsWith('uv.lock')) return readRequirements(file, read);
  if (installer.program !== 'uv')
    throw new ActionError('input', `${file} can be read by uv alone, which is not on PATH`, {
      remedy: 'run astral-sh/setup-uv before this step, or name another file as "dependencies"',
    });
  const folder = join(context.folder, 'lock');
  await mkdir(folder, { recursive: true });
  // A workspace has further projects, whose names the lock file holds.
  const wanted = [file, ...context.files.filter(({ path }) => /(?:^|\/)pyproject\.toml$/u.test(path)).map(({ path }) => path)];
  for (const path of wanted) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), (await read(path)) ?? '');
  }
  // Not from its output, of which only the end is held: a lock file may be long.
  const exported = join(folder, 'exported.txt');
  const { code, lines } = await context.run({
    program: 'uv',
    args: [
      ...['export', '--frozen', '--no-dev', '--no-emit-workspace', '--no-header', '--no-annotate', '--no-python-downloads', '--quiet'],
      ...['--directory', join(folder, dirname(file)), '--output-file', exported],
    ],
  });
  if (code !== 0)
    throw new ActionError('input', `uv cannot read ${file}: ${lines.slice(-3).join(' ').slice(0, 500)}`, {
      remedy: 'run "uv lock" and commit what it writes',
    });
  const locked = await readFile(exported, 'utf8');
  return readRequirements(file, async (path) => (path === file ? locked : undefined));
}

/** A layer of packages, and what is to be sent of it: nothing where the registry has it. */
export interface PackageLayer {
  facts: LayerFacts;
  layer: Layer | undefined;
}

/** Takes the layer from the registry where one for exactly these packages is, or installs them. */
export async function packageLayer(
  { requirements, installer }: Dependencies,
  { base, python, key }: Dependencies['platforms'][number],
  {
    registry,
    target,
    run,
    folder,
    mayReuse,
  }: { registry: Registry; target: ImageName; run: RunProgram; folder: string; mayReuse: boolean },
): Promise<PackageLayer> {
  const kept = mayReuse ? await findKept(registry, target.repository, key) : undefined;
  if (kept) return { facts: kept, layer: undefined };
  const place = join(folder, `packages-${key.slice(0, 16)}`);
  const files = {
    requirements: join(place, 'requirements.txt'),
    constraints: join(place, 'constraints.txt'),
    target: join(place, 'target'),
  };
  await mkdir(files.target, { recursive: true });
  await writeFile(files.requirements, `${requirements.lines.join('\n')}\n`);
  await writeFile(files.constraints, `${requirements.constraints.join('\n')}\n`);
  const command = installCommand({ requirements, installer, python, platform: base.platform, files });
  const { code, lines } = await run(command);
  if (code !== 0) throw installError(lines, installer.program, python, base.platform);
  const layer = await writePackages(files.target, join(place, 'layer.tar.gz'));
  return { facts: { digest: layer.digest, diffId: layer.diffId, size: layer.size }, layer };
}

const tagOf = (key: string): string => `packages-${key}`;

async function findKept(registry: Registry, repository: string, key: string): Promise<LayerFacts | undefined> {
  try {
    const { content } = await registry.manifest(repository, tagOf(key));
    if (isIndex(content)) return undefined;
    const [layer] = content.layers;
    const config = parseImageConfig(await registry.smallBlob(repository, content.config), `${repository}:${tagOf(key)}`);
    const [diffId] = config.rootfs.diff_ids;
    return layer && diffId !== undefined ? { digest: layer.digest, diffId, size: layer.size } : undefined;
  } catch (error) {
    if (error instanceof ActionError && ['not-found', 'permission', 'unsupported'].includes(error.code)) return undefined;
    throw error;
  }
}

/** Keeps a layer that the registry has under its key, as an image of it alone. */
export async function keepPackages(
  registry: Registry,
  repository: string,
  { base, key }: Dependencies['platforms'][number],
  facts: LayerFacts,
): Promise<void> {
  const { os, architecture } = base.platform;
  const config: ImageConfig = { os, architecture, rootfs: { type: 'layers', diff_ids: [facts.diffId] } };
  const configBytes = Buffer.from(JSON.stringify(config));
  await placeBlob(registry, repository, bytesSource(digestOf(configBytes), configBytes));
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: oci.manifest,
    config: { mediaType: oci.config, digest: digestOf(configBytes), size: configBytes.length },
    layers: [{ mediaType: oci.layer, digest: facts.digest, size: facts.size }],
  };
  await registry.putManifest(repository, tagOf(key), Buffer.from(JSON.stringify(manifest)), oci.manifest);
}
