import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { CredentialSource } from '@slashtrain/core/registry/credentials';

/**
 * Docker's configuration for a builder, with who we are at these registries. Where docker's own configuration knows
 * it, that one is used as it is; otherwise one is made in `folder`, which the caller removes, with everything else of
 * docker's own one linked (plugins, builders, contexts).
 * @param own who we are by inputs or token, and not by docker's configuration
 * @param all who we are, however it is known
 * @returns environment variables for the builder
 */
export async function loginFor(
  registries: readonly string[],
  { own, all }: { own: CredentialSource; all: CredentialSource },
  folder: string,
  environment: NodeJS.ProcessEnv,
): Promise<Record<string, string>> {
  const known = environment['DOCKER_CONFIG'] || join(environment['HOME'] || homedir(), '.docker');
  const ours = await Promise.all(registries.map(own));
  // buildah reads docker's file where it is told to, and not where DOCKER_CONFIG is.
  if (ours.every((found) => found === undefined))
    return (await readText(join(known, 'config.json'))) === undefined ? {} : { REGISTRY_AUTH_FILE: join(known, 'config.json') };
  const auths: Record<string, object> = {};
  for (const registry of new Set(registries)) {
    const found = await all(registry);
    if (!found) continue;
    auths[registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry] =
      'identityToken' in found
        ? { identitytoken: found.identityToken }
        : { auth: Buffer.from(`${found.username}:${found.password}`).toString('base64') };
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const entry of await entriesOf(known)) if (entry !== 'config.json') await symlink(join(known, entry), join(folder, entry));
  // A store of credentials would be asked instead of what stands here.
  const {
    credsStore: _store,
    credHelpers: _helpers,
    ...kept
  } = JSON.parse((await readText(join(known, 'config.json'))) ?? '{}') as Record<string, unknown>;
  const file = join(folder, 'config.json');
  await writeFile(file, JSON.stringify({ ...kept, auths: { ...(kept['auths'] as object | undefined), ...auths } }), { mode: 0o600 });
  return { DOCKER_CONFIG: folder, REGISTRY_AUTH_FILE: file };
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
