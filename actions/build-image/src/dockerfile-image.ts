import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ActionError } from '@slashtrain/core/action/errors';
import { Scrubber } from '@slashtrain/core/action/scrub';
import { formatImageName, registryAddress, type ImageName } from '@slashtrain/core/registry/image-name';
import type { Commit } from './archive.ts';
import { commandsOf, findBuilder, repo2dockerConfig, type DockerfileBuild, type FoundBuilder } from './builders.ts';
import type { Built, Workshop } from './built.ts';
import { inputsLabel, revisionLabel } from './compose.ts';
import type { ImageRequest } from './inputs.ts';
import { loginFor } from './login.ts';
import type { Command } from './program.ts';
import { moveTags, publishManifests } from './publish.ts';
import { namesIn, namesOf, readRecipe, readRepository, type Recipe } from './recipe.ts';
import { findSame, inputsTag, readWhole, relabel, topOf, type StoredImage } from './reuse.ts';
import { unpackFiles } from './unpack.ts';

/**
 * Builds the commit's Dockerfile with a builder of this machine, or the commit itself with repo2docker; both execute what stands
 * there. Or takes the image that the registry has of exactly these inputs.
 */
export async function buildDockerfileImage(request: ImageRequest, why: string, shop: Workshop): Promise<Built> {
  const isRepository = request.builder === 'repo2docker';
  const [misplaced] = request.layer.given;
  if (misplaced !== undefined) {
    const source = isRepository ? 'by repo2docker, from what the repository says' : 'from a Dockerfile, which says that itself';
    throw new ActionError('input', `input "${misplaced}" is given, and the image is built ${source}`, {
      remedy: `write it ${isRepository ? 'into the repository' : 'in the Dockerfile'}, or use "builder: layer" with a base`,
    });
  }
  const { registries, sha } = shop;
  const { target, dockerfile } = request;
  const registry = registries.of(target);
  const commit = await shop.commit.get();
  const recipe = await (isRepository ? readRepository : readRecipe)(request, commit, shop);
  const tags = [`sha-${sha}`, ...request.tags];

  if (recipe.unknown !== undefined) shop.log.info(`no image is reused, since ${recipe.unknown}`);
  const same =
    request.mayReuse && dockerfile.push && recipe.unknown === undefined ? await findSame(registry, target, recipe.inputs) : undefined;
  if (same) {
    const image = relabel(same, Object.fromEntries(recipe.labels), commit.time);
    const placements = shop.isDryRun ? [] : await publishManifests(registry, target.repository, image, tags);
    const notices =
      same.attestations > 0 ? ['provenance and SBOM are about the image that was built first, and are left out of this one'] : [];
    return {
      ...facts(same, recipe, 'reused, so that no builder was needed'),
      digest: image.top.digest,
      isReused: true,
      placements,
      notices,
    };
  }

  const { builder, why: found } = await findBuilder(request.builder, dockerfile.address, shop.run);
  const how = `${builder}, since ${why} and ${found}`;
  shop.log.info(how);
  const { notices } = recipe.selection;
  const nothing = {
    digest: undefined,
    how,
    isReused: false,
    bases: namesOf(recipe),
    platforms: [],
    layers: 0,
    size: 0,
    placements: [],
    notices,
  };
  const commands = await prepare(builder, request, recipe, commit, shop);
  if (shop.isDryRun) return nothing;
  await runAll(builder, commands, request, shop);
  if (!dockerfile.push) return nothing;

  const image = await readWhole(registry, target.repository, `sha-${sha}`);
  for (const { config } of image.platforms) {
    const labels = config.config?.Labels ?? {};
    if (labels[revisionLabel] !== sha || labels[inputsLabel] !== recipe.inputs)
      throw new ActionError(
        'mismatch',
        `${formatImageName({ ...target, tag: `sha-${sha}` })} is not what was built: its label says ${JSON.stringify(labels[revisionLabel] ?? null)}`,
        {
          remedy: 'something else pushed to this tag meanwhile; run the job again, and give each image a name of its own',
        },
      );
  }
  await moveTags(registry, target.repository, topOf(image), tags);
  if (recipe.unknown === undefined)
    await registry.putManifest(target.repository, inputsTag(recipe.inputs), image.top.bytes, image.top.mediaType);
  return { ...nothing, ...facts(image, recipe, how), digest: image.top.digest };
}

/** Lays everything out for the builder, and says how it is called. */
async function prepare(builder: FoundBuilder, request: ImageRequest, recipe: Recipe, commit: Commit, shop: Workshop): Promise<Command[]> {
  const { dockerfile, target } = request;
  const place = (name: string): string => join(shop.folder, name);
  const secrets = new Map([...dockerfile.secrets.keys()].map((id) => [id, join(place('secrets'), id)]));
  const build: DockerfileBuild = {
    ...dockerfile,
    context: place('context'),
    dockerfile: place('dockerfile'),
    image: { ...target, tag: `sha-${shop.sha}` },
    labels: recipe.labels,
    secrets,
    platforms: request.platforms,
    isLocal: isLocal(namesIn(recipe)),
  };
  // What the builder cannot do is said before anything is written.
  const commands = commandsOf(builder, build);
  if (shop.isDryRun) return commands;
  await mkdir(build.context, { recursive: true });
  await unpackFiles(recipe.selection.files, commit.content, build.context);
  await mkdir(build.dockerfile, { recursive: true });
  if (recipe.text === undefined) await writeFile(join(build.dockerfile, repo2dockerConfig), '');
  else await writeFile(join(build.dockerfile, 'Dockerfile'), recipe.text);
  for (const [id, file] of secrets) {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, dockerfile.secrets.get(id) ?? '', { mode: 0o600 });
  }
  const registries = [target, ...(dockerfile.cache ? [dockerfile.cache] : []), ...namesIn(recipe)].map(({ registry }) => registry);
  const env = await loginFor([...new Set(registries)], shop.credentials, place('docker'), shop.environment);
  return commands.map((command) => ({ ...command, env: { ...command.env, ...env } }));
}

/** buildah has one switch for all registries of a build: it is thrown where none of them is elsewhere. */
function isLocal(names: readonly ImageName[]): boolean {
  return names.length > 0 && names.every(({ registry }) => registryAddress(registry).protocol === 'http:');
}

async function runAll(builder: FoundBuilder, commands: readonly Command[], request: ImageRequest, shop: Workshop): Promise<void> {
  const { dockerfile } = request;
  // A secret of a letter or two would blacken the whole log.
  const scrub = new Scrubber(4);
  for (const secret of dockerfile.secrets.values()) {
    scrub.add(secret);
    shop.log.mask(secret);
  }
  // Not every builder has a cache there at first, and classic docker reads only what it has.
  if (builder === 'docker' && dockerfile.cache)
    await shop.run({
      program: 'docker',
      args: ['pull', formatImageName(dockerfile.cache)],
      ...(commands[0]?.env ? { env: commands[0].env } : {}),
    });
  for (const command of commands) {
    const verb = command.args.filter((arg) => !arg.startsWith('-') && arg !== dockerfile.address);
    const verbs = builder === 'repo2docker' ? 0 : verb[0] === 'buildx' ? 2 : 1;
    const what = [command.program, ...verb.slice(0, verbs)].join(' ');
    shop.log.info(what);
    const { code, lines } = await shop.run(command, (line) => shop.log.info(scrub.clean(line)));
    if (code === 0) continue;
    // Where in repo2docker it was noticed stands after what is wrong.
    const trace = lines.findIndex((line) => line.startsWith('Traceback (most recent call last):'));
    const last = lines
      .slice(0, trace > 0 ? trace : lines.length)
      .map((line) => scrub.clean(line).trim())
      // BuildKit shows the Dockerfile around the place between what a step said and what is wrong.
      .filter((line) => line !== '' && !/^(?:-{3,}|[0-9]+ \|.*|Dockerfile:[0-9]+)$/u.test(line))
      .slice(-3);
    throw new ActionError(
      'build-failed',
      `${what} ended with ${code ?? 'a signal'}: ${last.join(' | ').slice(0, 800) || 'it said nothing'}`,
      {
        remedy: remedyFor(lines.join('\n')),
      },
    );
  }
}

function remedyFor(text: string): string {
  if (/no space left on device/iu.test(text)) return 'the disk is full: use the layer builder, a smaller base, or a runner with more disk';
  if (/not supported for the docker driver/iu.test(text)) return 'run docker/setup-buildx-action before this step, whose builder can do it';
  if (/unauthorized|denied|authentication required|403 Forbidden/iu.test(text))
    return 'log in to the registry before this step and check that you may push there; for ghcr.io give the job "packages: write"';
  return 'what it wrote stands above in the log; the tags of the image did not move';
}

function facts(image: StoredImage, recipe: Recipe, how: string): Pick<Built, 'how' | 'bases' | 'platforms' | 'layers' | 'size'> {
  const layers = image.platforms[0]?.manifest.content.layers ?? [];
  return {
    how,
    bases: namesOf(recipe),
    platforms: image.platforms.map(({ config: { os, architecture, variant } }) => ({ os, architecture, ...(variant ? { variant } : {}) })),
    layers: layers.length,
    size: layers.reduce((total, { size }) => total + size, 0),
  };
}
