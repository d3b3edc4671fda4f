import { setTimeout as pause } from 'node:timers/promises';
import { describe } from '@slashtrain/core/action/errors';
import type { Log } from '@slashtrain/core/action/log';
import { formatImageName, parseImageName } from '@slashtrain/core/registry/image-name';
import { actionCredentials, readImage, Registries } from '@slashtrain/core/registry/registries';
import type { SubmitInputs } from './inputs.ts';

/** The label that says which commit an image was built from (https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md). */
const revisionLabel = 'org.opencontainers.image.revision';

/** The images that the inputs name: by container, or the program's as `image`. */
export function imagesOf({ what, images }: SubmitInputs): Map<string, string> {
  return 'program' in what ? new Map([['image', what.program.image]]) : images;
}

/** The labels of an image. */
export type ReadLabels = (image: string) => Promise<Readonly<Record<string, string>>>;

/**
 * What makes two requests' images the same: the repository where the image says that it was built from this commit, since
 * a rebuild of it is no new request; else the digest, too. An image that cannot be read counts by its digest.
 */
export async function imageSources(
  images: ReadonlyMap<string, string>,
  sha: string,
  read: ReadLabels,
  log: Log,
): Promise<Map<string, string>> {
  const sources = [...images].map(async ([name, image]): Promise<[string, string]> => {
    try {
      const labels = await read(image);
      if (labels[revisionLabel] === sha) return [name, image.replace(/(?::[^/@]*)?@.*$/u, '')];
      log.debug(`${image} is not labelled with ${sha}: its digest is a part of the request`);
    } catch (error) {
      log.debug(`the labels of ${image} cannot be read, so its digest is a part of the request: ${describe(error)}`);
    }
    return [name, image];
  });
  return new Map(await Promise.all(sources));
}

/** Reads labels at registries, and gives up after 10 s: without them a request only counts more narrowly. */
export function labelReader(options: {
  environment: NodeJS.ProcessEnv;
  token: string;
  actor: string;
  log: Log;
  signal: AbortSignal;
}): ReadLabels {
  const { environment, token, actor, log } = options;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(10_000)]);
  const registries = new Registries({
    credentials: actionCredentials({ environment, token, actor }),
    mask: (secret) => log.mask(secret),
    environment,
    signal,
    // A registry that this job cannot reach is not waited for as long as one that it needs.
    wait: (milliseconds, stop) => pause(milliseconds / 4, undefined, stop ? { signal: stop } : {}),
  });
  return async (image) => {
    const { tag: _, ...name } = parseImageName(image, 'the image');
    const { config } = await readImage(registries, name);
    log.debug(`read ${formatImageName(name)}`);
    return config.config?.Labels ?? {};
  };
}
