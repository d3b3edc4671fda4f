// The grammar of references: https://pkg.go.dev/github.com/distribution/reference
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const host = '(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]+)?)';
const pattern = new RegExp(`^(?:(${host})/)?(${component}(?:/${component})*)(?:[:@]\\S*)?$`, 'u');

/**
 * An image's repository with its registry, as a container runtime reads it: `nginx:1` is `docker.io/library/nginx`.
 * What follows `:` or `@` is left out, since it cannot change the repository.
 * @returns undefined where `image` is no reference
 */
export function repositoryOf(image: string): string | undefined {
  const match = image.length <= 2000 ? pattern.exec(image) : null;
  if (!match) return undefined;
  const [, first, rest = ''] = match;
  if (first === undefined) return `docker.io/library/${rest}`;
  // Without a dot, a port or "localhost" the first part is a name and no host.
  if (!/[.:]/u.test(first) && first !== 'localhost') return first === first.toLowerCase() ? `docker.io/${first}/${rest}` : undefined;
  const registry = first.toLowerCase().replace(/^(?:index|registry-1)\.docker\.io$/u, 'docker.io');
  return registry === 'docker.io' && !rest.includes('/') ? `docker.io/library/${rest}` : `${registry}/${rest}`;
}

/** Whether `image` lies at or below one of `registries`, at the boundaries of host and path: `ghcr.io/acme` is not `ghcr.io/acme-evil`. */
export function comesFrom(image: string, registries: readonly string[]): boolean {
  const repository = repositoryOf(image);
  if (repository === undefined) return false;
  return registries.some((registry) => repository === registry || repository.startsWith(`${registry}/`));
}
