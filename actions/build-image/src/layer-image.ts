import { join } from 'node:path';
import { formatImageName } from '@slashtrain/core/registry/image-name';
import { bytesOf, type Commit } from './archive.ts';
import { resolveBase, scratchBase } from './base.ts';
import type { Built, Workshop } from './built.ts';
import { compose, hashInputs, hashRequest, type LayerFacts, type OwnLayers } from './compose.ts';
import { readIgnoreFile, selectFiles, type Selection } from './context.ts';
import { keepPackages, packageLayer, planDependencies, type Dependencies, type PackageLayer } from './dependencies.ts';
import type { ImageRequest } from './inputs.ts';
import type { Layer } from './layer.ts';
import type { WithScript } from './notebook/notebook.ts';
import { findLayers, moveTags, publish, publishManifests, type Made } from './publish.ts';
import { findBuilt, findSame, inputsTag, isOfRequest, ownLayersOf, topOf } from './reuse.ts';
import { hashFiles } from './unpack.ts';

/** Puts the commit's files on the base as a layer. Nothing of the commit is executed. */
export async function buildLayerImage(request: ImageRequest, why: string, shop: Workshop): Promise<Built> {
  const { registries, sha } = shop;
  const { target } = request;
  const registry = registries.of(target);
  const wanted = request.layer.base ?? 'scratch';
  // As soon as it is clear that the registry has no image of the commit, its files are asked for, and what packs them is loaded
  // meanwhile; who needs them is told what fails.
  const standing = request.mayReuse ? findBuilt(registry, target, sha) : Promise.resolve(undefined);
  const packing = standing.then((image) => (image ? undefined : Promise.all([shop.commit.get(), import('./layer.ts')])));
  packing.catch(() => undefined);
  const base = wanted === 'scratch' ? scratchBase(request.platforms) : await resolveBase(registries, wanted, request.platforms);
  shop.log.info(`base ${base.name ? formatImageName(base.name) : 'scratch'}`);
  if (base.platforms.length > 1 && request.platforms.length === 0 && base.name && base.name.registry !== target.registry)
    shop.log.info(`all ${base.platforms.length} platforms of the base are copied to ${target.registry}; give "platforms" to move less`);

  // Which of the base's layers are there is asked meanwhile.
  const present = shop.isDryRun ? undefined : standing.then((image) => (image ? undefined : findLayers(registries, target, base)));
  present?.catch(() => undefined);
  const hash = hashRequest(request, sha, base, shop.source);
  const image = await standing;
  const built = image && isOfRequest(image, hash) ? image : undefined;
  const common = (layers: readonly LayerFacts[]): Pick<Built, 'how' | 'bases' | 'platforms' | 'layers' | 'size'> => {
    const below = base.platforms[0]?.manifest.layers ?? [];
    return {
      how: `layer, since ${why}`,
      bases: base.name ? [formatImageName(base.name)] : [],
      platforms: base.platforms.map(({ platform }) => platform),
      layers: below.length + layers.length,
      size: [...below, ...layers].reduce((total, { size }) => total + size, 0),
    };
  };
  const { notebook } = request.layer;
  const select = async (): Promise<Selected> => {
    const commit = await shop.commit.get();
    const selection = selectFiles(commit, request.context, await readIgnoreFile(commit, request.context), sha);
    if (notebook === undefined) return { commit, selection, made: undefined, workflow: {} };
    const [{ withScript }, { workflowOf }] = await Promise.all([import('./notebook/notebook.ts'), import('./notebook/workflow.ts')]);
    const made = await withScript(notebook, selection.files, commit.content);
    const steps = made.workflow;
    const workflow = steps ? { workflow: (name: string) => workflowOf(steps, name, request.layer.settings.destination) } : {};
    return { commit, selection, made, workflow };
  };
  if (built) {
    if (!shop.isDryRun) await moveTags(registry, target.repository, topOf(built), [`sha-${sha}`, ...request.tags]);
    const own = built.platforms[0]?.manifest.content.layers.slice(base.platforms[0]?.manifest.layers.length) ?? [];
    const layers = own.map(({ digest, size }) => ({ digest, size, diffId: '' }));
    const steps = notebook === undefined ? {} : (await select()).workflow;
    return { ...common(layers), ...steps, digest: built.top.digest, isReused: true, placements: [], notices: [] };
  }

  const { commit, selection, made, workflow } = await select();
  if (made) shop.log.info(made.told);
  const files = made?.files ?? selection.files;
  const asked = { ...shop, ...commit, request: request.layer, platforms: base.platforms, files, notebook: made?.packages };
  const plan = await planDependencies(asked);
  const tree = await hashFiles(files, commit.content);
  const inputs = hashInputs(request, base, tree, plan?.platforms.map(({ key }) => key) ?? []);
  const origin = { sha, source: shop.source, inputs, request: hash, time: commit.time };
  const notices = [...base.notices, ...selection.notices];
  const tags = [`sha-${sha}`, ...request.tags];

  const same = request.mayReuse ? await findSame(registry, target, inputs) : undefined;
  const kept = same && ownLayersOf(same, base, plan !== undefined);
  if (kept) {
    const image = compose(base, kept, request, origin);
    const placements = shop.isDryRun ? [] : await publishManifests(registry, target.repository, image, tags);
    const [first] = kept;
    const layers = first ? [...(first.packages ? [first.packages] : []), first.files] : [];
    return { ...common(layers), ...workflow, digest: image.top.digest, isReused: true, placements, notices };
  }

  const packages = plan ? await makePackages(plan, request, shop) : [];
  const sources = packages.flatMap(({ layer }) => (layer ? [{ what: 'packages' as const, source: layer }] : []));
  const make = async (): Promise<Made & { layer: Layer }> => {
    const { writeLayer } = await import('./layer.ts');
    const layer = await writeLayer(
      files,
      (file) => bytesOf(file, commit.content),
      request.layer.settings.destination,
      join(shop.folder, 'layer.tar.gz'),
    );
    shop.log.info(`layer ${layer.digest}: ${layer.files} files, ${layer.size} bytes`);
    const own = base.platforms.map((_, at): OwnLayers => {
      const facts = packages[at]?.facts;
      return { files: layer, ...(facts ? { packages: facts } : {}) };
    });
    return { layer, layers: [...sources, { what: 'layer', source: layer }], image: compose(base, own, request, origin) };
  };
  const { made: whole, placements } = shop.isDryRun
    ? { made: await make(), placements: [] }
    : await publish({ registries, target, base, make, tags, keptAs: inputsTag(inputs), present: await present });
  if (!shop.isDryRun)
    for (const [at, one] of (plan?.platforms ?? []).entries()) {
      const installed = packages[at];
      if (installed?.layer) await keepPackages(registry, target.repository, one, installed.facts);
    }
  const { layer } = whole;
  const [first] = packages;
  return {
    ...common([...(first ? [first.facts] : []), layer]),
    ...workflow,
    digest: whole.image.top.digest,
    isReused: false,
    files: layer,
    ...(plan && first ? { packages: { file: plan.file, size: first.facts.size, isKept: first.layer === undefined } } : {}),
    placements,
    notices,
  };
}

/** What of the commit goes into the image. */
interface Selected {
  commit: Commit;
  selection: Selection;
  /** Where a notebook is made a script. */
  made: WithScript | undefined;
  workflow: Pick<Built, 'workflow'>;
}

async function makePackages(plan: Dependencies, request: ImageRequest, shop: Workshop): Promise<PackageLayer[]> {
  const result: PackageLayer[] = [];
  for (const platform of plan.platforms) {
    const made = await packageLayer(plan, platform, {
      registry: shop.registries.of(request.target),
      target: request.target,
      run: shop.run,
      folder: shop.folder,
      mayReuse: request.mayReuse,
    });
    shop.log.info(
      `packages of ${plan.file} for Python ${platform.python}: ${made.facts.digest}, ${made.facts.size} bytes, ${made.layer ? `installed by ${plan.installer.program}` : 'kept in the registry'}`,
    );
    result.push(made);
  }
  return result;
}
