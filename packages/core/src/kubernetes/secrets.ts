import type { Cluster, KubeConfig } from '@kubernetes/client-node';

/** What in a name says that its value is a secret. */
const secretName = /secret|token|password|passwd|private|credential/iu;
// Masking a very short text would blacken half the log.
const shortest = 4;

/** Every secret of a kubeconfig, of all its users: what must be masked before anything is printed. */
export function secretsOf(config: KubeConfig): Set<string> {
  const found = new Set<string>();
  const add = (value: unknown): void => {
    if (typeof value === 'string' && value.trim().length >= shortest) found.add(value.trim());
  };
  for (const user of config.users) {
    add(user.token);
    add(user.password);
    if (user.username && user.password) add(Buffer.from(`${user.username}:${user.password}`).toString('base64'));
    if (user.keyData) {
      add(user.keyData);
      add(Buffer.from(user.keyData, 'base64').toString('utf8'));
    }
    const { env, args } = (user.exec ?? {}) as { env?: unknown; args?: unknown };
    for (const { name, value } of listOf<{ name?: unknown; value?: unknown }>(env)) {
      if (typeof name === 'string' && secretName.test(name)) add(value);
    }
    for (const argument of listOf(args)) {
      const match = typeof argument === 'string' ? /^--?([^=]+)=(.+)$/su.exec(argument) : null;
      if (match?.[1] && secretName.test(match[1])) add(match[2]);
    }
    const { config: provider } = (user.authProvider ?? {}) as { config?: Record<string, unknown> };
    for (const [name, value] of Object.entries(provider ?? {})) if (secretName.test(name) && !/file$/iu.test(name)) add(value);
  }
  for (const cluster of config.clusters) add(proxyPassword(cluster));
  return found;
}

/** What the library passes on as the file has it. */
function listOf<T>(value: unknown): T[] {
  return Array.isArray(value) ? (value as (T | null | undefined)[]).filter((one) => one !== null && one !== undefined) : [];
}

/** The password in a cluster's `proxy-url`. */
function proxyPassword(cluster: Cluster): string | undefined {
  if (!cluster.proxyUrl || !URL.canParse(cluster.proxyUrl)) return undefined;
  return decodeURIComponent(new URL(cluster.proxyUrl).password) || undefined;
}
