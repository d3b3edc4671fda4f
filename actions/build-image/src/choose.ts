import { ActionError } from '@slashtrain/core/action/errors';
import type { Built, Workshop } from './built.ts';
import { dockerfileOf } from './dockerfile-inputs.ts';
import type { ImageRequest } from './inputs.ts';
import { buildLayerImage } from './layer-image.ts';

/**
 * Makes an image with the builder that was asked for. `auto` is the layer builder where there is a base, else the Dockerfile's
 * where there is one, else repo2docker where it is installed and the files are such as it builds from.
 */
export async function buildImage(request: ImageRequest, shop: Workshop): Promise<Built> {
  const { builder, layer } = request;
  if (builder === 'layer' || (builder === 'auto' && layer.base !== undefined))
    return buildLayerImage(request, builder === 'auto' ? 'there is a base' : 'it was asked for', shop);
  const [{ buildDockerfileImage }, { hasRepo2docker }, { repositoryFileOf }] = await Promise.all([
    import('./dockerfile-image.ts'),
    import('./builders.ts'),
    import('./recipe.ts'),
  ]);
  if (builder !== 'auto') return buildDockerfileImage(request, 'it was asked for', shop);
  const path = dockerfileOf(request);
  const commit = await shop.commit.get();
  if (!commit.files.some((file) => file.path === path)) {
    const repositoryFile = request.dockerfile.file === undefined ? repositoryFileOf(commit, request.context) : undefined;
    if (repositoryFile !== undefined && (await hasRepo2docker(shop.run)))
      return buildDockerfileImage({ ...request, builder: 'repo2docker' }, `there is ${repositoryFile} and no base`, shop);
    throw new ActionError('input', `input "base" is required and was not given: there is no "${path}" in the commit to build from either`, {
      remedy: 'give "base", such as python:3.12-slim, or "file" for a Dockerfile',
    });
  }
  return buildDockerfileImage(request, `there is ${path} and no base`, shop);
}
