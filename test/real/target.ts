import { randomBytes } from 'node:crypto';
import { openKubernetes } from '@slashtrain/core/kubernetes/access';
import type { KubernetesClient } from '@slashtrain/core/kubernetes/client';
import type { Log } from '@slashtrain/core/action/log';

/** The cluster and the registry that `pnpm real` was told. */
export interface Target {
  /** The kubeconfig's path. */
  kubeconfig: string;
  context: string;
  /** Host and port, such as `localhost:5000`. The cluster pulls from it under the same name. */
  registry: string;
}

/** @throws Error where a test that needs them is run by something else than `pnpm real` */
export function target(): Target {
  const need = (name: string): string => {
    const value = process.env[name];
    if (!value) throw new Error(`${name} is not set: run this with pnpm real --kubeconfig FILE --context NAME --registry HOST`);
    return value;
  };
  return { kubeconfig: need('SLASHTRAIN_KUBECONFIG'), context: need('SLASHTRAIN_CONTEXT'), registry: need('SLASHTRAIN_REGISTRY') };
}

/** A client for the target, with its own environment: nothing ambient is read. */
export function openTarget({ kubeconfig, context }: Target = target()): Promise<KubernetesClient> {
  return openKubernetes({ kubeconfig, context, environment: {}, log: quiet });
}

const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };

/** Makes a namespace of its own for a test file. @returns its name, and what deletes it with everything inside */
export async function makeNamespace(client: KubernetesClient): Promise<{ name: string; remove(): Promise<void> }> {
  const name = `slashtrain-${randomBytes(4).toString('hex')}`;
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return {
    name,
    remove: async () => {
      await client.delete(namespaces, '', name);
    },
  };
}

function nothing(): void {
  // A test says what it finds by its expectations.
}

const quiet: Log = {
  info: nothing,
  debug: nothing,
  notice: nothing,
  warning: nothing,
  error: nothing,
  startGroup: nothing,
  endGroup: nothing,
  mask: nothing,
};
