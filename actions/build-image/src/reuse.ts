import { ActionError } from '@slashtrain/core/action/errors';
import type { ImageName } from '@slashtrain/core/registry/image-name';
import { readImage, type Registries } from '@slashtrain/core/registry/registries';
import { inputsLabel, revisionLabel, type Part } from './compose.ts';

/**
 * The image of exactly these inputs, where the registry has it already: the tag `sha-<SHA>` moves when an image is
 * whole, so that what it names can be taken.
 */
export async function findBuilt(
  registries: Registries,
  target: ImageName,
  tag: string,
  sha: string,
  inputs: string,
): Promise<Part | undefined> {
  try {
    const { manifest, config } = await readImage(registries, { ...target, tag });
    const labels = config.config?.Labels ?? {};
    if (labels[inputsLabel] !== inputs || labels[revisionLabel] !== sha) return undefined;
    return { bytes: manifest.bytes, mediaType: manifest.mediaType, digest: manifest.digest };
  } catch (error) {
    // Registries hide what is not there behind a refusal (ghcr.io: 403, Docker Hub: 401): whether we may push shows later.
    // Whatever else stands under the tag is not ours: it is built over.
    if (error instanceof ActionError && ['not-found', 'permission', 'unsupported'].includes(error.code)) return undefined;
    throw error;
  }
}
