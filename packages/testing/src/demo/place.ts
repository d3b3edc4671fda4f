import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ActionError } from '@slashtrain/core/action/errors';
import type { Log } from '@slashtrain/core/action/log';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import { startCluster } from '../cluster/cluster.ts';
import { registryImages } from '../registry/images.ts';
import { startRegistry } from '../registry/server.ts';
import type { DemoOptions } from './options.ts';

/** Where the trainings run and where their images are. */
export interface Place {
  /** For people. */
  cluster: string;
  /** `host:port` */
  registry: string;
  /** An image with Node. */
  base: string;
  /** Its content: one context, with the namespace in it. */
  kubeconfig: string;
  close(): Promise<void>;
}

export function openPlace(options: DemoOptions): Promise<Place> {
  return options.real ? realPlace(options.real) : embeddedPlace();
}

async function embeddedPlace(): Promise<Place> {
  const registry = await startRegistry();
  const cluster = await startCluster({ images: registryImages(registry.host) });
  // The embedded node runs programs with its own Node, so that the image needs none.
  await registry.pushBase('node:24');
  return {
    cluster: `${cluster.url}, Jobs run as processes of this machine`,
    registry: registry.host,
    base: `${registry.host}/node:24`,
    kubeconfig: cluster.kubeconfig,
    close: async () => {
      await cluster.stop();
      await registry.close();
    },
  };
}

const quiet: Log = { info() {}, debug() {}, notice() {}, warning() {}, error() {}, startGroup() {}, endGroup() {}, mask() {} };
const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };

/** A namespace of its own on the cluster that was named, which goes with the demo. */
async function realPlace({ context, registry, kubeconfig, base }: NonNullable<DemoOptions['real']>): Promise<Place> {
  const file = kubeconfig ?? join(homedir(), '.kube', 'config');
  const client = await openKubernetes({ kubeconfig: file, context, environment: {}, log: quiet });
  const name = `slashtrain-demo-${randomBytes(3).toString('hex')}`;
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return {
    cluster: `context ${context}, namespace ${name}`,
    registry,
    base,
    kubeconfig: await oneContext(file, context, name),
    close: async () => {
      await client.delete(namespaces, '', name);
    },
  };
}

/** The kubeconfig with nothing but the context, and the namespace in it: all that the workflow gets as its secret. */
async function oneContext(file: string, context: string, namespace: string): Promise<string> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const whole = new KubeConfig();
  whole.loadFromFile(file);
  const chosen = whole.getContextObject(context);
  const cluster = chosen && whole.getCluster(chosen.cluster);
  const user = chosen && whole.getUser(chosen.user);
  if (!chosen || !cluster || !user) throw new ActionError('input', `${file} has no usable context "${context}"`);
  const own = new KubeConfig();
  own.loadFromOptions({ clusters: [cluster], users: [user], contexts: [{ ...chosen, namespace }], currentContext: context });
  return own.exportConfig();
}
