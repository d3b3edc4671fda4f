import { credentialsFor, dockerConfig, firstOf, type CredentialSource } from './credentials.ts';
import { manifestReference, type ImageName } from './image-name.ts';
import { isIndex, parseImageConfig, type ImageConfig, type ImageManifest, type StoredManifest } from './media-types.ts';
import { Registry, type RegistryOptions } from './registry.ts';

/** One {@link Registry} for each host, made when it is first needed, so that logins and connections are shared. */
export class Registries {
  readonly #known = new Map<string, Registry>();
  readonly #options: RegistryOptions;

  constructor(options: RegistryOptions = {}) {
    this.#options = options;
  }

  of(image: Pick<ImageName, 'registry'>): Registry {
    let registry = this.#known.get(image.registry);
    if (!registry) this.#known.set(image.registry, (registry = new Registry(image.registry, this.#options)));
    return registry;
  }
}

/** Who an action is at registries. */
export interface Login {
  environment: NodeJS.ProcessEnv;
  /** A user of one registry, given as inputs. */
  given?: { registry: string; username: string; password: string };
  /** GitHub's token; it opens ghcr.io and goes nowhere else. */
  token?: string;
  /** The user that the token belongs to; ghcr.io takes any. */
  actor?: string;
}

/** Looks for credentials in the inputs, then in docker's configuration, then, for ghcr.io alone, takes GitHub's token. */
export function actionCredentials({ environment, given, token, actor }: Login): CredentialSource {
  return firstOf(
    ...(given ? [credentialsFor(given.registry, { username: given.username, password: given.password })] : []),
    dockerConfig(environment),
    ...(token ? [credentialsFor('ghcr.io', { username: actor || 'x-access-token', password: token })] : []),
  );
}

/** Like {@link actionCredentials}, without what docker's configuration knows: what a program that reads it must be told besides. */
export function ownCredentials({ environment, given, token, actor }: Login): CredentialSource {
  const docker = dockerConfig(environment);
  const byToken = token ? credentialsFor('ghcr.io', { username: actor || 'x-access-token', password: token }) : undefined;
  return async (registry) => {
    if (given?.registry === registry) return { username: given.username, password: given.password };
    return (await docker(registry)) ? undefined : byToken?.(registry);
  };
}

/** What an image says about itself. */
export interface ImageFacts {
  /** Of the index or manifest that the name leads to. */
  digest: string;
  manifest: StoredManifest;
  /** Of the image, or of the first platform of an index. */
  config: ImageConfig;
}

/**
 * Reads what a name leads to, with the configuration of its first platform: two or three requests, no layer.
 * Labels such as `org.opencontainers.image.revision` stand in `config.config.Labels`.
 * @throws ActionError `not-found`, `permission`, `unreachable`, `mismatch`
 */
export async function readImage(registries: Registries, image: ImageName): Promise<ImageFacts> {
  const registry = registries.of(image);
  const stored = await registry.manifest(image.repository, manifestReference(image));
  let manifest = stored;
  if (isIndex(stored.content)) {
    // Attestations stand in the list under a platform called "unknown".
    const first = stored.content.manifests.find(({ platform }) => platform?.os !== 'unknown') ?? stored.content.manifests[0];
    if (first) manifest = await registry.manifest(image.repository, first.digest);
  }
  const { config } = manifest.content as ImageManifest;
  const bytes = await registry.smallBlob(image.repository, config);
  return {
    digest: stored.digest,
    manifest: stored,
    config: parseImageConfig(bytes, `${image.registry}/${image.repository}@${manifest.digest}`),
  };
}
