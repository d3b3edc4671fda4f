import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { startCluster, type EmbeddedCluster } from '@slashtrain/testing/cluster/cluster';
import { registryImages } from '@slashtrain/testing/registry/images';
import { startRegistry } from '@slashtrain/testing/registry/server';

/** A cluster and a registry that it pulls from, with an image `base` that has Node. */
export interface Target {
  name: 'embedded' | 'real';
  /** Content or path, as the input `kubeconfig` takes it. */
  kubeconfig: string;
  context: string;
  /** `host:port` */
  registry: string;
  /** A base image with Node. */
  base: string;
  /** Only of the embedded one. */
  cluster?: EmbeddedCluster;
  close(): Promise<void>;
}

const real = {
  kubeconfig: process.env['SLASHTRAIN_KUBECONFIG'],
  context: process.env['SLASHTRAIN_CONTEXT'],
  registry: process.env['SLASHTRAIN_REGISTRY'],
};
const isReal = real.kubeconfig !== undefined && real.context !== undefined && real.registry !== undefined;

/** The embedded target with `pnpm test`; the real one where the environment names it, as `pnpm real` does. */
export const targets: Target['name'][] = isReal ? ['real'] : ['embedded'];

/** Says that the real one is left out, and what to do about it. */
export function sayWhatIsSkipped(what: string): void {
  if (!isReal)
    process.stdout.write(`skipped: ${what} on a real cluster; run: pnpm real --kubeconfig FILE --context NAME --registry HOST\n`);
}

export async function openTarget(name: Target['name']): Promise<Target> {
  if (name === 'real') {
    const { kubeconfig = '', context = '', registry = '' } = real;
    return { name, kubeconfig, context, registry, base: `${registry}/node:24`, close: () => Promise.resolve() };
  }
  const registry = await startRegistry();
  const cluster = await startCluster({ images: registryImages(registry.host) });
  // The embedded node runs programs with its own Node, so that the image needs none.
  await registry.pushBase('node:24');
  return {
    name,
    kubeconfig: cluster.kubeconfig,
    context: 'embedded',
    registry: registry.host,
    base: `${registry.host}/node:24`,
    cluster,
    close: async () => {
      await cluster.stop();
      await registry.close();
    },
  };
}

/** A name that nothing else has. */
export function unique(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`;
}

/** The files of a folder of this repository, by path within it. */
export function filesOf(folder: string): Record<string, Buffer> {
  const root = resolve(import.meta.dirname, '../..', folder);
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !relative(root, entry.parentPath).split('/').includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => statSync(file).isFile());
  return Object.fromEntries(files.map((file) => [relative(root, file), readFileSync(file)]));
}
